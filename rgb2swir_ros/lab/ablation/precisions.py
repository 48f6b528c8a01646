"""mAP of a row: of all objects, and of those whose contrast in SWIR differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rgb2swir_ros.lab.detector.decode import Detections
from rgb2swir_ros.lab.evaluation.comparison import MEASURES
from rgb2swir_ros.lab.evaluation.detection import Precisions, draw_precisions
from rgb2swir_ros.lab.evaluation.intervals import Figure, figure
from rgb2swir_ros.lab.scenes.annotations import AnnotatedFrame

CONTRAST = 'contrast'  # the name of the measure of objects whose contrast differs


@dataclass(frozen=True)
class RowPrecisions:
    """The precisions of a row's detections.

    :param everything: of all objects.
    :param contrast: of those whose contrast differs; None if there are none.
    """

    everything: Precisions
    contrast: Precisions | None

    def figures(self) -> dict[str, Figure]:
        """Return mAP of each of `MEASURES`, and of `CONTRAST`."""
        found = {name: figure(*self.everything.mean(area, thresholds))
                 for name, (area, thresholds) in MEASURES.items()}
        if self.contrast is not None:
            found[CONTRAST] = figure(*self.contrast.mean(*MEASURES['map']))
        return found

    def compared(self, other: RowPrecisions,
                 measure: Callable[[Precisions, Precisions], dict[str, Figure]]
                 ) -> dict[str, Figure]:
        """Return how each measure compares with another row's.

        :param measure: `rgb2swir_ros.lab.evaluation.comparison.ratios` or ``differences``.
        """
        found = dict(measure(self.everything, other.everything))
        if self.contrast is not None and other.contrast is not None:
            found[CONTRAST] = measure(self.contrast, other.contrast)['map']
        return found


def draw_row(frames: Sequence[AnnotatedFrame], contrast_frames: Sequence[AnnotatedFrame],
             found: Sequence[Detections], classes: Sequence[str], resamples: int) -> RowPrecisions:
    """Return the precisions of the detections in some frames.

    :param contrast_frames: the same frames, in which only objects whose contrast differs count.
    """
    def draw(of: Sequence[AnnotatedFrame]) -> Precisions:
        return draw_precisions(of, found, classes, resamples=resamples)

    differs = any((~frame.ignored).any() for frame in contrast_frames)
    return RowPrecisions(draw(frames), draw(contrast_frames) if differs else None)
