"""The rclpy node: RGB cameras in, SWIR cameras out. The network runs in a separate process.

``main`` is the executable and ``node`` the lifecycle node. ``camera`` (with ``mailbox``,
``outputs``, ``sequence_numbers``, ``inputs``) handles one camera, ``worker`` is the thread that
translates, ``diagnostics`` and ``timing`` make the reports. ``parameters`` is the table that
``declaration`` declares in rclpy and ``launching`` turns into launch arguments. ``transport``
finds the Fast DDS profiles.
"""
