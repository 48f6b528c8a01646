"""Recordings as they lie on disk: every storage read through one small interface.

A storage lists its connections and yields their messages, serialized as they were recorded, in
the order of their record times. It never writes beside or into a recording. What cannot be read is
told in words; all else is yielded.
"""
