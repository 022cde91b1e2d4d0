/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The exact encoders against libfreerdp's decoders, bit for bit, on thousands of random and drawn tiles. */
#include "codecs/exact/clear.h"
#include "codecs/exact/planar.h"
#include "ref_planar.h"
#include "scene.h"

#include <freerdp/codec/clear.h>
#include <freerdp/codec/color.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define W 640
#define H 400

static void opaque(struct canvas *c)
{
    for (size_t i = 3; i < c->stride * (size_t)c->h; i += 4)
        c->px[i] = 0xFF;
}

/* One of the things a screen shows, in a corner of the canvas. */
static void draw(struct canvas *c, int w, int h, uint32_t *seed)
{
    uint32_t s = scene_rand(seed);
    switch (s % 8) {
    case 0:
        for (int y = 0; y < h; y++)
            for (int x = 0; x < 4 * w; x++)
                c->px[(size_t)y * c->stride + (size_t)x] = (uint8_t)scene_rand(seed);
        break;
    case 1:
        draw_photo(c, 0, 0, w, h, s, 0, 0, 256, 3);
        break;
    case 2:
        draw_rect(c, 0, 0, w, h, s);
        for (int k = 0; k < 12; k++)
            draw_rect(c, (int)(scene_rand(seed) % (unsigned)w), (int)(scene_rand(seed) % (unsigned)h), 40, 9,
                scene_rand(seed));
        break;
    case 3:
        draw_text(c, 0, 0, w / 3, h, s, 0, 0xFFFFFF, 1);
        draw_text(c, w / 3, 0, w - w / 3, h, s * 3, 0xFFFFFF, 0x302020, 1);
        break;
    case 4:
        draw_rect(c, 0, 0, w, h, s);
        break;
    case 5:
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                memset(c->px + (size_t)y * c->stride + 4 * (size_t)x, (s & 256 ? x : y) & 0xFF, 4);
        break;
    default:
        draw_text(c, 0, 0, w, h, s, s & 0x7F7F7F, 0xFFFFFF, (int)(s >> 16 & 1));
        break;
    }
    opaque(c);
}

static size_t wrong(const struct canvas *c, const uint8_t *got, int w, int h)
{
    size_t n = 0;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            n += memcmp(c->px + (size_t)y * c->stride + 4 * (size_t)x, got + (size_t)y * W * 4 + 4 * (size_t)x, 3) != 0;
    return n;
}

static void clear_codec_decodes_to_the_same_pixels(void **state)
{
    struct canvas c = canvas_new(W, H);
    struct clear *enc = clear_create(compare_best());
    CLEAR_CONTEXT *dec = clear_context_new(FALSE);
    uint8_t *got = calloc(W * 4, H + 64), *out = malloc(CLEAR_BYTES(W, H));
    uint32_t seed = 99;
    for (int round = 0; round < 12000; round++) {
        bool large = round % 400 == 0;
        int w = 1 + (int)(scene_rand(&seed) % (large ? W : 100)), h = 1 + (int)(scene_rand(&seed) % (large ? H : 100));
        struct wr o;
        wr_init(&o, out, CLEAR_BYTES(W, H));
        draw(&c, w, h, &seed);
        assert_int_equal(clear_encode(enc, c.px, c.stride, w, h, &o), 0);
        assert_false(o.bad);
        if (clear_decompress(dec, out, (uint32_t)o.len, (uint32_t)w, (uint32_t)h, got, PIXEL_FORMAT_BGRX32, W * 4, 0, 0,
                W, H, NULL) < 0)
            fail_msg("round %d: %dx%d refused", round, w, h);
        if (wrong(&c, got, w, h))
            fail_msg("round %d: %dx%d: %zu pixels wrong", round, w, h, wrong(&c, got, w, h));
        if (round == 7000) {
            clear_restart(enc);
            clear_context_free(dec);
            dec = clear_context_new(FALSE);
        }
    }
    clear_destroy(enc);
    clear_context_free(dec);
    canvas_free(&c);
    free(got);
    free(out);
}

/* Decode `o` at (x, y) over what is in `got`. */
static void decode_at(CLEAR_CONTEXT *dec, const struct wr *o, struct box b, uint8_t *got)
{
    if (clear_decompress(dec, o->p, (uint32_t)o->len, (uint32_t)(b.x1 - b.x0), (uint32_t)(b.y1 - b.y0), got,
            PIXEL_FORMAT_BGRX32, W * 4, (uint32_t)b.x0, (uint32_t)b.y0, W, H, NULL) < 0)
        fail_msg("%d,%d to %d,%d refused", b.x0, b.y0, b.x1, b.y1);
}

static void fill(uint8_t *got, struct box b, uint32_t color)
{
    for (int y = b.y0; y < b.y1; y++)
        for (int x = b.x0; x < b.x1; x++)
            memcpy(got + (size_t)y * W * 4 + 4 * (size_t)x, &color, 4);
}

static void decode_leaf(struct clear *enc, CLEAR_CONTEXT *dec, const struct canvas *c, struct box b, uint8_t *out,
    uint8_t *got)
{
    struct wr o;
    wr_init(&o, out, CLEAR_BYTES(W, H));
    assert_int_equal(clear_encode_bands(enc, c->px + (size_t)b.y0 * c->stride + 4 * (size_t)b.x0, c->stride,
                         b.x1 - b.x0, b.y1 - b.y0, &o),
        0);
    decode_at(dec, &o, b, got);
}

/* Fills, and leaves as bands. */
static void draw_parts(struct clear *enc, CLEAR_CONTEXT *dec, const struct canvas *c, int w, int h,
    const struct clear_parts *parts, uint8_t *out, uint8_t *got)
{
    struct box leaves[64];
    memcpy(leaves, parts->leaves, (size_t)parts->nleaves * sizeof *leaves);
    fill(got, (struct box){0, 0, w, h}, parts->ground);
    for (int i = 0; i < parts->nflats; i++)
        fill(got, parts->flats[i].box, parts->flats[i].color);
    for (int i = 0; i < parts->nleaves; i++)
        decode_leaf(enc, dec, c, leaves[i], out, got);
}

/* Bars and buttons over what is drawn: flat rectangles. */
static void add_bars(struct canvas *c, int w, int h, uint32_t *seed)
{
    for (unsigned n = scene_rand(seed) % 6; n > 0; n--)
        draw_rect(c, (int)(scene_rand(seed) % (unsigned)w), (int)(scene_rand(seed) % (unsigned)h),
            1 + (int)(scene_rand(seed) % 80), 1 + (int)(scene_rand(seed) % 40), scene_rand(seed) | 0xFF000000u);
}

/* A ground and rectangles as fills and the leaves as bands; what is not made so as one bitmap between them: sequence
 * and caches are one. */
static void parts_are_the_same_pixels(void **state)
{
    struct canvas c = canvas_new(W, H);
    struct clear *enc = clear_create(compare_best());
    CLEAR_CONTEXT *dec = clear_context_new(FALSE);
    uint8_t *got = calloc(W * 4, H + 64), *out = malloc(CLEAR_BYTES(W, H));
    uint32_t seed = 97;
    int parted = 0, flat = 0, whole = 0;
    for (int round = 0; round < 3000; round++) {
        int w = 1 + (int)(scene_rand(&seed) % (round % 40 ? 160 : W)),
            h = 1 + (int)(scene_rand(&seed) % (round % 40 ? 130 : H));
        struct clear_parts parts = {0};
        struct wr o;
        draw(&c, w, h, &seed);
        add_bars(&c, w, h, &seed);
        if (clear_find_parts(enc, c.px, c.stride, w, h, round % 2 ? CLEAR_FLATS_MAX : 0, 64, &parts) == 0) {
            draw_parts(enc, dec, &c, w, h, &parts, out, got);
            parted++;
            flat += parts.nflats > 1 && parts.nleaves > 0;
        } else {
            wr_init(&o, out, CLEAR_BYTES(W, H));
            assert_int_equal(clear_encode(enc, c.px, c.stride, w, h, &o), 0);
            decode_at(dec, &o, (struct box){0, 0, w, h}, got);
            whole++;
        }
        if (wrong(&c, got, w, h))
            fail_msg("round %d: %dx%d, %d leaves, %d flats: %zu pixels wrong", round, w, h, parts.nleaves, parts.nflats,
                wrong(&c, got, w, h));
    }
    assert_true(parted > 300 && flat > 100 && whole > 300);
    clear_destroy(enc);
    clear_context_free(dec);
    canvas_free(&c);
    free(got);
    free(out);
}

static void planar_decodes_to_the_same_pixels(void **state)
{
    struct canvas c = canvas_new(W, H);
    BITMAP_PLANAR_CONTEXT *dec = freerdp_bitmap_planar_context_new(0, W, H);
    uint8_t *got = calloc(W * 4, H + 64), *out = malloc(PLANAR_BYTES(W, H));
    uint32_t seed = 98;
    for (int round = 0; round < 10000; round++) {
        int w = 1 + (int)(scene_rand(&seed) % 100), h = 1 + (int)(scene_rand(&seed) % 100);
        bool flip = round & 1;
        struct wr o;
        wr_init(&o, out, PLANAR_BYTES(W, H));
        draw(&c, w, h, &seed);
        assert_int_equal(planar_encode(&o, c.px, c.stride, w, h, flip), 0);
        assert_true(o.len <= PLANAR_BYTES(w, h));
        assert_true(ref_planar(dec, out, (uint32_t)o.len, (uint32_t)w, (uint32_t)h, got, PIXEL_FORMAT_BGRX32, W * 4, 0,
            0, (uint32_t)w, (uint32_t)h, flip));
        assert_int_equal(wrong(&c, got, w, h), 0);
    }
    freerdp_bitmap_planar_context_free(dec);
    canvas_free(&c);
    free(got);
    free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_codec_decodes_to_the_same_pixels),
        cmocka_unit_test(parts_are_the_same_pixels),
        cmocka_unit_test(planar_decodes_to_the_same_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
