"""The faults of a scenario: each an entry of a phase, checked with the fields of its own kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from rgb2swir_ros.checked import LocatedMapping, Place, build, known_entries, within
from rgb2swir_ros.errors import UserError
from rgb2swir_ros.hil.faults import HOST, Fault, fault_kinds
from rgb2swir_ros.hil.sections import NAME, SECOND_NS, PlannedFault

LONGEST_S = 7 * 86400.0
ROUNDING_NS = 1000  # between the sum of two times and a third one, of numbers of seconds
TIMED = ('kind', 'name', 'camera', 'point', 'start_s', 'end_s', 'intensity', 'recovery_frames')


@dataclass(frozen=True)
class _Timed:
    """What every fault has in a scenario, whatever its kind."""

    kind: str
    name: str = ''
    camera: str = ''
    point: str = ''
    start_s: float = within(0, LONGEST_S, 0.0)
    end_s: float = within(0, LONGEST_S, LONGEST_S)
    recovery_frames: int = within(0, 100_000, 2)


def parse_faults(items: Any, where: Place, *, cameras: Sequence[str], start_ns: int,
                 end_ns: int, phase: str = '', stepped: bool = False,
                 names: set[str] | None = None) -> list[PlannedFault]:
    """Return the faults of a list, as a phase has it; also of one that is given at run time.

    :param start_ns: the beginning of the phase; the faults' times count from here.
    :param end_ns: the phase's end, and theirs at the latest.
    :param names: that other lists have given to their faults; gets those of this one.
    :raises UserError: naming the first mistake.
    """
    names = set() if names is None else names
    if not isinstance(items, list):
        raise UserError(f'{where} must be a list of faults, not {items!r}')
    kinds = fault_kinds()
    return [_fault(item, replace(where, line=getattr(item, 'line', where.line),
                                 keys=(*where.keys[:-1], f'{where.keys[-1]}[{number}]')),
                   kinds, cameras, start_ns, end_ns, phase, stepped, names)
            for number, item in enumerate(items)]


def _fault(item: Any, here: Place, kinds: dict[str, type[Fault]], cameras: Sequence[str],
           start_ns: int, end_ns: int, phase: str, stepped: bool, names: set[str]) -> PlannedFault:
    if not isinstance(item, dict):
        raise UserError(f'{here} must be a mapping, not {item!r}')
    kind = kinds.get(str(item.get('kind', '')))
    if kind is None:
        raise UserError(f"{here.entry(item, 'kind')} is {item.get('kind')!r}, but must be one of "
                        f"{', '.join(kinds)}")
    timed = build(_Timed, chosen(item, [one.name for one in fields(_Timed)]), here)
    own = chosen(item, [key for key in item if key not in TIMED])
    known_entries(own, here, [*(one.name for one in fields(kind)), *TIMED])
    fault = build(kind, own, here)
    point = timed.point or kind.points[0]
    require(point in kind.points, here, item, 'point', point, ', '.join(kind.points))
    require(timed.camera in ('', *cameras), here, item, 'camera', timed.camera,
             f"one of {', '.join(cameras)}")
    require(not stepped or point != HOST, here, item, 'kind', timed.kind, 'no fault of the '
             'machine, since stepped runs must be the same twice; use the wall clock')
    if 'name' in item:
        require(NAME.fullmatch(timed.name) and timed.name not in names, here, item, 'name',
                timed.name, 'a word of its own')
        names.add(timed.name)
    start, end = _times(timed, item, here, start_ns, end_ns)
    return PlannedFault(
        name=timed.name or timed.kind, fault=fault, point=point, camera=timed.camera,
        start_ns=start, end_ns=end, intensity=_intensity(item, here), phase=phase,
        recovery_frames=timed.recovery_frames)


def _times(timed: _Timed, item: Any, here: Place, start_ns: int, end_ns: int) -> tuple[int, int]:
    """Return start and end of a fault; what is given must lie within its phase."""
    longest = end_ns - start_ns
    start, end = nanoseconds(timed.start_s), longest
    require(start < longest, here, item, 'start_s', timed.start_s, 'before the end of its phase, '
            f'which takes {longest / SECOND_NS:g} s: times count from its beginning')
    if 'end_s' in item:
        end = nanoseconds(timed.end_s)
        require(start < end, here, item, 'end_s', timed.end_s,
                f'after the start of the fault, {timed.start_s:g}')
        require(end <= longest + ROUNDING_NS, here, item, 'end_s', timed.end_s, 'at most '
                f'{longest / SECOND_NS:g}, the end of its phase: times count from its beginning')
    return start_ns + start, start_ns + min(end, longest)


def _intensity(item: Any, here: Place) -> tuple[float, float]:
    """Return the intensity at the start and at the end."""
    given = item.get('intensity', 1.0)
    pair = given if isinstance(given, list) else [given, given]
    fits = len(pair) == 2 and all(
        isinstance(one, int | float) and not isinstance(one, bool) and 0 <= one <= 1
        for one in pair)
    require(fits, here, item, 'intensity', given, 'a number from 0 to 1, or two of them: at the '
             'start and at the end')
    return float(pair[0]), float(pair[1])


def named_apart(faults: Sequence[PlannedFault], taken: Sequence[str] = ()) -> tuple[
        PlannedFault, ...]:
    """Return the faults with a number behind names that occur again."""
    names = list(taken)
    kept = []
    for fault in faults:
        name, number = fault.name, 1
        while name in names:
            number += 1
            name = f'{fault.name}_{number}'
        names.append(name)
        kept.append(replace(fault, name=name))
    return tuple(kept)


def require(holds: object, where: Place, mapping: Any, key: str, value: object,
             wanted: str) -> None:
    """Raise UserError unless a condition holds, naming the value and what it must be."""
    if not holds:
        raise UserError(f'{where.entry(mapping, key)} is {value!r}, but must be {wanted}')


def chosen(entries: Any, keys: Sequence[str]) -> Any:
    """Return some of a mapping's entries, with their lines."""
    kept = {key: entries[key] for key in keys if key in entries}
    return LocatedMapping(kept, getattr(entries, 'lines', {}), getattr(entries, 'line', 0))


def nanoseconds(seconds: float) -> int:
    """Return seconds in whole nanoseconds."""
    return round(seconds * SECOND_NS)
