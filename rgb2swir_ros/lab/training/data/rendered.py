"""Data sets written by ``rgb2swir scenes``."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from rgb2swir_ros.errors import UserError
from rgb2swir_ros.lab.scenes.dataset import FORMAT, INDEX
from rgb2swir_ros.lab.scenes.units import SPLITS
from rgb2swir_ros.lab.training.data.files import Found, PairFiles, Skipped


def find_rendered(root: Path) -> Found | None:
    """Return the frames in the annotations, or None if the folder has no such index.

    :raises UserError: if the data set is unfinished, has another format, or has a scene in two
        splits.
    """
    index = root / INDEX
    if not index.is_file():
        return None
    try:
        known = yaml.safe_load(index.read_text())
        if not isinstance(known, dict) or known.get('format') != FORMAT:
            raise UserError(f"'{index}' is of no format known here ({FORMAT})")
        images = [(split, image) for split in SPLITS for image in json.loads(
            (root / 'annotations' / f'{split}.json').read_text())['images']]
    except FileNotFoundError as error:
        raise UserError(f"the data set in '{root}' was never finished; go on with: "
                        f"{known.get('command') or 'rgb2swir scenes'} -o {root}") from error
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise UserError(f"the index of '{root}' cannot be read: {error}") from error
    pairs, skipped = [], []
    splits: dict[str, str] = {}
    for split, image in images:
        scene = str(image['scene'])
        if splits.setdefault(scene, split) != split:
            raise UserError(f"'{root}' has scene {scene} in {splits[scene]} and in {split}: its "
                            'annotations were changed; render it anew')
        rgb, swir = root / image['rgb_file_name'], root / image['file_name']
        missing = next((path for path in (rgb, swir) if not path.is_file()), None)
        if missing:
            skipped.append(Skipped(missing, 'named by the annotations, not there'))
        else:
            pairs.append(PairFiles(rgb, swir, image['file_name'], scene, split))
    return Found('rendered scenes', pairs, skipped)
