"""Data sets of rectangles, and what is in them."""

from pathlib import Path

from rgb2swir_ros.lab.scenes.dataset import DatasetSpec, write_dataset

SIZE = (48, 64)


def spec(folder: Path, **changes) -> DatasetSpec:
    return DatasetSpec(**{'folder': folder, 'seed': 0, 'size': SIZE, 'looks': 2, 'scenes': 8,
                          'renderer': 'rectangles'} | changes)


def write(folder: Path, workers: int = 1, **changes) -> dict:
    return write_dataset(spec(folder, **changes), workers, lambda _: None)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*')
            if p.is_file() and p.name != 'dataset.yaml'}


def calls(tmp_path: Path) -> list[int]:
    path = tmp_path / 'calls'
    return sorted(map(int, path.read_text().split())) if path.exists() else []
