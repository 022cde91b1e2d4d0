/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/wire/zgfx.h"
#include "scene.h"

#include <freerdp/codec/zgfx.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Bytes with repetitions near and far, runs, and noise. */
static void fill(uint8_t *p, size_t n, const uint8_t *old, size_t old_len, uint32_t *seed)
{
    for (size_t i = 0; i < n;) {
        size_t k = 1 + scene_rand(seed) % 400;
        k = k > n - i ? n - i : k;
        switch (scene_rand(seed) % 5) {
        case 0:
            memset(p + i, (int)(scene_rand(seed) & 0xFF), k);
            break;
        case 1:
            for (size_t j = 0; j < k; j++)
                p[i + j] = (uint8_t)scene_rand(seed);
            break;
        case 2:
            for (size_t j = 0; j < k; j++)
                p[i + j] = (uint8_t)(scene_rand(seed) % 4);
            break;
        case 3: {
            size_t back = i ? 1 + scene_rand(seed) % i : 0;
            for (size_t j = 0; j < k; j++)
                p[i + j] = back ? p[i + j - back] : 7;
            break;
        }
        default:
            for (size_t j = 0, from = old_len > k ? scene_rand(seed) % (old_len - k) : 0; j < k; j++)
                p[i + j] = old_len > k ? old[from + j] : 9;
        }
        i += k;
    }
}

static void compressed_segments_decode_to_what_went_in(void **state)
{
    static uint8_t data[65535], old[65535], out[1 + 65536];
    struct zgfx *z = zgfx_create();
    ZGFX_CONTEXT *dec = zgfx_context_new(FALSE);
    uint32_t seed = 4711;
    size_t old_len = 0, in_bytes = 0, out_bytes = 0;
    for (int round = 0; round < 300; round++) {
        size_t len = 1 + scene_rand(&seed) % (round % 3 ? 3000 : 65535);
        fill(data, len, old, old_len, &seed);
        struct wr w;
        wr_init(&w, out, sizeof out);
        wr_u8(&w, 0xE0);
        assert_int_equal(zgfx_segment(z, data, len, scene_rand(&seed) % 10 == 0, &w), 0);
        assert_true(w.len <= len + 2);
        BYTE *got = NULL;
        UINT32 n = 0;
        assert_true(zgfx_decompress(dec, out, (UINT32)w.len, &got, &n, 0) >= 0);
        assert_int_equal(n, len);
        assert_memory_equal(got, data, len);
        free(got);
        in_bytes += len;
        out_bytes += w.len;
        memcpy(old, data, len);
        old_len = len;
        if (round == 200) {
            zgfx_reset(z);
            zgfx_context_reset(dec, FALSE);
        }
    }
    assert_true(out_bytes < in_bytes * 2 / 3);
    zgfx_destroy(z);
    zgfx_context_free(dec);
}

static void too_long_a_segment_is_refused(void **state)
{
    static uint8_t data[65536], out[65540];
    struct zgfx *z = zgfx_create();
    struct wr w;
    wr_init(&w, out, sizeof out);
    assert_int_equal(zgfx_segment(z, data, 65536, false, &w), -22);
    assert_int_equal(zgfx_segment(z, data, 0, false, &w), -22);
    wr_init(&w, out, 10);
    assert_int_equal(zgfx_segment(z, data, 10, false, &w), -90);
    zgfx_destroy(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_segments_decode_to_what_went_in),
        cmocka_unit_test(too_long_a_segment_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
