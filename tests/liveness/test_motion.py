"""Parallax of five points against points in space, turned and projected by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sameface.liveness.motion import motion

#: Eyes, nose, mouth in eye distances: x to the right, y down, z to the camera. The nose stands out, the rest is a plane.
HEAD = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0, 0.15, 0.4], [-0.4, 0.6, 0], [0.4, 0.6, 0]], float)
FLAT = HEAD * (1, 1, 0)
angles = st.floats(-35, 35)


def seen(
    points: np.ndarray, yaw: float, pitch: float, roll: float = 0, size: float = 100, distance: float = 12
) -> np.ndarray:
    """Through a pinhole camera."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    turned = points @ (about_z @ about_y @ about_x).T
    return size * distance * turned[:, :2] / (distance - turned[:, 2:]) + (200, 150)


@given(angles, angles, angles, st.floats(30, 300), st.floats(5, 50))
def test_a_flat_picture_shows_no_parallax_however_it_is_held(yaw, pitch, roll, size, distance):
    moved = motion(seen(FLAT, 0, 0), seen(FLAT, yaw, pitch, roll, size, distance))
    assert moved.parallax < 1e-6


@pytest.mark.parametrize("yaw", [-30, -15, 15, 30])
def test_a_head_shows_the_sine_of_its_turn_times_its_depth(yaw):
    moved = motion(seen(HEAD, 0, 0, distance=1e4), seen(HEAD, yaw, 0, roll=20, distance=1e4))
    assert moved.right == pytest.approx(0.4 * np.sin(np.radians(yaw)), abs=0.002)
    assert moved.down == pytest.approx(0, abs=0.002)
    assert moved.narrower == pytest.approx(np.cos(np.radians(yaw)), abs=0.002)


@pytest.mark.parametrize("pitch", [-25, 25])
def test_a_head_that_looks_up_moves_its_nose_up(pitch):
    moved = motion(seen(HEAD, 0, 0, distance=1e4), seen(HEAD, 0, pitch, distance=1e4))
    assert np.sign(moved.down) == -np.sign(pitch)
    assert abs(moved.down) == pytest.approx(0.4 * np.sin(np.radians(25)), abs=0.03)


def test_points_in_one_spot_give_numbers():
    moved = motion(np.zeros((5, 2)), np.zeros((5, 2)))
    assert np.isfinite([moved.larger, moved.narrower]).all()
