"""The virtual SWIR camera: radiance in, the values that its driver would publish out.

The steps are exposure (gain), shot noise of whole electrons, read noise, saturation of the full
well, a tone curve (``mono8``) and quantisation. Radiance is linear: 1.0 is a white surface under
the scene's main light, and at gain 1 it fills the well.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.checked import ANY, within
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.fit import Crop, PixelTransform, fit_size
from rgb2swir_ros.imaging.resize import resize
from rgb2swir_ros.sizes import SMALLEST_SIDE

# Below this read noise the Poisson distribution is not nearly normal; see VirtualSensor._expose.
GAUSSIAN_READ_NOISE_E = 8.0


@dataclass(frozen=True)
class SensorSettings:
    """Settings of a virtual SWIR camera.

    :param encoding: ``mono8`` or ``mono16``.
    :param gamma: tone curve of ``mono8``: value = light ** (1 / gamma). ``mono16`` is linear.
    :param gain: factor on the light, greater than 0: exposure time and aperture in one.
    :param bits: significant bits of ``mono16``: 8, 10, 12, 14 or 16. ``mono8`` has 8.
    :param left_shift: bits by which ``mono16`` values are shifted left (some drivers align 12
        bits to the left, by 4); bits + left_shift is at most 16.
    :param output_size: (height, width) of the camera; None keeps the radiance's own.
    :param geometry: how radiance of another aspect ratio is mapped to ``output_size``: ``fit``
        keeps the whole field of view, scaled down to fit inside (one side may be shorter, nothing
        is scaled up or padded); ``crop`` fills it with the centre and cuts two opposite sides;
        ``stretch`` fills it with the whole view and changes the aspect ratio.
    :param noise: whether shot and read noise are added.
    :param full_well_e: full-well capacity in electrons.
    :param read_noise_e: standard deviation of the read noise in electrons.
    :param seed: of the noise; the same seed, camera and stamp give the same noise.
    :raises UserError: if a value is outside its range.
    """

    encoding: str = 'mono8'
    gamma: float = 2.2
    gain: float = 1.0
    bits: int = 16
    left_shift: int = within(0, 8, 0)
    output_size: tuple[int, int] | None = None
    geometry: str = 'fit'
    noise: bool = False
    full_well_e: float = 120_000.0
    read_noise_e: float = 150.0
    seed: int = within(*ANY, 0)

    def __post_init__(self) -> None:
        """Check the values.

        :raises UserError: naming the first that is outside its range.
        """
        _require(self.encoding in {'mono8', 'mono16'}, 'encoding', self.encoding,
                 'mono8 or mono16')
        for name, most in (('gamma', 10), ('gain', 1e6), ('full_well_e', 1e9)):
            value = getattr(self, name)
            _require(_number(value) and 0 < value <= most, name, value,
                     f'a number greater than 0, at most {most:g}')
        _require(_number(self.read_noise_e) and 0 <= self.read_noise_e <= 1e9, 'read_noise_e',
                 self.read_noise_e, 'a number, 0 to 1e9')
        _require(isinstance(self.seed, int), 'seed', self.seed, 'an integer')
        _require(isinstance(self.bits, int) and self.bits in {8, 10, 12, 14, 16}, 'bits',
                 self.bits, '8, 10, 12, 14 or 16')
        room = 16 - self.bits if self.encoding == 'mono16' else 0
        _require(isinstance(self.left_shift, int) and 0 <= self.left_shift <= room, 'left_shift',
                 self.left_shift, f'an integer, 0 to {room}, with {self.encoding} of '
                 f'{16 - room if self.encoding == "mono16" else 8} bits')
        _require(self.geometry in {'fit', 'crop', 'stretch'}, 'geometry', self.geometry,
                 'fit, crop or stretch')
        size = self.output_size
        _require(size is None or (len(size) == 2 and min(size) >= SMALLEST_SIDE), 'output_size',
                 size, 'None or (height, width) of at least 16 each')


def _number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _require(holds: bool, name: str, value: object, wanted: str) -> None:
    if not holds:
        raise UserError(f"the sensor's {name} is {value!r}; it must be {wanted}")


class VirtualSensor:
    """A model of a SWIR camera; each call makes one frame.

    The same settings, radiance, camera and stamp give the same frame bit for bit, in any order of
    calls (with noise: on one version of numpy, whose draws may change between versions).
    """

    def __init__(self, settings: SensorSettings) -> None:
        """Compute the lookup table of the tone curve.

        :param settings: checked by their own class.
        """
        self.settings = settings
        # The table is indexed by the square root of light: 65536 equal steps of light would skip
        # the darkest level, where the curve is steep; equal steps of the root are at most .01 of
        # a level apart at gamma 2.2. A table gives the same bits on every processor, a power does
        # not.
        root = np.arange(65536) / 65535
        self._curve = np.rint(255 * root ** (2 / settings.gamma)).astype(np.uint8)

    def __call__(self, radiance: np.ndarray, camera: str = '', stamp_ns: int = 0) -> np.ndarray:
        """Return one frame.

        :param radiance: float32 (H, W), linear light; values outside [0, 1] after gain and noise
            saturate.
        :param camera: name of the camera, part of the noise's seed.
        :param stamp_ns: the frame's stamp, part of the noise's seed.
        :return: uint8 or uint16 (h, w) of ``output_size(radiance.shape)``.
        :raises ImageError: ``bad_radiance`` if it is no float32 (H, W) or not finite.
        """
        if radiance.ndim != 2 or radiance.dtype != np.float32 or radiance.size == 0:
            raise ImageError('bad_radiance', 'radiance must be float32 (H, W), got '
                             f'{radiance.dtype} of shape {radiance.shape}')
        if not np.isfinite(radiance).all():
            raise ImageError('bad_radiance', 'radiance has values that are not finite: the '
                             'engine that made it is broken')
        light = self._expose(self._frame(radiance), camera, stamp_ns)
        if self.settings.encoding == 'mono8':
            np.sqrt(light, out=light)
            return self._curve.take(_quantise(light, 65535))
        return _quantise(light, (1 << self.settings.bits) - 1) << self.settings.left_shift

    def output_size(self, source: tuple[int, int]) -> tuple[int, int]:
        """Return the frame's (height, width) for radiance of (height, width) ``source``."""
        size = self.settings.output_size
        if size is None:
            return source
        return fit_size(source, size) if self.settings.geometry == 'fit' else size

    def crop(self, source: tuple[int, int]) -> Crop:
        """Return the part of the radiance that is in the frame, in whole pixels."""
        size, (height, width) = self.settings.output_size, source
        if size is None or self.settings.geometry != 'crop':
            return Crop(0, 0, height, width)
        if width * size[0] > height * size[1]:
            kept = height, max(1, round(height * size[1] / size[0]))
        else:
            kept = max(1, round(width * size[0] / size[1])), width
        return Crop((height - kept[0]) // 2, (width - kept[1]) // 2, *kept)

    def transform(self, source: tuple[int, int]) -> PixelTransform:
        """Return the transform from pixels of radiance, (height, width), to the frame's."""
        return PixelTransform.resize(source, self.output_size(source), self.crop(source))

    def _frame(self, radiance: np.ndarray) -> np.ndarray:
        """Crop and resize in linear light, where the mean over an area is a pixel's exposure."""
        crop = self.crop(radiance.shape)
        rows = slice(int(crop.top), int(crop.top + crop.height))
        columns = slice(int(crop.left), int(crop.left + crop.width))
        return resize(radiance[rows, columns], self.output_size(radiance.shape))

    def _expose(self, radiance: np.ndarray, camera: str, stamp_ns: int) -> np.ndarray:
        """Return light as a share of the full well, in [0, 1], as a new array.

        Electrons N = gain * radiance * full well have the variance N of a Poisson process; the
        read noise r adds r**2. One normal draw of the summed variance serves both: the skewness
        that it lacks, N / (N + r**2) ** 1.5, is at most .385 / r, so .02 for the quietest preset.
        Where r is smaller than 8 electrons the Poisson number is drawn itself.
        """
        settings = self.settings
        with np.errstate(over='ignore'):  # an overflow saturates like all values above 1
            light = np.multiply(radiance, np.float32(settings.gain), dtype=np.float32)
        if settings.noise:
            well, read = np.float32(settings.full_well_e), np.float32(settings.read_noise_e)
            random = _generator(settings.seed, camera, stamp_ns)
            noise = random.standard_normal(light.shape, dtype=np.float32)
            electrons = np.clip(light, 0, 1e6, out=light)  # larger values would overflow poisson
            electrons *= well
            if read < GAUSSIAN_READ_NOISE_E:
                noise *= read
                electrons = random.poisson(electrons).astype(np.float32)
            else:
                noise *= np.sqrt(electrons + read * read)
            light = np.add(electrons, noise, out=noise)
            light /= well
        return np.clip(light, 0, 1, out=light)


def _quantise(light: np.ndarray, top: int) -> np.ndarray:
    """Return round(light * top) as uint16; the light is overwritten."""
    light *= np.float32(top)
    light += np.float32(0.5)
    return light.astype(np.uint16)


def _generator(seed: int, camera: str, stamp_ns: int) -> np.random.Generator:
    """Return the generator of one frame's noise, independent of arrival order and process.

    Its seed is a BLAKE2 hash of the three, because Python's own hash differs between processes.
    """
    digest = hashlib.blake2b(f'{seed}/{stamp_ns}/{camera}'.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.SFC64(int.from_bytes(digest, 'little')))
