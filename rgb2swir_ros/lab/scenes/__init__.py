"""Rendered scenes: pairs of RGB and SWIR frames with boxes, material maps and optical flow.

Road scenes are drawn at random, ray-cast and shaded with band reflectances under varied light and
weather, and photographed by a varied camera. Materials are measured where possible; light
transport is approximate.
"""
