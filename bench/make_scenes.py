#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the bench's scenes from a seed into scene files.

A scene file (little-endian):
  8 bytes  "ORIELSC1"
  u32      width, height, frames, operations, background (0: grey; else the pixels start with a full picture: 1 text, 2 a photograph),
           rate * 1000
  frames * { u32 first operation, u32 operations, u32 x, y, width, height }      x..height: the rectangle that changes
  operations * { u32 x, y, width, height, u64 offset of its pixels, u32 stride, u32 kind }
  (kind: 0 text and flat areas, 1 a picture, so that each can be judged by itself)
  padding to 4096, then pixels, BGRX
Operations are applied in order; their pixels may lie inside a larger picture (stride), so that a scroll or a pan is a window
moving over one picture. The player and the checker read the same file: what was drawn is what is compared."""
import argparse
import os
import random
import struct
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

W, H = 1920, 1080
TEXT, PICTURE = 0, 1
FONTS = ["DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf"]
FONT_DIR = "/usr/share/fonts/truetype/dejavu"


def bgrx(image):
    a = np.asarray(image.convert("RGB"), dtype=np.uint8)
    out = np.zeros(a.shape[:2] + (4,), dtype=np.uint8)
    out[..., 0], out[..., 1], out[..., 2] = a[..., 2], a[..., 1], a[..., 0]
    return out


class Scene:
    def __init__(self, name, rate, background=None, kind=TEXT):
        self.name, self.rate = name, rate
        self.pool, self.pool_bytes = [], 0
        self.ops, self.frames = [], []
        self.background = 0 if background is None else 1 + kind
        if background is not None:
            self.add(background)

    def add(self, image):
        """Put a picture into the pool; returns (offset, stride, array)."""
        a = bgrx(image) if not isinstance(image, np.ndarray) else image
        at = self.pool_bytes
        self.pool.append(np.ascontiguousarray(a))
        self.pool_bytes += a.nbytes
        return at, a.shape[1] * 4

    def frame(self, ops, rect=None):
        """ops: [(x, y, w, h, (offset, stride), source x, source y, kind)]"""
        first = len(self.ops)
        for x, y, w, h, (at, stride), sx, sy, kind in ops:
            self.ops.append((x, y, w, h, at + sy * stride + sx * 4, stride, kind))
        if rect is None:
            x0, y0 = min(o[0] for o in ops), min(o[1] for o in ops)
            x1, y1 = max(o[0] + o[2] for o in ops), max(o[1] + o[3] for o in ops)
            rect = (x0, y0, x1 - x0, y1 - y0)
        self.frames.append((first, len(ops)) + rect)

    def write(self, folder):
        head = 8 + 24 + len(self.frames) * 24 + len(self.ops) * 32
        base = (head + 4095) & ~4095
        with open(os.path.join(folder, self.name + ".scene"), "wb") as f:
            f.write(b"ORIELSC1")
            f.write(struct.pack("<6I", W, H, len(self.frames), len(self.ops), self.background, int(self.rate * 1000)))
            for fr in self.frames:
                f.write(struct.pack("<6I", *fr))
            for x, y, w, h, at, stride, kind in self.ops:
                f.write(struct.pack("<4IQ2I", x, y, w, h, base + at, stride, kind))
            f.write(b"\0" * (base - head))
            for a in self.pool:
                f.write(a.tobytes())


def words(rng, n):
    out = []
    for _ in range(n):
        k = rng.randint(1, 10)
        out.append("".join(rng.choice("etaoinshrdlucmfwypvbgkjqxz") for _ in range(k)))
        if rng.random() < 0.1:
            out[-1] += rng.choice(".,;:")
    return out


def font(rng, size):
    return ImageFont.truetype(os.path.join(FONT_DIR, rng.choice(FONTS)), size)


def text_image(rng, w, h, size=15, line=20, ink=(20, 20, 30), paper=(255, 255, 255), margin=24):
    """A page of text: every line of other words, some headings."""
    im = Image.new("RGB", (w, h), paper)
    d = ImageDraw.Draw(im)
    f = font(rng, size)
    for y in range(margin, h - line, line):
        if rng.random() < 0.08:
            continue
        text = " ".join(words(rng, w // 40))
        while d.textlength(text, font=f) > w - 2 * margin:
            text = text[:-4]
        d.text((margin, y), text, font=f, fill=ink)
    return im


def photo(rng, w, h):
    """Something with the statistics of a photograph: soft shapes, textures at all scales, edges, a little sensor noise."""
    npr = np.random.default_rng(rng.randrange(1 << 30))
    acc = np.zeros((h, w, 3), dtype=np.float32)
    amplitude = 70.0
    for octave in range(1, 9):
        gh, gw = 2 ** octave + 1, 2 ** octave * 2 + 1
        grid = npr.normal(0, 1, (gh, gw, 3)).astype(np.float32)
        for c in range(3):
            layer = Image.fromarray(grid[..., c], mode="F").resize((w, h), Image.BICUBIC)
            acc[..., c] += amplitude * np.asarray(layer) * (0.6 + 0.4 * (c == 1))
        amplitude *= 0.56
    im = Image.fromarray(np.clip(acc * 0.8 + 120, 0, 255).astype(np.uint8))
    d = ImageDraw.Draw(im)
    for _ in range(14):
        x, y, r = rng.randrange(w), rng.randrange(h), rng.randrange(20, max(21, h // 5))
        color = tuple(rng.randrange(20, 240) for _ in range(3))
        box = (x - r, y - r, x + r, y + int(r * rng.uniform(0.5, 1.5)))
        (d.ellipse if rng.random() < 0.6 else d.rectangle)(box, fill=color)
    im = im.filter(ImageFilter.GaussianBlur(1.1))
    a = np.asarray(im, dtype=np.float32) + npr.normal(0, 1.6, (h, w, 1))
    return Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))


def desktop(rng):
    """A desktop with a panel, an editor at the left and a page of text: what surrounds the moving part."""
    im = Image.new("RGB", (W, H), (58, 88, 122))
    im.paste(text_image(rng, 560, 940), (24, 60))
    im.paste(text_image(rng, 1240, 180, size=14), (640, 860))
    d = ImageDraw.Draw(im)
    d.rectangle((0, 12, W, 44), fill=(40, 44, 52))
    d.text((300, 18), " ".join(words(rng, 12)), font=font(rng, 14), fill=(230, 230, 230))
    return im


def typing(rng):
    s = Scene("typing", 10, desktop(rng))
    f = font(rng, 16)
    x, y = 660, 100
    blank = s.add(Image.new("RGB", (1240, 700), (255, 255, 255)))
    s.frame([(640, 80, 1240, 700, blank, 0, 0, TEXT)])
    while len(s.frames) < 150:
        ch = rng.choice("etaoinshrdlucm wyp")
        im = Image.new("RGB", (12, 20), (255, 255, 255))
        ImageDraw.Draw(im).text((1, 0), ch, font=f, fill=(10, 10, 20))
        s.frame([(x, y, 12, 20, s.add(im), 0, 0, TEXT)])
        x += 11
        if x > 1840:
            x, y = 660, y + 24
    return s


def scroll(rng):
    s = Scene("scroll", 30, desktop(rng))
    page = s.add(text_image(rng, 1240, 780 + 300 * 20))
    for i in range(300):
        s.frame([(640, 60, 1240, 780, page, 0, i * 20, TEXT)])
    return s


def page(rng):
    s = Scene("page", 1, desktop(rng))
    for _ in range(8):
        s.frame([(0, 16, W, H - 16, s.add(text_image(rng, W, H - 16)), 0, 0, TEXT)])
    return s


SLIDE_PHOTO = (1040, 240, 820, 640)


def slide_image(rng):
    im = Image.new("RGB", (W, H - 16), (250, 250, 245))
    x, y, w, h = SLIDE_PHOTO
    im.paste(photo(rng, w, h), (x, y))
    d = ImageDraw.Draw(im)
    d.text((80, 60), " ".join(words(rng, 5)), font=font(rng, 54), fill=(30, 50, 110))
    for i in range(8):
        d.text((100, 240 + i * 76), "\u2022 " + " ".join(words(rng, 6))[:40], font=font(rng, 30), fill=(30, 30, 30))
    return im


def slides(rng, name, pictures, frames):
    s = Scene(name, 1, Image.new("RGB", (W, H), (250, 250, 245)))
    drawn = [s.add(slide_image(rng)) for _ in range(pictures)]
    x, y, w, h = SLIDE_PHOTO
    for i in range(frames):
        at = drawn[i % pictures]
        s.frame([(0, 16, W, H - 16, at, 0, 0, TEXT), (x, 16 + y, w, h, at, x, y, PICTURE)])
    return s


def slide(rng):
    return slides(rng, "slide", 8, 8)


def slide_again(rng):
    return slides(rng, "slide-again", 3, 12)


def drag(rng):
    ground = photo(rng, W, H)
    s = Scene("drag", 60, ground, PICTURE)
    back = (0, W * 4)
    win = Image.new("RGB", (700, 500), (235, 235, 235))
    win.paste(text_image(rng, 696, 466), (2, 32))
    ImageDraw.Draw(win).rectangle((0, 0, 700, 30), fill=(60, 90, 150))
    w = s.add(win)
    x, y, dx, dy = 200.0, 150.0, 5.3, 3.1
    px, py = None, None
    for _ in range(480):
        ix, iy = int(x), int(y)
        ops = [] if px is None else [(px, py, 700, 500, back, px, py, PICTURE)]
        s.frame(ops + [(ix, iy, 700, 500, w, 0, 0, TEXT)])
        px, py = ix, iy
        x, y = x + dx, y + dy
        if not 10 < x < W - 710:
            dx = -dx * rng.uniform(0.8, 1.2)
            x = min(max(x, 11), W - 711)
        if not 20 < y < H - 510:
            dy = -dy * rng.uniform(0.8, 1.2)
            y = min(max(y, 21), H - 511)
    return s


FILM_FRAMES = 150


def grain(npr, im):
    a = np.asarray(im, dtype=np.int16) + npr.normal(0, 2.2, im.size[::-1] + (1,)).astype(np.int16)
    return Image.fromarray(np.clip(a, 0, 255).astype(np.uint8))


def film(rng):
    """1280x720: a turning, zooming picture with objects of their own motion and fresh grain in each frame."""
    s = Scene("film", 30, desktop(rng))
    npr = np.random.default_rng(rng.randrange(1 << 30))
    base = photo(rng, 2600, 1800)
    sprites = [(photo(rng, 220, 220), rng.uniform(0, 6), rng.uniform(0.01, 0.05)) for _ in range(3)]
    for i in range(FILM_FRAMES):
        angle, zoom = 0.004 * i, 1.0 + 0.25 * np.sin(i / 40)
        c, n = np.cos(angle) / zoom, np.sin(angle) / zoom
        cx, cy = 1300 + 3.0 * i, 900 + 40 * np.sin(i / 25)
        m = (c, -n, cx - c * 640 + n * 360, n, c, cy - n * 640 - c * 360)
        im = base.transform((1280, 720), Image.AFFINE, m, resample=Image.BILINEAR)
        for k, (sp, phase, speed) in enumerate(sprites):
            t = phase + i * speed
            im.paste(sp, (int(530 + 420 * np.cos(t)), int(250 + (160 + 40 * k) * np.sin(t * 1.3))))
        s.frame([(620, 80, 1280, 720, s.add(grain(npr, im)), 0, 0, PICTURE)])
    return s


def film_colour(rng):
    """1280x720: thin coloured lines and coloured writing, all moving, over a slowly zooming photograph, with fresh grain. Half of
    what is to be seen here is colour without brightness, which a 4:2:0 picture cannot hold."""
    s = Scene("film-colour", 30, desktop(rng))
    npr = np.random.default_rng(rng.randrange(1 << 30))
    base = photo(rng, 1700, 1000)
    pure = [(255, 0, 0), (0, 0, 255), (0, 160, 0), (255, 0, 255), (0, 200, 220), (230, 120, 0)]
    lines = [(rng.uniform(0, 6), rng.uniform(0.005, 0.03), rng.choice(pure)) for _ in range(40)]
    texts = [(" ".join(words(rng, 8)), font(rng, 18), rng.randrange(700), rng.uniform(-4, 4), rng.sample(pure, 2)) for _ in range(12)]
    for i in range(FILM_FRAMES):
        zoom = 1.15 + 0.1 * np.sin(i / 30)
        im = base.transform((1280, 720), Image.AFFINE, (zoom, 0, 100 + i * 0.7, 0, zoom, 60 + i * 0.3), resample=Image.BILINEAR)
        d = ImageDraw.Draw(im)
        for phase, speed, colour in lines:
            t = phase + i * speed
            x, y = 640 + 600 * np.cos(t * 1.7), 360 + 340 * np.sin(t * 2.3)
            d.line((x, y, x + 500 * np.cos(t), y + 500 * np.sin(t)), fill=colour)
        for k, (text, f, x, speed, (ink, paper)) in enumerate(texts):
            at = ((x + speed * i) % 900, 12 + k * 58)
            d.rectangle(d.textbbox(at, text, font=f), fill=paper)
            d.text(at, text, font=f, fill=ink)
        s.frame([(620, 80, 1280, 720, s.add(grain(npr, im)), 0, 0, PICTURE)])
    return s


def pan(rng):
    s = Scene("pan", 30, desktop(rng))
    big = s.add(photo(rng, 2900, 1700))
    for i in range(240):
        s.frame([(620, 80, 1280, 720, big, int(8 + i * 6.3), int(400 + 350 * np.sin(i / 45)), PICTURE)])
    return s


SCENES = {f.__name__.replace("_", "-"): f for f in (typing, scroll, page, slide, slide_again, drag, film, film_colour, pan)}


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--out", required=True)
    p.add_argument("scenes", nargs="*", default=list(SCENES))
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    for name in a.scenes or SCENES:
        SCENES[name](random.Random(f"{a.seed} {name}")).write(a.out)
        print("drawn", name, flush=True)


if __name__ == "__main__":
    main()
