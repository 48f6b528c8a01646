"""Training on paired frames: data, batches, stages, the trainer, checkpoints, validation."""
