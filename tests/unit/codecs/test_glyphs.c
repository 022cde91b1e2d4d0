/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/exact/glyphs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAPER 0xFFFFFFFFu

static uint32_t line[GLYPH_SIDE][INK_COLUMNS_MAX];
static struct box found[GLYPHS_OF_LINE];

static bool has_ink(int x, int rows)
{
    bool ink = false;
    for (int y = 0; y < rows; y++)
        ink |= line[y][x] != PAPER;
    return ink;
}

/* The same, slowly: from the x-th column on. */
static struct box next_piece(int x, int width, int rows)
{
    while (x < width && !has_ink(x, rows))
        x++;
    struct box b = {x, rows, x, 0};
    for (; b.x1 < width && has_ink(b.x1, rows); b.x1++)
        for (int y = 0; y < rows; y++)
            if (line[y][b.x1] != PAPER) {
                b.y0 = y < b.y0 ? y : b.y0;
                b.y1 = y + 1 > b.y1 ? y + 1 : b.y1;
            }
    return b;
}

static void a_line_is_cut_at_its_blank_columns_and_each_piece_is_tight(void **state)
{
    struct glyphs *g = *state;
    for (int round = 0; round < 400; round++) {
        int width = 1 + rand() % (round % 10 ? 200 : INK_COLUMNS_MAX), rows = 1 + rand() % GLYPH_SIDE,
            ink = 1 + rand() % 200, x = 0;
        for (int y = 0; y < rows; y++)
            for (int k = 0; k < width; k++)
                line[y][k] = rand() % (ink * rows) < 20 ? (uint32_t)rand() | 0xFF000000u : PAPER;
        int n = glyphs_cut(g, (const uint8_t *)line, sizeof line[0], width, rows, PAPER, found);
        for (int i = 0; i < n; i++) {
            struct box b = next_piece(x, width, rows);
            assert_memory_equal(&found[i], &b, sizeof b);
            x = b.x1;
        }
        assert_int_equal(next_piece(x, width, rows).x0, width); /* nothing is left out */
    }
}

static void blank_and_full_lines_fit(void **state)
{
    struct glyphs *g = *state;
    memset(line, 0xFF, sizeof line);
    assert_int_equal(glyphs_cut(g, (const uint8_t *)line, sizeof line[0], INK_COLUMNS_MAX, GLYPH_SIDE, PAPER, found),
        0);
    for (int x = 0; x < INK_COLUMNS_MAX; x += 2)
        line[x % GLYPH_SIDE][x] = 0;
    assert_int_equal(glyphs_cut(g, (const uint8_t *)line, sizeof line[0], INK_COLUMNS_MAX, GLYPH_SIDE, PAPER, found),
        INK_COLUMNS_MAX / 2);
    assert_int_equal(glyphs_cut(g, (const uint8_t *)line, sizeof line[0], INK_COLUMNS_MAX, GLYPH_SIDE, 0xFF123456u,
                         found),
        1);
    assert_int_equal(found[0].x1, INK_COLUMNS_MAX);
}

static void both_paths_see_the_same_ink(void **state)
{
    static struct ink_columns plain, fast;
    for (int round = 0; round < 400; round++) {
        int width = 1 + rand() % (round % 10 ? 200 : INK_COLUMNS_MAX), rows = 1 + rand() % INK_ROWS_MAX,
            ink = 1 + rand() % 200;
        for (int y = 0; y < rows; y++)
            for (int k = 0; k < width; k++)
                line[y][k] = rand() % (ink * rows) < 20 ? (uint32_t)rand() | 0xFF000000u : PAPER;
        ink_scan_c(&plain, (const uint8_t *)line, sizeof line[0], width, rows, PAPER);
        ink_scan_best()(&fast, (const uint8_t *)line, sizeof line[0], width, rows, PAPER);
        assert_memory_equal(plain.hash, fast.hash, (size_t)width * sizeof plain.hash[0]);
        assert_memory_equal(plain.on, fast.on, (size_t)width);
        assert_memory_equal(plain.off, fast.off, (size_t)width);
    }
}

/* A letter of random ink without a blank column, at x, y of a line that has other ink. Returns its width. */
static int write_letter(unsigned seed, int x, int y)
{
    int width = 1 + (int)(seed % 20);
    for (int k = 0; k < width; k++) {
        int on = (int)((seed * 2654435761u >> (k % 24)) % 12);
        for (int i = on; i <= on + (int)(seed + (unsigned)k) % 4; i++)
            line[y + i][x + k] = (seed * 40503u + (unsigned)(k * 17 + i)) | 0xFF000000u;
    }
    return width;
}

static uint64_t name_at(struct glyphs *g, unsigned seed, int x, int y, int rows)
{
    memset(line, 0xFF, sizeof line);
    write_letter(seed + 1, x - 22, y);
    int width = write_letter(seed, x, y);
    write_letter(seed + 2, x + width, y + 1);
    glyphs_cut(g, (const uint8_t *)line, sizeof line[0], 200, rows, PAPER, found);
    return glyphs_name(g, x, width);
}

static void a_letter_has_one_name_wherever_it_stands(void **state)
{
    struct glyphs *g = *state;
    uint64_t last = 0;
    for (unsigned seed = 1; seed < 500; seed++) {
        uint64_t name = name_at(g, seed, 30 + rand() % 100, rand() % 30, GLYPH_SIDE);
        assert_true(name == name_at(g, seed, 30 + rand() % 100, rand() % 10, 30));
        assert_true(name != last);
        last = name;
    }
}

static void what_is_known_is_found_where_it_begins(void **state)
{
    struct glyphs *g = *state;
    memset(line, 0xFF, sizeof line);
    int a = write_letter(7, 10, 5), b = write_letter(13, 10 + a, 5), c = write_letter(2, 10 + a + b, 5),
        end = 10 + a + b + c;
    glyphs_cut(g, (const uint8_t *)line, sizeof line[0], 100, 40, PAPER, found);
    assert_int_equal(glyphs_widths(g, 10 + a, end), 0);
    glyphs_learn(g, 10 + a, b);
    glyphs_learn(g, 10 + a, 3);
    assert_true(glyphs_knows(g, glyphs_name(g, 10 + a, b)));
    assert_false(glyphs_knows(g, glyphs_name(g, 10, a)));
    assert_true(glyphs_widths(g, 10 + a, end) == (1ull << (b - 1) | 1ull << 2));
    assert_true(glyphs_widths(g, 10 + a, 10 + a + b - 1) == 1ull << 2); /* no further than the end */
    assert_true(glyphs_widths(g, end - 2, end) == 1ull << 1);           /* too near to it to look for a head */
}

static void what_comes_often_is_counted_and_a_newcomer_takes_the_place(void **state)
{
    struct glyphs *g = *state;
    uint64_t a = 0x1234500000000007u, b = 0x5432100000000007u;
    for (int i = 1; i <= GLYPHS_OFTEN; i++)
        assert_int_equal(glyphs_count(g, a), i);
    assert_int_equal(glyphs_count(g, a), GLYPHS_OFTEN);
    assert_int_equal(glyphs_count(g, b), 1);
    assert_int_equal(glyphs_count(g, a), 1);
}

static void those_of_one_slot_are_a_chain_in_their_order(void **state)
{
    struct glyphs *g = *state;
    static bool seen[GLYPHS_MAX];
    for (int round = 0; round < 3; round++) {
        int n = 0;
        memset(seen, 0, sizeof seen);
        for (int i = 0; i < GLYPHS_MAX; i++)
            glyphs_place(g, (uint16_t)(1 + rand() % 50 * 600), i % 1920, i / 1920);
        assert_int_equal(g->nslots, 50);
        for (int k = 0; k < g->nslots; k++)
            for (int i = g->first[k] + 1, before = 0; i; before = i, i = g->placed[i - 1].next, n++) {
                assert_true(i > before && !seen[i - 1]);
                assert_int_equal(g->placed[i - 1].slot, g->placed[g->first[k]].slot);
                assert_int_equal(g->placed[i - 1].y * 1920 + g->placed[i - 1].x, i - 1);
                seen[i - 1] = true;
            }
        assert_int_equal(n, GLYPHS_MAX);
        glyphs_drop(g);
        assert_int_equal(g->nslots, 0);
    }
}

static int create(void **state)
{
    srand(7);
    return (*state = glyphs_create()) ? 0 : -1;
}

static int destroy(void **state)
{
    glyphs_destroy(*state);
    glyphs_destroy(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_cut_at_its_blank_columns_and_each_piece_is_tight, create, destroy),
        cmocka_unit_test_setup_teardown(blank_and_full_lines_fit, create, destroy),
        cmocka_unit_test(both_paths_see_the_same_ink),
        cmocka_unit_test_setup_teardown(a_letter_has_one_name_wherever_it_stands, create, destroy),
        cmocka_unit_test_setup_teardown(what_is_known_is_found_where_it_begins, create, destroy),
        cmocka_unit_test_setup_teardown(what_comes_often_is_counted_and_a_newcomer_takes_the_place, create, destroy),
        cmocka_unit_test_setup_teardown(those_of_one_slot_are_a_chain_in_their_order, create, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
