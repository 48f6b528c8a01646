"""Builder that merges shapes of several parts into one mesh."""

from __future__ import annotations

import numpy as np

from .mesh import Mesh, Part
from .shapes import Shape

NO_AREA = 1e-8  # m2, twice the least area of a face


class Builder:
    """Collects shapes by part; parts keep the order of their first shape."""

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}
        self._vertices: list[np.ndarray] = []
        self._faces: list[np.ndarray] = []
        self._index: list[np.ndarray] = []
        self._base = 0

    def add(self, part: Part, *shapes: Shape) -> None:
        """Add shapes of one part.

        :raises ValueError: if another part already has this name.
        """
        known = self._parts.setdefault(part.name, part)
        if known != part:
            raise ValueError(f'two different parts are both called {part.name!r}')
        index = list(self._parts).index(part.name)
        for vertices, faces in shapes:
            self._vertices.append(vertices)
            self._faces.append(faces + self._base)
            self._index.append(np.full(len(faces), index, np.uint8))
            self._base += len(vertices)

    def split(self, shape: Shape, choice: np.ndarray, *parts: Part) -> None:
        """Add a shape whose face f belongs to ``parts[choice[f]]``."""
        for index, part in enumerate(parts):
            mine = choice == index
            if mine.any():
                self.add(part, (shape[0], shape[1][mine]))

    def mesh(self) -> Mesh:
        """Return the mesh, without degenerate faces and unused vertices."""
        vertices = np.concatenate(self._vertices).astype(np.float32)
        faces, part = np.concatenate(self._faces), np.concatenate(self._index)
        a, b, c = (vertices[faces[:, i]] for i in range(3))
        whole = (np.cross(b - a, c - a) ** 2).sum(1) > NO_AREA ** 2
        faces, part = faces[whole], part[whole]
        used = np.zeros(len(vertices), bool)
        used[faces] = True
        number = np.cumsum(used) - 1
        kept = np.unique(part)  # a part may have lost all its faces
        names = list(self._parts.values())
        return Mesh(vertices[used], number[faces].astype(np.int32),
                    np.searchsorted(kept, part).astype(np.uint8),
                    tuple(names[i] for i in kept))
