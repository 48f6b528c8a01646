"""Evaluation of a translator's output: detection, materials, photographs, time."""
