"""The responder ``detector`` of ``rgb2swir hil``: the laboratory's detector on the bench."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.detections import DetectionResponder
from rgb2swir_ros.lab.detector.model import load_detector
from rgb2swir_ros.resources import model_directory

OPTIONS = ('model', 'bits')


class DetectorResponder(DetectionResponder):
    """Answers with what the package's detector finds.

    Options: ``model``, name or folder of the detector; ``bits`` of ``mono16`` values (12).
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Load the detector.

        :raises UserError: if an option is wrong or there is no such detector.
        """
        for key in options:
            if key not in OPTIONS:
                raise UserError(f"the responder 'detector' has no option '{key}': known are "
                                f"{', '.join(OPTIONS)}")
        super().__init__(load_detector(model_directory(options.get('model', 'detector'))),
                         options.get('bits', 12))
