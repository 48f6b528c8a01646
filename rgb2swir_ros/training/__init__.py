"""Train a translator on generated pairs: data pool, stages, loop with checkpoints."""
