#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a scene file's film one? At least 150 frames, all distinct, and none a shifted copy of another.

  bench/check_film.py FILE.scene

Each 8x8 window of a frame has a hash. Those windows whose hash happens to divide by 64 stand for the frame, wherever in it they are:
a shifted copy has the same ones, except those that its edges cut off. Windows of one colour stand for nothing."""
import struct
import sys
import numpy as np

FRAMES_MIN = 150
SHARED_MAX = 0.05  # of two frames' windows: a copy shifted by three quarters of width or height would share a quarter of them
WINDOW, ONE_OF = 8, 64
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def frames(path):
    """The changing part of each frame, as height x width pixels of 32 bits without their fourth byte."""
    data = np.memmap(path, np.uint8, "r")
    if bytes(data[:8]) != b"ORIELSC1":
        raise ValueError("not a scene file")
    width, height, nframes, nops = struct.unpack("<4I", bytes(data[8:24]))
    ops_at = 32 + nframes * 24
    screen = np.zeros((height, width), np.uint32)
    for i in range(nframes):
        first, count, fx, fy, fw, fh = struct.unpack("<6I", bytes(data[32 + i * 24:56 + i * 24]))
        for k in range(first, first + count):
            x, y, w, h, at, stride, _ = struct.unpack("<4IQ2I", bytes(data[ops_at + k * 32:ops_at + k * 32 + 32]))
            rows = np.lib.stride_tricks.as_strided(data[at:], (h, w * 4), (stride, 1))
            screen[y:y + h, x:x + w] = np.ascontiguousarray(rows).view(np.uint32) & 0xFFFFFF
        yield screen[fy:fy + fh, fx:fx + fw]


def windows(picture):
    """The hashes that stand for a picture, sorted."""
    h = picture.astype(np.uint64)
    flat = np.ones(h.shape, bool)
    for axis in (1, 0):
        n = h.shape[axis] - WINDOW + 1
        cut = (lambda a, k: a[:, k:k + n]) if axis else (lambda a, k: a[k:k + n])
        start, total, same = cut(h, 0), np.uint64(0), cut(flat, 0)
        for k in range(WINDOW):
            total = total * MULTIPLIER + cut(h, k)
            same = same & cut(flat, k) & (cut(h, k) == start)
        h, flat = total ^ (total >> np.uint64(29)), same
    return np.unique(h[~flat & (h % np.uint64(ONE_OF) == 0)])


def fault(pictures):
    """What is wrong with a film of these pictures, or None."""
    known = [windows(p) for p in pictures]
    if len(known) < FRAMES_MIN:
        return "%d frames, not %d" % (len(known), FRAMES_MIN)
    if min(len(k) for k in known) < 20:
        return "a frame is too plain to be told from others"
    hashes, owners = np.concatenate(known), np.concatenate([np.full(len(k), i) for i, k in enumerate(known)])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    shared = np.zeros((len(known), len(known)), np.int64)
    edges = np.flatnonzero(np.diff(hashes)) + 1
    for start, end in zip(np.append(0, edges), np.append(edges, len(hashes))):
        if end - start > 1:
            shared[np.ix_(owners[start:end], owners[start:end])] += 1
    np.fill_diagonal(shared, 0)
    sizes = np.array([len(k) for k in known])
    part = shared / np.minimum(sizes[:, None], sizes[None, :])
    i, j = np.unravel_index(part.argmax(), part.shape)
    return "frames %d and %d share %.0f %% of their pictures" % (i + 1, j + 1, part[i, j] * 100) if part[i, j] > SHARED_MAX else None


def main():
    wrong = fault(frames(sys.argv[1]))
    if wrong:
        raise SystemExit("check_film: %s: %s" % (sys.argv[1], wrong))


if __name__ == "__main__":
    main()
