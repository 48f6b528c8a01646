"""Which objects of a frame are annotated: those that a person could label."""

from __future__ import annotations

from typing import Any

# Nobody could label boxes thinner than this many pixels, or objects with a smaller visible share.
MIN_SIDE, MIN_VISIBLE = 3.0, .25
RULE = (f'objects whose box is thinner than {MIN_SIDE:g} pixels (tiny) or of which less than '
        f'{MIN_VISIBLE:g} is visible (hidden) have no annotation; nor have those that fog or '
        'night makes the same grey as what is around them (lost)')
DROP_REASONS = ('tiny', 'hidden', 'lost')


def drop_reason(item: dict[str, Any]) -> str:
    """Return why an object of a manifest is not annotated: one of `DROP_REASONS`, or ''."""
    if min(item['box'][2:]) < MIN_SIDE:
        return 'tiny'
    if item['visible'] < MIN_VISIBLE:
        return 'hidden'
    return 'lost' if item['lost'] else ''
