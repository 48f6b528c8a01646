"""The units of a data set on disk: one scene in several looks, or one sequence.

A unit's manifest is written last: a unit with a manifest and all files in it is complete. Names
follow the RASMD data set, its spelling "croped_data" included::

    <split>/<n>_<weather>/data_<seed>_<place>/croped_data/rgb/rgb_aligned_<look>.png
                                                          swir/swir_original_<look>.png
    sequences/<weather>_<seed>/rgb/000000.png, swir/000000.png, flow/000000.npz

SWIR frames are 16-bit PNG, linear: 65535 is radiance 1.0. A flow file has ``flow`` float16
(H, W, 2), the x, y displacement in pixels to the next frame, and ``seen`` bool (H, W); the last
frame has none.
"""

from __future__ import annotations

import importlib
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.files import write_bytes, write_json, write_picture
from rgb2swir_ros.lab.scenes.contact_sheet import display_picture, flow_picture
from rgb2swir_ros.lab.scenes.materials import MaterialTable
from rgb2swir_ros.lab.scenes.scene import CATEGORIES
from rgb2swir_ros.marks import TOOL, is_ours

if TYPE_CHECKING:
    from rgb2swir_ros.lab.scenes.frames import RenderedFrame

RENDERER = 'rgb2swir_ros.lab.scenes.frames'
RATE_HZ = 15.0  # of sequences
STRIP_FRAMES = 6
SPLITS = ('train', 'validation', 'test')
SHARES = (.80, .08, .12)
# a weather's position here, from 1, is the number in its folder's name; 0 is any other weather
NUMBERED_WEATHERS = ('clear', 'cloudy', 'overcast', 'haze', 'fog', 'wet', 'snow', 'dusk', 'night')


class Renderer(Protocol):
    """Interface of a renderer: a module or object with these two functions."""

    def render_frames(self, seed: int, size: tuple[int, int], looks: int = 4,
                      **table: MaterialTable) -> Sequence[RenderedFrame]:
        """Return one scene in several looks."""

    def render_sequence(self, seed: int, size: tuple[int, int], count: int, *,
                        rate_hz: float = 15.0, still: bool = False,
                        **table: MaterialTable) -> Iterable[RenderedFrame]:
        """Yield the frames of a drive through one scene."""


@dataclass(frozen=True)
class Unit:
    """One scene, or (with a ``length``) one sequence to write.

    :param folder: of the data set.
    :param size: (height, width).
    :param renderer: name of the module to import; a name can be sent to other processes.
    :param materials: a user's file of materials over the package's, or None.
    """

    folder: Path
    seed: int
    size: tuple[int, int]
    looks: int = 0
    length: int = 0
    still: bool = False
    renderer: str = RENDERER
    materials: Path | None = None

    def table(self) -> dict[str, MaterialTable]:
        """Return the renderer's keyword argument for the user's materials, if any."""
        return {} if self.materials is None else {'table': MaterialTable.load(self.materials)}

    @property
    def manifest(self) -> Path:
        """Path of the manifest, which exists once the unit is complete."""
        kind = 'sequence' if self.length else 'scene'
        return self.folder / 'manifests' / f'{kind}_{self.seed}.json'


def split_of(seed: int) -> str:
    """Return the split of a scene: train .80, validation .08, test .12.

    The fractional parts of multiples of the golden ratio are a low-discrepancy (Kronecker)
    sequence: any run of consecutive seeds has these shares to within a scene or two, which a hash
    would not give. The split depends on the seed alone, so scenes keep it when a data set grows.
    """
    phase = (seed + 1) * (math.sqrt(5) - 1) / 2 % 1
    if phase < SHARES[0]:
        return SPLITS[0]
    return SPLITS[1] if phase < SHARES[0] + SHARES[1] else SPLITS[2]


def read_complete(unit: Unit) -> dict[str, Any] | None:
    """Return the unit's manifest if all its files exist with the recorded sizes, else None."""
    try:
        manifest = json.loads(unit.manifest.read_text())
        manifest.pop(TOOL, None)  # the file's own mark
        complete = all((unit.folder / name).stat().st_size == size
                       for name, size in manifest['files'].items())
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return cast('dict[str, Any]', manifest) if complete else None


def changed_files(unit: Unit) -> list[Path]:
    """Return the unit's files that exist but were changed; they are never replaced.

    A file that is missing is no such file. Without a manifest only that itself is known.
    """
    try:
        manifest = json.loads(unit.manifest.read_text())
        names = [unit.folder / name for name in manifest['files']]
    except (OSError, ValueError, KeyError, TypeError):
        names = []
    return [path for path in (unit.manifest, *names) if path.exists() and not is_ours(path)]


def write_unit(unit: Unit) -> dict[str, Any]:
    """Render and write a unit; return its manifest.

    :raises ValueError: if the scene cannot be rendered or a frame is not valid.
    :raises UserError: if a file cannot be written, or the renderer lacks a library.
    """
    try:
        renderer = cast(Renderer, importlib.import_module(unit.renderer))
    except ImportError as error:
        raise UserError(f"scenes cannot be rendered: {error}; pip install 'rgb2swir_ros[train]' "
                        'brings what is missing') from error
    manifest = _write_sequence(unit, renderer) if unit.length else _write_scene(unit, renderer)
    write_json(unit.manifest, manifest)
    return manifest


def _write_scene(unit: Unit, renderer: Renderer) -> dict[str, Any]:
    looks = list(_rendered(lambda: renderer.render_frames(unit.seed, unit.size, looks=unit.looks,
                                                    **unit.table())))
    if len(looks) != unit.looks:
        raise ValueError(f'{len(looks)} looks, not {unit.looks}')
    files: dict[str, int] = {}
    frames = []
    split = split_of(unit.seed)
    for index, frame in enumerate(looks):
        number = _weather_number(frame.weather)
        base = (f'{split}/{number}_{frame.weather}/data_{unit.seed}_{frame.place}/croped_data/')
        frames.append(_write_frame(unit, frame, f'{base}rgb/rgb_aligned_{index:06d}.png',
                                   f'{base}swir/swir_original_{index:06d}.png', files))
    return {'seed': unit.seed, 'split': split, 'frames': frames, 'files': files}


def _weather_number(weather: str) -> int:
    return NUMBERED_WEATHERS.index(weather) + 1 if weather in NUMBERED_WEATHERS else 0


def _write_sequence(unit: Unit, renderer: Renderer) -> dict[str, Any]:
    files: dict[str, int] = {}
    frames = []
    base = ''
    columns: list[np.ndarray] = []
    shown = {int((k + .5) * (unit.length - 1) / STRIP_FRAMES) for k in range(STRIP_FRAMES)}
    drive = _rendered(lambda: renderer.render_sequence(unit.seed, unit.size, unit.length,
                                                       rate_hz=RATE_HZ, still=unit.still,
                                                       **unit.table()))
    for index, frame in enumerate(drive):
        base = base or f'sequences/{frame.weather}_{unit.seed}'
        frames.append(_write_frame(unit, frame, f'{base}/rgb/{index:06d}.png',
                                   f'{base}/swir/{index:06d}.png', files))
        if frame.flow is not None:
            name = f'{base}/flow/{index:06d}.npz'
            frames[-1]['flow'] = name
            files[name] = write_bytes(unit.folder / name, _encode_flow(frame))
        if index in shown:
            rows = [frame.rgb, display_picture(frame.swir)]
            rows.append(np.zeros_like(frame.rgb) if frame.flow is None or frame.seen is None
                        else flow_picture(frame.flow, frame.seen))
            columns.append(np.vstack(rows))
    if len(frames) != unit.length:
        raise ValueError(f'{len(frames)} frames, not {unit.length}')
    files[f'{base}/strip.png'] = write_picture(unit.folder / base / 'strip.png',
                                               np.hstack(columns))
    return {'seed': unit.seed, 'folder': base, 'rate_hz': RATE_HZ, 'still': unit.still,
            'frames': frames, 'files': files}


def _rendered(make: Callable[[], Iterable[RenderedFrame]]) -> Iterator[RenderedFrame]:
    """Yield the renderer's frames; turn a UserError into a failure of this unit alone."""
    try:
        yield from make()
    except UserError as error:
        raise ValueError(str(error)) from error


def _write_frame(unit: Unit, frame: RenderedFrame, rgb: str, swir: str,
                 files: dict[str, int]) -> dict[str, Any]:
    """Write both pictures of a frame; return its entry in the manifest."""
    height, width = unit.size
    if frame.rgb.shape != (height, width, 3) or frame.rgb.dtype != np.uint8:
        raise ValueError(f'{rgb}: RGB is {frame.rgb.shape} {frame.rgb.dtype}')
    if frame.swir.shape != (height, width) or not np.isfinite(frame.swir).all():
        raise ValueError(f'{swir}: SWIR is {frame.swir.shape} or not finite')
    strange = {item.category for item in frame.objects} - {*CATEGORIES}
    if strange:
        raise ValueError(f'{rgb}: objects of the unknown classes {sorted(strange)}')
    coded = np.rint(np.clip(frame.swir, 0, 1) * np.float32(65535)).astype(np.uint16)
    files[rgb] = write_picture(unit.folder / rgb, frame.rgb)
    files[swir] = write_picture(unit.folder / swir, coded)
    return {'rgb': rgb, 'swir': swir, 'place': frame.place, 'weather': frame.weather,
            'objects': [{'category': item.category, 'box': [round(float(v), 2) for v in item.box],
                         'area': round(float(item.area), 2),
                         'visible': round(float(item.visible), 4), 'lost': bool(item.lost)}
                        for item in frame.objects]}


def _encode_flow(frame: RenderedFrame) -> bytes:
    if frame.flow is None or frame.seen is None:
        raise ValueError('a frame with flow must have a mask of the points that are seen again')
    limit = float(np.finfo(np.float16).max)
    flow = np.clip(np.nan_to_num(frame.flow), -limit, limit).astype(np.float16)
    buffer = io.BytesIO()  # np.savez writes no time stamps: same seed, same bytes
    np.savez_compressed(buffer, flow=flow, seen=frame.seen.astype(np.bool_))
    return buffer.getvalue()
