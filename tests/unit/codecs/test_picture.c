/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lossy encoders, decoded by libfreerdp: how far from the source? */
#include "codecs/picture/progressive.h"
#include "codecs/picture/rfx_message.h"
#include "codecs/picture/rfx_planes.h"
#include "ref_client.h"
#include "scene.h"

#include <freerdp/codec/progressive.h>
#include <freerdp/codec/region.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define W 400
#define H 300

static double encode(struct canvas *c, enum picture_quality q, size_t *bytes)
{
    static uint8_t out[PROGRESSIVE_BYTES(64)];
    struct ref_surface s = {.live = true, .width = W, .height = H, .stride = W * 4, .px = calloc(W * 4, H + 64)};
    struct progressive *enc = progressive_create();
    PROGRESSIVE_CONTEXT *dec = progressive_context_new_ex(FALSE, 1);
    struct box boxes[64];
    int n = 0;
    for (int y = 0; y < H; y += 64)
        for (int x = 0; x < W; x += 64)
            boxes[n++] = (struct box){x, y, x + 64 < W ? x + 64 : W, y + 64 < H ? y + 64 : H};
    struct wr w;
    wr_init(&w, out, sizeof out);
    assert_int_equal(progressive_encode(enc, c->px, c->stride, boxes, n, q, &w), 0);
    REGION16 region;
    region16_init(&region);
    progressive_create_surface_context(dec, 1, W, H);
    assert_true(
        progressive_decompress(dec, out, (uint32_t)w.len, s.px, PIXEL_FORMAT_BGRX32, W * 4, 0, 0, &region, 1, 1) >= 0);
    region16_uninit(&region);
    *bytes = w.len;
    double psnr = ref_surface_psnr(&s, c->px, c->stride, 0, 0, W, H);
    progressive_destroy(enc);
    progressive_context_free(dec);
    free(s.px);
    return psnr;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Noise, hard edges between the extremes, and both at once. */
static void random_tile(uint8_t *px, size_t bytes, int kind, uint32_t *state)
{
    for (size_t i = 0; i < bytes; i++) {
        uint32_t r = next_random(state);
        px[i] = kind == 0 ? (uint8_t)r : (kind == 1 || r & 0x300) ? (uint8_t)(r & 1 ? 255 : 0) : (uint8_t)(r >> 2);
    }
}

static void coefficients_of_the_fast_path_equal_the_plain_ones(void **state)
{
    static struct rfx_scratch fast, plain;
    static uint8_t px[64 * 272];
    uint32_t seed = 11;
    for (int i = 0; i < 3000; i++) {
        struct rfx_quant q[2];
        for (int k = 0; k < 20; k++)
            q[k / 10].v[k % 10] = (uint8_t)(6 + next_random(&seed) % 10);
        random_tile(px, sizeof px, i % 3, &seed);
        rfx_planes(&fast, px, 272, &q[0], &q[1], false);
        rfx_planes(&plain, px, 272, &q[0], &q[1], true);
        assert_memory_equal(fast.plane, plain.plane, sizeof fast.plane);
    }
}

static void progressive_steps_are_as_good_as_they_say(void **state)
{
    struct canvas c = canvas_new(W, H);
    const double least[] = {35, 37.5, 45};
    for (int grain = 0; grain <= 3; grain++) {
        draw_photo(&c, 0, 0, W, H, 5 + (uint32_t)grain, 0, 0, 256, grain);
        for (int q = 0; q < PICTURE_QUALITIES; q++) {
            size_t bytes;
            double psnr = encode(&c, q, &bytes);
            print_message("grain %d step %d: %.1f dB, %.2f bits a pixel\n", grain, q, psnr,
                8.0 * (double)bytes / (W * H));
            /* the wavelet's integer steps lose half a dB for each step of grain */
            assert_true(psnr >= least[q] - 0.8 * grain);
        }
    }
    canvas_free(&c);
}

static void messages_for_surface_bits_decode(void **state)
{
    static uint8_t out[RFX_MESSAGE_BYTES];
    static struct rfx_stream stream;
    struct canvas c = canvas_new(W, H);
    draw_photo(&c, 0, 0, W, H, 5, 0, 0, 256, 2);
    for (int entropy = 1; entropy <= 3; entropy += 2) {
        struct ref_client *client = ref_client_create(false);
        ref_client_screen(client, W, H);
        stream.headed = false;
        for (int y = 0; y < H; y += 64)
            for (int x = 0; x < W; x += 64) {
                int w = x + 64 < W ? 64 : W - x, h = y + 64 < H ? 64 : H - y;
                struct wr o;
                wr_init(&o, out, sizeof out);
                assert_int_equal(rfx_message(&stream, c.px + (size_t)y * c.stride + 4 * (size_t)x, c.stride, w, h,
                                     PICTURE_FINE, entropy, W, H, &o),
                    0);
                struct gfx_command k = {.type = GFX_WIRE,
                    .codec = GFX_CODEC_RFX_BITS,
                    .data = out,
                    .len = o.len,
                    .rect = {(uint16_t)x, (uint16_t)y, (uint16_t)w, (uint16_t)h}};
                if (ref_client_old(client, &k) < 0)
                    fail_msg("%s", ref_client_error(client));
            }
        assert_true(ref_surface_psnr(ref_client_surface(client, 0), c.px, c.stride, 0, 0, W, H) >= 43);
        ref_client_destroy(client);
    }
    canvas_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coefficients_of_the_fast_path_equal_the_plain_ones),
        cmocka_unit_test(progressive_steps_are_as_good_as_they_say),
        cmocka_unit_test(messages_for_surface_bits_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
