"""The error for an image that cannot be used."""

from __future__ import annotations


class ImageError(Exception):
    """An image (or its CameraInfo) cannot be used; the frame is refused and counted by reason.

    :param reason: a short snake_case key, like ``wrong_length``, by which the status counts.
    :param text: what is wrong, with the offending value, and the remedy where there is one.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
