/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codecs/compare.h"

#define W 96
#define H 20

static void noise(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)rand();
}

static void the_fast_path_equals_the_plain_one_on_random_blocks(void **state)
{
    static uint8_t src[4 * W * H + 3], a[4 * W * H], b[4 * W * H];
    const struct compare_ops *best = compare_best();
    srand(1);
    for (int round = 0; round < 4000; round++) {
        int w = 1 + rand() % W, h = 1 + rand() % H, off = rand() % 4;
        noise(src, sizeof src);
        compare_c.absorb(a, 4 * W, src + off, 4 * W, W, H - 1, &(struct box){0});
        memcpy(b, a, sizeof a);
        for (int k = rand() % 4; k; k--)
            src[off + 4 * W * (rand() % (H - 1)) + rand() % (4 * W)] ^= 0x10;
        struct box x, y;
        if (h == H)
            h--;
        assert_int_equal(compare_c.diff(a, 4 * W, b, 4 * W, w, h, &x), 0);
        assert_int_equal(compare_c.absorb(a, 4 * W, src + off, 4 * W, w, h, &x), best->absorb(b, 4 * W, src + off, 4 * W, w, h, &y));
        assert_memory_equal(&x, &y, sizeof x);
        assert_memory_equal(a, b, sizeof a);
        a[4 * (rand() % (W * H))] ^= 1;
        assert_int_equal(compare_c.diff(a, 4 * W, b, 4 * W, w, h, &x), best->diff(a, 4 * W, b, 4 * W, w, h, &y));
        assert_memory_equal(&x, &y, sizeof x);
        for (int i = 0; i < W * H; i++)
            memcpy(a + 4 * i, "abc", 4);
        a[4 * (rand() % (W * H))] ^= (uint8_t)(rand() % 2);
        assert_int_equal(compare_c.uniform(a, 4 * W, w, h), best->uniform(a, 4 * W, w, h));
    }
}

static void the_unused_byte_of_a_pixel_is_no_difference(void **state)
{
    uint8_t src[4 * 9] = {0}, dst[4 * 9] = {0};
    struct box b;
    const struct compare_ops *ops[] = {&compare_c, compare_best()};
    for (int i = 0; i < 2; i++) {
        ops[i]->absorb(dst, 36, src, 36, 9, 1, &b);
        src[3] = 0x55;
        src[35] = 0xAA;
        assert_false(ops[i]->absorb(dst, 36, src, 36, 9, 1, &b));
        assert_true(box_empty(&b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fast_path_equals_the_plain_one_on_random_blocks),
        cmocka_unit_test(the_unused_byte_of_a_pixel_is_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
