"""The SWIR detector of the evaluation: network, training, model folder, ONNX."""
