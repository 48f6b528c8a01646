"""Shapes have the size, the place and the closed skin that their names promise."""

import numpy as np
import pytest

from rgb2swir_ros.lab.scenes.geometry import shapes


def volume(shape):
    """Return the volume inside a closed skin whose faces wind one way."""
    a, b, c = (shape[0][shape[1][:, i]] for i in range(3))
    return abs(np.einsum('ij,ij->i', a, np.cross(b, c)).sum()) / 6


def area(shape):
    """Return the area of all faces."""
    a, b, c = (shape[0][shape[1][:, i]] for i in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def test_box_is_closed():
    shape = shapes.box((1, 2, 3), (2, 4, 6))
    assert volume(shape) == pytest.approx(6)
    assert area(shape) == pytest.approx(22)
    many = shapes.boxes(np.array([[1, 2, 3], [0, 0, 0]]), np.array([[2, 4, 6], [1, 1, 1]]))
    assert area(many) == pytest.approx(22 + 6)


@pytest.mark.parametrize('sides', [6, 24, 96])
def test_cylinder_tends_to_a_round_one(sides):
    shape = shapes.cylinder(.5, 2, sides)
    expected = sides / 2 * .25 * np.sin(2 * np.pi / sides) * 2
    assert volume(shape) == pytest.approx(expected)
    assert shape[0][:, 1].min() == 0
    assert shape[0][:, 1].max() == 2


def test_cone_is_a_third_of_its_cylinder():
    assert volume(shapes.cylinder(1, 3, 12, 0)) == pytest.approx(
        volume(shapes.cylinder(1, 3, 12)) / 3)


@pytest.mark.parametrize('axis', ['x', 'y', 'z'])
def test_lathe_turns_about_its_axis(axis):
    vertices, _ = shapes.lathe([(0, 1.0), (5, 2.0)], 12, axis)
    along = 'xyz'.index(axis)
    assert vertices[:, along].max() == 5
    radii = np.linalg.norm(np.delete(vertices, along, 1), axis=1)
    assert sorted(set(radii.round(9))) == [1, 2]
    if axis != 'y':  # a wheel stands on its lowest corner
        assert vertices[:, 1].min() == pytest.approx(-2)


def test_rods_run_from_start_to_end():
    starts = np.array([[0, 0, 0], [1, 1, 1.0]])
    ends = np.array([[0, 3, 0], [1, 1, 5.0]])
    vertices, faces = shapes.rods(starts, ends, .1, .05, sides=6)
    rings = vertices.reshape(2, 2, 6, 3)
    np.testing.assert_allclose(rings.mean(2)[:, 0], starts, atol=1e-12)
    np.testing.assert_allclose(rings.mean(2)[:, 1], ends, atol=1e-12)
    reach = np.linalg.norm(rings - rings.mean(2, keepdims=True), axis=-1)
    np.testing.assert_allclose(reach[:, 0], .1)
    np.testing.assert_allclose(reach[:, 1], .05)
    assert len(faces) == 2 * 12


def test_rounded_box_stays_inside_its_corners():
    vertices, _ = shapes.rounded_box((-1, 0, -2), (1, 3, 2), .2)
    np.testing.assert_allclose(vertices.min(0), (-1, 0, -2))
    np.testing.assert_allclose(vertices.max(0), (1, 3, 2))
    assert volume(shapes.rounded_box((-1, 0, -2), (1, 3, 2), .2)) < 24


def test_turning_and_mirroring():
    ahead = np.array([[0, 0, 1.0]]), np.zeros((0, 3), int)
    np.testing.assert_allclose(shapes.turned(ahead, np.pi / 2)[0], [[1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(shapes.turned(ahead, pitch=np.pi / 2)[0], [[0, -1, 0]],
                               atol=1e-12)
    right = np.array([[1.0, 0, 0]]), np.zeros((0, 3), int)
    np.testing.assert_allclose(shapes.turned(right, roll=np.pi / 2)[0], [[0, 1, 0]], atol=1e-12)
    np.testing.assert_allclose(shapes.mirrored(right)[0], [[-1, 0, 0]])


def test_leaves_face_their_normal_and_point_along():
    rng = np.random.default_rng(1)
    at = rng.normal(0, 1, (50, 3))
    normal = np.tile([0, 1.0, 0], (50, 1))
    vertices, faces = shapes.leaves(rng, at, .2, normal, np.tile([0, 0, 1.0], (50, 1)))
    assert len(faces) == 50
    leaf = vertices.reshape(50, 3, 3)
    np.testing.assert_allclose(leaf[..., 1], np.repeat(at[:, 1:2], 3, 1))
    assert (leaf[:, 0, 2] > leaf[:, 1:, 2].max(1)).all()
    assert np.linalg.norm(leaf - at[:, None], axis=-1).max() < .2


def test_above_lifts_only_what_is_below():
    shape = np.array([[-3, -1, -3], [-3, 2, -3.0]]), np.zeros((0, 3), int)
    np.testing.assert_array_equal(shapes.above(shape)[0], [[-3, 0, -3], [-3, 2, -3]])


def test_shared_faces_cannot_be_spoilt():
    with pytest.raises(ValueError, match='read-only'):
        shapes.grid_faces(3, 3)[0, 0] = 7
