"""Simple paired scenes: what an RGB camera and a SWIR camera at the same place would see.

Layouts of flat materials with measured band reflectances under varied light and a varied camera.
They are the training data of the first weights, not a physical renderer.
"""
