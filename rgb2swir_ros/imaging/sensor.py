"""The virtual SWIR camera: radiance in, the values that its driver would publish out.

The steps are exposure, the fixed pattern, shot noise of whole electrons, read noise, saturation of
the full well, gain, dead pixels, a tone curve (``mono8``) and quantisation. Radiance is linear:
1.0 is a white surface under the scene's main light, and at exposure 1 it fills the well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rgb2swir_ros.checked import ANY, within
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.imaging.draws import seeded_generator
from rgb2swir_ros.imaging.errors import ImageError
from rgb2swir_ros.imaging.fit import Crop, PixelTransform, fit_size
from rgb2swir_ros.imaging.resize import resize
from rgb2swir_ros.luma import DISPLAY_GAMMA
from rgb2swir_ros.sizes import SMALLEST_SIDE

GEOMETRIES = ('fit', 'pad', 'crop', 'stretch')
# Below this read noise the Poisson distribution is not nearly normal; see VirtualSensor._expose.
GAUSSIAN_READ_NOISE_E = 8.0


@dataclass(frozen=True)
class SensorSettings:
    """Settings of a virtual SWIR camera.

    :param encoding: ``mono8`` or ``mono16``.
    :param gamma: tone curve of ``mono8``: value = light ** (1 / gamma). ``mono16`` is linear.
    :param exposure: factor on the light before the well, greater than 0: exposure time and
        aperture in one.
    :param gain: factor on the signal behind the well, greater than 0: it raises the noise, too.
    :param bits: significant bits of ``mono16``: 8, 10, 12, 14 or 16. ``mono8`` has 8.
    :param left_shift: bits by which ``mono16`` values are shifted left (some drivers align 12
        bits to the left, by 4); bits + left_shift is at most 16.
    :param output_size: (height, width) of the camera; None keeps the radiance's own.
    :param geometry: how radiance of another aspect ratio is mapped to ``output_size``: ``fit``
        keeps the whole field of view, scaled down to fit inside (one side may be shorter, nothing
        is scaled up or padded); ``pad`` does the same and lays it in the middle of a frame of
        that size, whose margin gets no light; ``crop`` fills it with the centre and cuts two
        opposite sides; ``stretch`` fills it with the whole view and changes the aspect ratio.
    :param noise: whether shot and read noise are added.
    :param full_well_e: full-well capacity in electrons.
    :param read_noise_e: standard deviation of the read noise in electrons.
    :param prnu: photo response non-uniformity: deviation of the pixels' response, as a share.
    :param dsnu_e: dark signal non-uniformity: deviation of the pixels' offsets in electrons.
    :param dead_pixels: share of the pixels that are stuck, half of them black, half white.
    :param dead_columns: how many columns are black.
    :param seed: of the noise; the same seed, camera and stamp give the same noise. The fixed
        pattern and what is dead depend on seed and camera alone.
    :raises UserError: if a value is outside its range.
    """

    encoding: str = 'mono8'
    gamma: float = DISPLAY_GAMMA
    exposure: float = 1.0
    gain: float = 1.0
    bits: int = 16
    left_shift: int = within(0, 8, 0)
    output_size: tuple[int, int] | None = None
    geometry: str = 'fit'
    noise: bool = False
    full_well_e: float = 120_000.0
    read_noise_e: float = 150.0
    prnu: float = 0.0
    dsnu_e: float = 0.0
    dead_pixels: float = 0.0
    dead_columns: int = within(0, 65535, 0)
    seed: int = within(*ANY, 0)

    def __post_init__(self) -> None:
        """Check the values.

        :raises UserError: naming the first that is outside its range.
        """
        _require(self.encoding in {'mono8', 'mono16'}, 'encoding', self.encoding,
                 'mono8 or mono16')
        for name, most in (('gamma', 10), ('exposure', 1e6), ('gain', 1e6),
                           ('full_well_e', 1e9)):
            value = getattr(self, name)
            _require(_number(value) and 0 < value <= most, name, value,
                     f'a number greater than 0, at most {most:g}')
        for name, most in (('read_noise_e', 1e9), ('prnu', 1), ('dsnu_e', 1e9),
                           ('dead_pixels', 1)):
            value = getattr(self, name)
            _require(_number(value) and 0 <= value <= most, name, value,
                     f'a number, 0 to {most:g}')
        _require(type(self.dead_columns) is int and self.dead_columns >= 0, 'dead_columns',
                 self.dead_columns, 'an integer, at least 0')
        _require(isinstance(self.seed, int), 'seed', self.seed, 'an integer')
        _require(isinstance(self.bits, int) and self.bits in {8, 10, 12, 14, 16}, 'bits',
                 self.bits, '8, 10, 12, 14 or 16')
        room = 16 - self.bits if self.encoding == 'mono16' else 0
        _require(isinstance(self.left_shift, int) and 0 <= self.left_shift <= room, 'left_shift',
                 self.left_shift, f'an integer, 0 to {room}, with {self.encoding} of '
                 f'{16 - room if self.encoding == "mono16" else 8} bits')
        _require(self.geometry in GEOMETRIES, 'geometry', self.geometry,
                 'fit, pad, crop or stretch')
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
        self._chips: dict[tuple[str, tuple[int, ...]], _Chip] = {}

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
        self._chip(camera, light.shape).break_pixels(light)
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
        if self._is_padded():
            lit = self._lit(source)
            return PixelTransform.resize(source, (int(lit.height), int(lit.width))).then(
                PixelTransform(offset_x=lit.left, offset_y=lit.top))
        return PixelTransform.resize(source, self.output_size(source), self.crop(source))

    def _frame(self, radiance: np.ndarray) -> np.ndarray:
        """Crop and resize in linear light, where the mean over an area is a pixel's exposure."""
        if self._is_padded():
            lit = self._lit(radiance.shape)
            top, left, height, width = (int(x) for x in (lit.top, lit.left, lit.height, lit.width))
            frame = np.zeros(self.output_size(radiance.shape), np.float32)
            frame[top:top + height, left:left + width] = resize(radiance, (height, width))
            return frame
        crop = self.crop(radiance.shape)
        rows = slice(int(crop.top), int(crop.top + crop.height))
        columns = slice(int(crop.left), int(crop.left + crop.width))
        return resize(radiance[rows, columns], self.output_size(radiance.shape))

    def _is_padded(self) -> bool:
        return self.settings.geometry == 'pad' and self.settings.output_size is not None

    def _lit(self, source: tuple[int, ...]) -> Crop:
        """Return the part of a padded frame that the picture lies in."""
        size = self.output_size((source[0], source[1]))
        height, width = fit_size((source[0], source[1]), size)
        return Crop((size[0] - height) // 2, (size[1] - width) // 2, height, width)

    def _chip(self, camera: str, shape: tuple[int, ...]) -> _Chip:
        """Return the fixed pattern of a camera's sensor, drawn when it is first needed."""
        if (camera, shape) not in self._chips:
            self._chips[camera, shape] = _Chip(self.settings, camera, shape)
        return self._chips[camera, shape]

    def _expose(self, radiance: np.ndarray, camera: str, stamp_ns: int) -> np.ndarray:
        """Return light as a share of the full well, in [0, 1], as a new array.

        Electrons N = exposure * radiance * full well have the variance N of a Poisson process; the
        read noise r adds r**2. One normal draw of the summed variance serves both: the skewness
        that it lacks, N / (N + r**2) ** 1.5, is at most .385 / r, so .02 for the quietest preset.
        Where r is smaller than 8 electrons the Poisson number is drawn itself.
        """
        settings = self.settings
        with np.errstate(over='ignore'):  # an overflow saturates like all values above 1
            light = np.multiply(radiance, np.float32(settings.exposure), dtype=np.float32)
        self._chip(camera, light.shape).add_pattern(light)
        if settings.noise:
            well, read = np.float32(settings.full_well_e), np.float32(settings.read_noise_e)
            random = seeded_generator(settings.seed, stamp_ns, camera)
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
        if settings.gain != 1:
            np.clip(light, 0, 1, out=light)
            light *= np.float32(settings.gain)
        return np.clip(light, 0, 1, out=light)


class _Chip:
    """What the pixels of one camera's sensor have of their own, whatever it looks at."""

    def __init__(self, settings: SensorSettings, camera: str, shape: tuple[int, ...]) -> None:
        """Draw it from seed and camera.

        :param shape: (height, width) of the frames.
        """
        random = seeded_generator(settings.seed, 'chip', camera)
        response, offset, rank = (
            random.standard_normal(shape, np.float32) if part else None
            for part in (settings.prnu, settings.dsnu_e, settings.dead_pixels))
        self._response = None if response is None else (
            1 + np.float32(settings.prnu) * response)
        self._offset = None if offset is None else (
            np.float32(settings.dsnu_e / settings.full_well_e) * offset)
        dead: np.ndarray = np.zeros(0, np.intp)
        if rank is not None:
            count = round(settings.dead_pixels * rank.size)
            dead = np.argsort(rank, axis=None, kind='stable')[:count]
        self._black, self._white = dead[::2], dead[1::2]
        self._columns = random.permutation(shape[1])[:settings.dead_columns]

    def add_pattern(self, light: np.ndarray) -> None:
        """Apply the pixels' response and offset to light, a share of the well, in place."""
        if self._response is not None:
            light *= self._response
        if self._offset is not None:
            light += self._offset

    def break_pixels(self, light: np.ndarray) -> None:
        """Put in what dead pixels and columns show, in place."""
        light.flat[self._black], light.flat[self._white] = 0, 1
        if self._columns.size:
            light[:, self._columns] = 0


def _quantise(light: np.ndarray, top: int) -> np.ndarray:
    """Return round(light * top) as uint16; the light is overwritten."""
    light *= np.float32(top)
    light += np.float32(0.5)
    return light.astype(np.uint16)
