"""Train models on paired frames: data, batches, stages, loops with checkpoints, judgement."""
