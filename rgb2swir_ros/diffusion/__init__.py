"""The probability path, the samplers and the losses. Imports `rgb2swir_ros.nets` only."""
