/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scene file of bench/make_scenes.py, mapped read-only, and the draw log that player and client share. */
#ifndef ORIEL_BENCH_SCENE_FILE_H
#define ORIEL_BENCH_SCENE_FILE_H

#include <stddef.h>
#include <stdint.h>

struct scene_frame {
    uint32_t first, count, x, y, width, height;
};
struct scene_op {
    uint32_t x, y, width, height;
    uint64_t at;
    uint32_t stride, kind;
};
enum { SCENE_TEXT, SCENE_PICTURE }; /* what a part shows: text and flat areas, or a picture */
struct scene {
    /* background: 0 or 1 + its kind; rate: frames per second * 1000 */
    uint32_t width, height, nframes, nops, background, rate;
    const struct scene_frame *frames;
    const struct scene_op *ops;
    const uint8_t *map;
    size_t len;
};
/* Map and check a file of our own making. Returns 0 or negative errno. */
int scene_open(struct scene *s, const char *path);
void scene_close(struct scene *s);
/* The picture before the first frame: the background, or grey. `px`: BGRX, width * 4 bytes a row. */
void scene_background(const struct scene *s, uint8_t *px);
/* Apply frame `i` (0-based). */
void scene_apply(const struct scene *s, uint32_t i, uint8_t *px);
/* Which pixels are what, a byte each: SCENE_TEXT or SCENE_PICTURE, with SCENE_TOUCHED where a frame has drawn. */
#define SCENE_TOUCHED 2
void scene_background_kinds(const struct scene *s, uint8_t *kinds);
void scene_apply_kinds(const struct scene *s, uint32_t i, uint8_t *kinds);

/* The counter strip: STAMP_CELLS cells of 8x8 in the top left corner, bit 0 first: 20 bits of counter, 4 bits of its
 * check. */
#define STAMP_CELL 8
#define STAMP_BITS 24
#define STAMP_HEIGHT STAMP_CELL
#define STAMP2_X 256 /* a second strip: keys pressed while the scene plays */
void stamp_draw(uint8_t *px, size_t stride, uint32_t counter);
/* -1: no valid counter there. */
int32_t stamp_read(const uint8_t *px, size_t stride);

/* Times of CLOCK_MONOTONIC in µs, by counter; a file mapped by both. Zero: not drawn. */
#define DRAW_LOG_MAX (1u << 16)
uint64_t *draw_log_open(const char *path); /* DRAW_LOG_MAX entries, [0]: when the first frame is due; NULL on error */
void draw_log_close(uint64_t *log);        /* NULL: nothing to close */
uint64_t now_us(void);

#endif
