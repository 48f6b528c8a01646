"""The laboratory: makes data and models, and judges them; a vehicle needs nothing of it."""
