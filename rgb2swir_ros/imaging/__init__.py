"""Conversion of image messages to arrays and back, geometry, virtual sensor. No ROS, no torch.

``raw`` and ``compressed`` turn the fields of an image message into RGB and arrays into fields
(duck-typed, so that bags and tests need no ROS). ``fit`` handles geometry and intrinsics: sizes,
crops, the pixel transform, ``CameraInfo``. ``sensor`` is the virtual SWIR camera that turns
radiance into the values a driver would publish; its ``presets`` are in ``config/sensors.yaml``.
An image that cannot be used raises ``errors.ImageError`` with a reason, by which it is counted.
"""
