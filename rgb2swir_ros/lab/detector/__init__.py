"""The detector that judges: its training, its model folder, ONNX in and out."""
