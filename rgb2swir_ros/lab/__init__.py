"""The laboratory: makes data and models, and evaluates them; no part of it runs on a vehicle."""
