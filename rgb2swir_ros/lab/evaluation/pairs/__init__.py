"""Translations compared with SWIR frames of the same scene, real or rendered."""
