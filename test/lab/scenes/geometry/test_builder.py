"""The builder keeps parts apart and leaves out what has no area."""

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.geometry.builder import Builder
from rgb2swir_ros.lab.scenes.geometry.mesh import Part
from rgb2swir_ros.lab.scenes.geometry.shapes import box, cylinder, quad

WOOD, STONE = Part('leg', 'wood'), Part('top', 'granite')


def test_parts_get_their_own_faces():
    builder = Builder()
    builder.add(WOOD, box((0, 0, 0), (1, 1, 1)))
    builder.add(STONE, box((0, 1, 0), (1, 2, 1)))
    builder.add(WOOD, box((2, 0, 0), (3, 1, 1)))
    mesh = builder.mesh()
    assert mesh.parts == (WOOD, STONE)
    assert np.bincount(mesh.part).tolist() == [24, 12]
    top = mesh.vertices[mesh.faces[mesh.part == 1]]
    assert top[..., 1].min() == 1


def test_faces_of_no_area_and_loose_vertices_go():
    builder = Builder()
    builder.add(WOOD, cylinder(1, 1, 8, 0))  # its tip is a ring of no width
    mesh = builder.mesh()
    assert len(mesh.faces) == 16
    assert set(mesh.faces.ravel()) == set(range(len(mesh.vertices)))


def test_a_part_without_faces_goes():
    builder = Builder()
    builder.add(WOOD, quad((0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0)))
    builder.add(STONE, box((0, 0, 0), (1, 1, 1)))
    mesh = builder.mesh()
    assert mesh.parts == (STONE,)
    assert set(mesh.part) == {0}


def test_split_follows_the_choice():
    builder = Builder()
    builder.split(box((0, 0, 0), (1, 1, 1)), np.arange(12) // 6, WOOD, STONE)
    assert np.bincount(builder.mesh().part).tolist() == [6, 6]


def test_one_name_means_one_part():
    builder = Builder()
    builder.add(WOOD, box((0, 0, 0), (1, 1, 1)))
    with pytest.raises(ValueError, match="'leg'"):
        builder.add(Part('leg', 'plastic'), box((0, 0, 0), (1, 1, 1)))
