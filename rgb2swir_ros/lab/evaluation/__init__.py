"""Judge what a translator makes: by a detector, on photographs, and over time."""
