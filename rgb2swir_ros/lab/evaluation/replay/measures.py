"""The names, units and meanings of the figures of a replay's judgement."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A figure.

    :param title: for a person; ``unit``: of the figure, a word where it has no dimension.
    :param better: ``higher``, ``lower`` or '' where neither is better by itself.
    :param note: what it is.
    """

    title: str
    unit: str
    better: str
    note: str


SQRT = 'of square-root radiance in [0, 1]'
MEASURES: dict[str, Measure] = {
    'psnr_db': Measure('PSNR', 'dB', 'higher', f'{SQRT}, mean over frames; as stored, so it '
                       'counts a real camera\'s exposure as an error'),
    'ssim': Measure('SSIM', 'index', 'higher', f'{SQRT}, windows of 11x11 pixels; as stored'),
    'psnr_curve_db': Measure('PSNR after one curve', 'dB', 'higher', 'after the one monotone '
                             'curve that fits the recording best: free of exposure and tone'),
    'ssim_curve': Measure('SSIM after one curve', 'index', 'higher', 'after the same curve'),
    'order': Measure('order of brightness', 'correlation', 'higher', 'Spearman\'s rank '
                     'correlation with true SWIR over all pixels'),
    'order_below': Measure('order below the horizon', 'correlation', 'higher',
                           'the same below the horizon'),
    'order_coarse': Measure('coarse order', 'correlation', 'higher', 'rank correlation of '
                            'what is coarser than 1/32 of the width: materials rather than edges'),
    'order_coarse_below': Measure('coarse order below the horizon', 'correlation', 'higher',
                                  'rank correlation with true SWIR of what is coarser than 1/32 '
                                  'of the width, below the horizon'),
    'edges_true': Measure('edges agree with true SWIR', 'correlation', 'higher',
                          'mean correlation of gradients in tiles with texture, within 8 pixels; '
                          'blur lowers it'),
    'frechet': Measure('Frechet distance', 'squared distance', 'lower', 'of the detector\'s '
                       'features, true against translated frames; not FID, which is of '
                       'Inception\'s'),
    'map': Measure('mAP', 'AP', 'higher', 'COCO mAP of the detector\'s boxes against the labels, '
                   'IoU .50 to .95'),
    'map50': Measure('mAP at IoU .50', 'AP', 'higher', 'the same at IoU .50'),
    'map_small': Measure('mAP, small', 'AP', 'higher', 'objects below 32x32 pixels'),
    'map_medium': Measure('mAP, medium', 'AP', 'higher', 'objects from 32x32 and below 96x96'),
    'map_large': Measure('mAP, large', 'AP', 'higher', 'objects from 96x96 pixels'),
    'agreement_map': Measure('agreement mAP', 'AP', '', 'agreement, not truth: COCO mAP of '
                             'boxes in SWIR against the detector\'s own boxes in the grey-scale '
                             'source; a model that shows more than the source loses by it'),
    'agreement_map50': Measure('agreement mAP at IoU .50', 'AP', '', 'the same at IoU .50'),
    'agreement_map_small': Measure('agreement mAP, small', 'AP', '', 'objects below 32x32 pixels'),
    'agreement_map_medium': Measure('agreement mAP, medium', 'AP', '', 'from 32x32, below 96x96'),
    'agreement_map_large': Measure('agreement mAP, large', 'AP', '', 'from 96x96 pixels'),
    'edges_source': Measure('edges agree with the source', 'correlation', 'higher',
                            'mean correlation of gradients in tiles with texture, within 8 '
                            'pixels, with the source as grey-scale; blur lowers it'),
    'warp_error': Measure('warp error', 'square-root radiance', 'lower', 'mean change to the '
                          'next frame along the source\'s estimated flow'),
    'warp_ratio': Measure('warp error over the source\'s', 'ratio', 'lower', 'above 1: it changes '
                          'more than the source as grey-scale does'),
    'flicker': Measure('flicker', 'square-root radiance', 'lower', 'mean change to the next '
                       'frame where the source rests'),
    'flicker_ratio': Measure('flicker over the source\'s', 'ratio', 'lower', 'over the source\'s '
                             'change in the same places, which is mostly its noise'),
    'radiance_mean': Measure('mean radiance', 'radiance', '', 'of the SWIR frames; 1 is white'),
    'black': Measure('pixels at the lowest level', 'share', '', 'of all pixels'),
    'white': Measure('pixels at the highest level', 'share', '', 'of all pixels: saturated'),
    'noise': Measure('noise', 'radiance', '', 'deviation of radiance in the flattest tiles'),
    'noise_ratio': Measure('noise over the preset\'s', 'ratio', '', 'over the shot, read and '
                           'quantisation noise that the sensor preset has at these levels'),
    'input_novelty': Measure('novelty of the input', 'log-odds', 'lower', 'that the frame is '
                             'unlike what the model knows; above 0 it is over the threshold'),
    'input_known': Measure('input within the threshold', 'share', 'higher', 'of the frames'),
}
TIMES: dict[str, Measure] = {
    'mean_frame_rate': Measure('mean frame rate', 'Hz', 'higher', 'frames over the wall time of '
                               'the replay, without the opening of engines'),
    'missed': Measure('missed frames', 'frames', 'lower',
                      'frames of the source without a SWIR frame'),
    **{f'{name}_latency_ms': Measure(f'{name} latency', 'ms', 'lower', 'of a frame in the '
                                     'translator, as the replay recorded it')
       for name in ('mean', 'p50', 'p95', 'p99', 'max')},
}
KNOWN = MEASURES | TIMES
UNITS = {name: measure.unit for name, measure in KNOWN.items()}
