"""Paired RGB and SWIR frames for training: rendered ones, RASMD, and plain folders."""
