"""Recordings on disk: every storage is read through one small interface.

A storage lists its connections and yields their messages, serialized as they were recorded, in
the order of their record times. It never writes into or beside a recording. It reports what it
cannot read, and yields everything else.
"""
