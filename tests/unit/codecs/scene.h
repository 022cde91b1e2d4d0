/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures for tests and the replay bench: what applications draw, in plain C, from a seed. */
#ifndef ORIEL_TESTS_SCENE_H
#define ORIEL_TESTS_SCENE_H

#include <stddef.h>
#include <stdint.h>

struct canvas {
    int w, h;
    size_t stride;
    uint8_t *px;
};
struct canvas canvas_new(int w, int h);
void canvas_free(struct canvas *c);
uint32_t scene_rand(uint32_t *seed);
/* All clip to the canvas. */
void draw_rect(struct canvas *c, int x, int y, int w, int h, uint32_t bgrx);
/* Lines of made-up words in an 8x16 font of random but fixed glyphs; `soft` greys the edges as anti-aliasing does. */
void draw_text(struct canvas *c, int x, int y, int w, int h, uint32_t seed, uint32_t ink, uint32_t paper, int soft);
void draw_glyph(struct canvas *c, int x, int y, unsigned letter, uint32_t ink, uint32_t paper);
/* Smooth noise in several octaves with grain: a photograph to every codec. phase moves it, zoom in 1/256. */
void draw_photo(struct canvas *c, int x, int y, int w, int h, uint32_t seed, int dx, int dy, int zoom, int grain);
/* Move what is inside by (dx, dy), as a scrolling application does; what is uncovered stays. */
void draw_scroll(struct canvas *c, int x, int y, int w, int h, int dx, int dy);
void draw_copy(struct canvas *dst, int dx, int dy, const struct canvas *src, int sx, int sy, int w, int h);

#endif
