# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving pictures by oriel-encoder, here with libavcodec's software encoder in the place of hardware."""
import os
import pwd
import signal

import numpy as np
import pytest

from harness import procs, users
from harness.world import find_program, wait_for

option = pytest.mark.option
FILM = (slice(0, 192), slice(100, 484))  # where the stamp's film plays


@pytest.fixture(autouse=True)
def built():
    try:
        find_program("oriel-encoder")
    except FileNotFoundError:
        pytest.skip("built without libavcodec")


def film(client, stamp):
    x, y = stamp.find(client.pixels())
    return client.pixels()[y:, x:][FILM].copy()


def wait_moving(client, stamp, what):
    for _ in range(3):
        seen = film(client, stamp)
        wait_for(lambda: not np.array_equal(film(client, stamp), seen), 5, what)


def play(oriel, person, connect):
    anna = person("anna", stream="film")
    client = connect(oriel, anna, options=("/gfx:AVC420",))
    client.wait_stamp(anna.stamp)
    return anna, client


def one_that_works():
    """The encoder's process, once it does something: a film has it."""
    (encoder,) = procs.named("oriel-encoder")
    before = encoder.ticks()
    wait_for(lambda: encoder.ticks() > before + 5, 15, "the encoder works")
    return encoder


@option("picture.encoder", "paths.user_encoder")
def test_a_film_goes_on_when_its_encoder_is_killed(make_oriel, person, connect):
    users.run("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", "_oriel-video")
    oriel = make_oriel(picture__encoder="h264_of_nowhere libx264", paths__user_encoder="_oriel-video")
    since = len(oriel.log())  # the file may be an earlier run's as well
    anna, client = play(oriel, person, connect)
    oriel.wait_log("encoder ready encoder=libx264", 15, since=since)
    encoder = one_that_works()
    assert encoder.uid == pwd.getpwnam("_oriel-video").pw_uid
    shut_in = {name: encoder.status[name].strip() for name in ("Seccomp", "NoNewPrivs", "CapEff")}
    assert shut_in == {"Seccomp": "2", "NoNewPrivs": "1", "CapEff": "0" * 16}
    wait_moving(client, anna.stamp, "the film plays")
    os.kill(encoder.pid, signal.SIGKILL)
    oriel.wait_log("encoder failed", 10, since=since)
    wait_moving(client, anna.stamp, "the film plays on")
    assert client.shows(anna.stamp)
    said = oriel.log()[since:]
    assert said.count("encoder failed") == 1 and "encoder=oriel-encoder instead=x264" in said
    assert not [p for p in procs.named("oriel-encoder") if p.pid == encoder.pid]


@pytest.mark.takes(37)
def test_an_encoder_that_was_killed_comes_back_but_not_for_ever(make_oriel, person, connect):
    oriel = make_oriel(picture__encoder="libx264")
    since = len(oriel.log())
    anna, client = play(oriel, person, connect)
    oriel.wait_log("encoder ready encoder=libx264", 15, since=since)
    for time in range(1, 5):  # three restarts
        encoder = one_that_works()
        at = len(oriel.log())
        os.kill(encoder.pid, signal.SIGKILL)
        oriel.wait_log("encoder failed", 10, since=at)
        wait_moving(client, anna.stamp, "the film plays on")
        if time < 4:
            oriel.wait_log("encoder ready encoder=libx264", 30, since=at)
    oriel.wait_log("encoder is not started again", 10, since=since)
    said = oriel.log()[since:]
    assert said.count("encoder is started again") == 3 and said.count("encoder failed") == 4
    wait_moving(client, anna.stamp, "the film plays on")
    assert client.shows(anna.stamp) and not procs.named("oriel-encoder")


def test_nobody_has_an_encoder_before_the_login_or_after_leaving(make_oriel, person, connect):
    oriel = make_oriel(picture__encoder="libx264")
    stranger = connect(oriel, person("anna"), password="wrong")
    stranger.wait_picture()
    assert not procs.named("oriel-encoder")
    stranger.close()
    _, client = play(oriel, person, connect)
    wait_for(lambda: len(procs.named("oriel-encoder")) == 1, 10, "an encoder beside the peer")
    client.close()
    wait_for(lambda: not procs.named("oriel-encoder"), 10, "the encoder ends with its client")


@pytest.mark.parametrize("options", [{}, {"picture__encoder": "libx264", "picture__h264": "x264"},
                                     {"picture__encoder": "libx264", "paths__user_encoder": "nobody-at-all"}], ids=["no-device", "x264", "no-account"])
def test_there_is_no_encoder_where_none_is_wanted(make_oriel, person, connect, options):
    oriel = make_oriel(**options)
    anna, client = play(oriel, person, connect)
    wait_moving(client, anna.stamp, "the film plays")
    assert not procs.named("oriel-encoder")
