"""The node: cameras in, SWIR cameras out, on rclpy; the network runs in a process of its own.

``main`` is the executable and ``node`` its lifecycle. ``camera`` (with ``mailbox``, ``outputs``,
``losses``, ``inputs``) is one camera, ``worker`` the thread that translates, ``diagnostics`` and
``timing`` what is reported. ``parameters`` is the table that ``declaration`` gives to rclpy and
``launching`` to the launch file. ``transport`` finds the Fast DDS profiles.
"""
