"""Differences between the supported versions of OpenCV, 4.6 to 5."""

from __future__ import annotations

import cv2

SILENT = 0  # cv::utils::logging::LOG_LEVEL_SILENT


def silence() -> None:
    """Keep OpenCV from printing to stderr; its functions still report errors to their callers.

    OpenCV 4 has the setter in ``cv2``, OpenCV 5 in ``cv2.utils.logging`` (opencv#27812).
    """
    if setter := getattr(cv2, 'setLogLevel', None):
        setter(SILENT)
        return
    cv2.utils.logging.setLogLevel(SILENT)
