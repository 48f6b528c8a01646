"""A SWIR camera in software: RGB camera topics in, synthetic SWIR topics out."""
