# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench's own checks can fail."""
import importlib.util
import os
import random
import sys

import numpy as np
import pytest

BENCH = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "bench")


def load(name):
    if BENCH not in sys.path:
        sys.path.insert(0, BENCH)    # the bench's files import each other by name
    spec = importlib.util.spec_from_file_location(name, os.path.join(BENCH, name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def film():
    """150 small pictures of noise, each its own."""
    rng = np.random.default_rng(3)
    return [rng.integers(0, 1 << 24, (120, 160), np.uint32) for _ in range(150)]


def test_a_film_of_150_distinct_pictures_is_one(film):
    assert load("check_film").fault(film) is None


def test_a_film_is_refused_that_is_too_short_or_repeats_itself(film):
    check = load("check_film")
    assert "149 frames" in check.fault(film[:149])
    assert "frames 2 and 150" in check.fault(film[:149] + [film[1]])


@pytest.mark.parametrize("dx, dy", [(1, 0), (0, 3), (37, -22), (-80, 60), (100, 0)])
def test_a_film_is_refused_in_which_a_picture_is_another_one_shifted(film, dx, dy):
    rng = np.random.default_rng(4)
    shifted = rng.integers(0, 1 << 24, (120, 160), np.uint32)
    to = (slice(max(dy, 0), 120 + min(dy, 0)), slice(max(dx, 0), 160 + min(dx, 0)))
    of = (slice(max(-dy, 0), 120 + min(-dy, 0)), slice(max(-dx, 0), 160 + min(-dx, 0)))
    shifted[to] = film[7][of]
    assert "frames 8 and 150" in load("check_film").fault(film[:149] + [shifted])


def test_a_scene_file_is_read_as_it_was_drawn(tmp_path):
    """The checker judges what the player plays: the parts of one larger picture, shifted, are found to be that."""
    scenes, check = load("make_scenes"), load("check_film")
    scene = scenes.Scene("pan", 30)
    picture = scene.add(scenes.photo(random.Random(5), 600, 200))
    for i in range(150):
        scene.frame([(100, 50, 300, 160, picture, i, i // 5, scenes.PICTURE)])
    scene.write(tmp_path)
    first, second = [f.copy() for f, _ in zip(check.frames(tmp_path / "pan.scene"), range(2))]
    assert first.shape == (160, 300) and (first[:, 1:] == second[:, :-1]).all()
    assert "share" in check.fault(check.frames(tmp_path / "pan.scene"))


def test_goals_are_met_or_missed_by_the_figures():
    table = load("table")
    goals = table.goals_of("film", "420", "loopback")
    good = {figure: limit for figure, limit in goals.items()}
    assert table.goal(good, goals) == "met"
    assert "psnr_moving" in table.goal(dict(good, psnr_moving=goals["psnr_moving"] - 1), goals)
    assert "rate_kb" in table.goal(dict(good, rate_kb=goals["rate_kb"] + 1), goals)
    assert "sharp_after" in table.goal(dict(good, sharp_after=None), goals), "what never came to be is missed"
    assert table.goals_of("film", "off", "loopback") != goals and table.goals_of("film", "420", "lan") == {}
