"""The probability path, the samplers and the losses. Knows networks, nothing else."""
