/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/video/yuv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void both_paths_give_the_same_planes_for_any_size(void **state)
{
    enum { W = 80, H = 48 };
    static uint8_t px[W * H * 4], a[W * H * 3 / 2], b[W * H * 3 / 2];
    srand(3);
    for (size_t i = 0; i < sizeof px; i++)
        px[i] = (uint8_t)rand();
    for (int round = 0; round < 400; round++) {
        int w = 1 + rand() % W, h = 1 + rand() % H, pw = (w + 15) & ~15, ph = (h + 15) & ~15;
        struct yuv x = {a, a + pw * ph, a + pw * ph * 5 / 4, pw, ph}, y = {b, b + pw * ph, b + pw * ph * 5 / 4, pw, ph};
        yuv420_from_bgrx(&x, px, W * 4, w, h, true);
        yuv420_from_bgrx(&y, px, W * 4, w, h, false);
        assert_memory_equal(a, b, (size_t)(pw * ph * 3 / 2));
    }
}

static void black_white_and_primaries_are_full_range_bt709(void **state)
{
    static const struct {
        uint8_t bgr[3];
        uint8_t y, u, v;
    } cases[] = {
        {{0, 0, 0}, 0, 128, 128},
        {{255, 255, 255}, 255, 128, 128},
        {{0, 0, 255}, 54, 99, 255},
        {{0, 255, 0}, 182, 30, 12},
        {{255, 0, 0}, 18, 255, 116},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t px[16], y[4], u, v;
        for (int k = 0; k < 4; k++)
            memcpy(px + 4 * k, cases[i].bgr, 3);
        struct yuv o = {y, &u, &v, 2, 2};
        yuv420_from_bgrx(&o, px, 8, 2, 2, false);
        assert_in_range(y[3], cases[i].y - (cases[i].y > 0), cases[i].y + 1);
        assert_in_range(u, cases[i].u - 1, cases[i].u + 1);
        assert_in_range(v, cases[i].v - 1, cases[i].v + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_paths_give_the_same_planes_for_any_size),
        cmocka_unit_test(black_white_and_primaries_are_full_range_bt709),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
