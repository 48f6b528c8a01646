"""Pixels: what lies between the bytes of a message and an array, and back; no ROS, no torch.

``raw`` and ``compressed`` turn the fields of an image message into RGB and arrays into fields
(duck-typed, so that bags and tests need no ROS). ``fit`` keeps geometry and intrinsics together:
sizes, crops, the pixel transform, ``CameraInfo``. ``sensor`` is the virtual SWIR camera that turns
radiance into the numbers a driver would publish, with its ``presets`` in ``config/sensors.yaml``.
Whatever is wrong with an image is an ``errors.ImageError`` with a reason to count.
"""
