/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/change/compare.h"
#include "codecs/change/patterns.h"
#include "codecs/engine/siphash.h"
#include "codecs/exact/clear_columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
        assert_int_equal(compare_c.absorb(a, 4 * W, src + off, 4 * W, w, h, &x),
            best->absorb(b, 4 * W, src + off, 4 * W, w, h, &y));
        assert_memory_equal(&x, &y, sizeof x);
        assert_memory_equal(a, b, sizeof a);
        bool differs = rand() % 2;
        a[4 * (rand() % w)] ^= differs;
        static uint8_t c[4 * W], d[4 * W];
        bool same = compare_c.follow(c, src + off, a, w);
        assert_int_equal(best->follow(d, src + off, a, w), same);
        assert_int_equal(same, !differs);
        assert_memory_equal(c, d, sizeof c);
        assert_memory_equal(c, b, 4 * (size_t)w);
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

/* Few values, so that equal neighbours, turns and steps all occur. */
static void patches(uint8_t *p, int pixels)
{
    for (int i = 0; i < pixels; i++) {
        uint32_t v = 0xFF000000u | (uint32_t)(rand() % 3 * 0x1E) << (8 * (rand() % 3)) | (rand() % 4 ? 0 : 0x404040u);
        memcpy(p + 4 * i, &v, 4);
    }
}

static void texture_and_hash_of_the_fast_path_equal_the_plain_ones(void **state)
{
    static uint8_t px[4 * 64 * 64];
    static struct hash_key key;
    const struct compare_ops *best = compare_best();
    srand(2);
    for (size_t i = 0; i < sizeof key.words / 4; i++)
        key.words[i] = (uint32_t)rand() << 16 ^ (uint32_t)rand();
    for (int round = 0; round < 4000; round++) {
        int w = rand() % 3 ? 8 * (1 + rand() % 8) : 1 + rand() % 64, h = 1 + rand() % 64, x = rand() % (65 - w);
        struct texture a, b;
        patches(px, 64 * 64);
        compare_c.texture(px + 4 * x, 4 * 64, w, h, &a);
        best->texture(px + 4 * x, 4 * 64, w, h, &b);
        assert_memory_equal(&a, &b, sizeof a);
        for (int percent = 0; percent <= 100; percent += 10)
            assert_int_equal(compare_c.is_calm(px + 4 * x, 4 * 64, w, h, percent),
                best->is_calm(px + 4 * x, 4 * 64, w, h, percent));
        uint64_t hash[2], other[2];
        best->hash(&key, px + 4 * x, 4 * 64, w, h, hash);
        compare_c.hash(&key, px + 4 * x, 4 * 64, w, h, other);
        assert_memory_equal(hash, other, sizeof hash);
        px[4 * (x + rand() % w + 64 * (rand() % h)) + rand() % 3] ^= 1;
        best->hash(&key, px + 4 * x, 4 * 64, w, h, other);
        assert_true(hash[0] != other[0] && hash[1] != other[1]);
    }
}

static void patterns_of_the_fast_path_equal_the_plain_ones(void **state)
{
    const struct pattern_ops *best = pattern_best();
    uint32_t rows[3][PATTERNS_MAX], same[3][PATTERNS_MAX], h[PATTERNS_MAX], other[PATTERNS_MAX];
    srand(4);
    for (int round = 0; round < 4000; round++) {
        int n = rand() % 2 ? PATTERNS_MAX : 1 + rand() % PATTERNS_MAX, pixels = n + PATTERN_WIDTH - (n < PATTERNS_MAX);
        uint8_t *px = malloc(4 * (size_t)pixels); /* as long as may be read */
        for (int r = 0; r < 3; r++) {
            patches(px, pixels);
            pattern_c.hash_row(px, n, rows[r]);
            best->hash_row(px, n, same[r]);
            assert_memory_equal(rows[r], same[r], (size_t)n * 4);
        }
        free(px);
        pattern_c.mix_rows(rows[0], rows[1], rows[2], n, h);
        best->mix_rows(rows[0], rows[1], rows[2], n, other);
        assert_memory_equal(h, other, (size_t)n * 4);
        h[rand() % n] &= ~0x3Fu;
        assert_true(pattern_c.chosen(h, n) == best->chosen(h, n));
    }
}

/* Every second column or so of one colour, but for a pixel now and then. */
static void flatten_columns(uint8_t *px, int w, int h)
{
    for (int x = 0; x < w; x++) {
        bool flat = rand() % 2;
        for (int y = 1; y < h && flat; y++)
            memcpy(px + 4 * (y * 300 + x), px + 4 * x, 4);
        if (rand() % 4 == 0)
            px[4 * (rand() % h * 300 + x) + rand() % 4] ^= 1;
    }
}

static void columns_of_the_fast_path_equal_the_plain_ones(void **state)
{
    static uint8_t px[4 * 300 * 52], covered[300], moving[300], plain[300];
    static struct columns a, b;
    const struct column_ops *best = column_ops_best();
    srand(3);
    for (int round = 0; round < 4000; round++) {
        int w = 1 + rand() % 300, h = 1 + rand() % 52;
        uint32_t back;
        patches(px, 300 * h);
        memcpy(&back, px, 4);
        column_ops_c.scan(&a, px, 4 * 300, w, h, back);
        best->scan(&b, px, 4 * 300, w, h, back);
        assert_memory_equal(a.hash, b.hash, (size_t)w * sizeof a.hash[0]);
        assert_memory_equal(a.on, b.on, (size_t)w);
        assert_memory_equal(a.off, b.off, (size_t)w);
        for (int i = 0; i < w; i++)
            covered[i] = rand() % 8 ? 0xFF : 0;
        for (int x = 0; x < w; x++)
            assert_int_equal(column_ops_c.residual_run(px + 4 * x, covered + x, w - x, back, round % 2),
                best->residual_run(px + 4 * x, covered + x, w - x, back, round % 2));
        flatten_columns(px, w, h);
        column_ops_c.find_moving(px, 4 * 300, w, h, plain);
        best->find_moving(px, 4 * 300, w, h, moving);
        assert_memory_equal(plain, moving, (size_t)w);
    }
}

/* Of the reference program's table: key 00 01 … 0f, input 00 01 … */
static void siphash_gives_the_published_values(void **state)
{
    static const uint64_t key[] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    assert_true(siphash(key, key, 0) == 0x726fdb47dd0e0e31u);
    assert_true(siphash(key, key, 1) == 0x93f5f5799a932462u);
    assert_true(siphash(key, key, 2) == 0x3f2acc7f57c29bdbu);
}

/* What a hash without a key, or one whose words are used twice, would not see. */
static void hashes_see_where_a_pixel_stands_and_depend_on_the_key(void **state)
{
    static struct hash_key key, other_key;
    static uint8_t px[4 * 64 * 64];
    uint64_t hash[2], other[2];
    srand(4);
    for (size_t i = 0; i < sizeof key.words / 4; i++) {
        key.words[i] = (uint32_t)rand() << 16 ^ (uint32_t)rand();
        other_key.words[i] = (uint32_t)rand() << 16 ^ (uint32_t)rand();
    }
    patches(px, 64 * 64);
    compare_best()->hash(&key, px, 4 * 64, 64, 64, hash);
    compare_best()->hash(&other_key, px, 4 * 64, 64, 64, other);
    assert_true(hash[0] != other[0] && hash[1] != other[1]);
    for (int i = 0; i < 64 * 63; i++) {
        uint32_t a, b;
        memcpy(&a, px + 4 * i, 4);
        memcpy(&b, px + 4 * (i + 64), 4);
        memcpy(px + 4 * i, &b, 4);
        memcpy(px + 4 * (i + 64), &a, 4);
        compare_best()->hash(&key, px, 4 * 64, 64, 64, other);
        assert_true(a == b || (hash[0] != other[0] && hash[1] != other[1]));
        memcpy(px + 4 * i, &a, 4);
        memcpy(px + 4 * (i + 64), &b, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fast_path_equals_the_plain_one_on_random_blocks),
        cmocka_unit_test(texture_and_hash_of_the_fast_path_equal_the_plain_ones),
        cmocka_unit_test(patterns_of_the_fast_path_equal_the_plain_ones),
        cmocka_unit_test(siphash_gives_the_published_values),
        cmocka_unit_test(hashes_see_where_a_pixel_stands_and_depend_on_the_key),
        cmocka_unit_test(columns_of_the_fast_path_equal_the_plain_ones),
        cmocka_unit_test(the_unused_byte_of_a_pixel_is_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
