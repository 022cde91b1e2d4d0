/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/engine/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define TILE_BYTES (64u * 64 * 4)
#define LETTER_BYTES (8u * 12 * 4)

static uint64_t next_key = 1;

/* As the engine does it: evict what is named, and ask again. Returns how many were evicted. */
static unsigned keep(struct cache *c, uint64_t key, uint32_t bytes)
{
    uint16_t slot, old;
    unsigned evicted = 0;
    for (; (slot = cache_room(c, key, bytes, &old)) == 0; evicted++)
        assert_int_not_equal(old, 0);
    assert_true(slot <= c->limit);
    assert_true(c->slots[slot].key == key); /* not looked up: that is a use */
    assert_true(c->bytes <= c->bytes_limit && c->used <= c->limit);
    return evicted;
}

/* What can wait leaves room for what cannot. */
static void keep_tile(struct cache *c)
{
    while (!cache_fits_well(c, TILE_BYTES))
        assert_int_not_equal(cache_evict(c, TILE_BYTES), 0);
    assert_int_equal(keep(c, next_key++, TILE_BYTES), 0);
}

static void tiles_leave_room_for_letters(void **state)
{
    struct cache *c = *state;
    for (int i = 0; i < 3000; i++)
        keep_tile(c);
    uint64_t before = c->used;
    for (unsigned i = 0; i < CACHE_SPARE_BYTES / LETTER_BYTES && i < CACHE_SPARE_SLOTS; i++) {
        assert_true(cache_fits(c, LETTER_BYTES));
        assert_int_equal(keep(c, next_key++, LETTER_BYTES), 0);
    }
    assert_true(c->used > before);
}

/* Screens that come and go turn the tiles over, not the letters. */
static void letters_outlive_tiles(void **state)
{
    struct cache *c = *state;
    uint64_t letters = next_key;
    for (next_key += 400; next_key < letters + 800; next_key++)
        keep(c, next_key - 400, LETTER_BYTES);
    for (int i = 0; i < 5000; i++)
        keep_tile(c);
    for (uint64_t key = letters; key < letters + 400; key++)
        assert_int_not_equal(cache_find(c, key), 0);
}

/* Slots may be what is short: then letters make room for letters, and what was looked up since stays longer than what
 * was not. */
static void of_too_many_letters_those_stay_that_are_used(void **state)
{
    struct cache *c = *state;
    uint64_t used = next_key;
    for (next_key += 100; next_key < used + 200; next_key++)
        keep(c, next_key - 100, LETTER_BYTES);
    unsigned evicted = 0;
    for (int i = 0; i < 20000; i++) {
        evicted += keep(c, next_key++, LETTER_BYTES);
        if (i % 500 == 0)
            for (uint64_t key = used; key < used + 100; key++)
                assert_int_not_equal(cache_find(c, key), 0);
    }
    assert_true(evicted > 15000);
    assert_int_equal(c->used, c->limit);
}

/* Each slot is one entry's, whatever was evicted and reused in between. */
static void slots_are_used_again_one_by_one(void **state)
{
    struct cache *c = *state;
    static uint64_t owner[CACHE_SLOTS_SMALL + 1];
    uint16_t old;
    srand(5);
    for (int i = 0; i < 40000; i++) {
        uint64_t key = next_key++;
        if (rand() % 3 == 0 && c->used) {
            uint16_t gone = cache_evict(c, (uint32_t)(rand() % 2 ? TILE_BYTES : LETTER_BYTES));
            assert_int_equal(cache_find(c, owner[gone]), 0);
            owner[gone] = 0;
        }
        uint16_t slot = cache_room(c, key, 1 + (uint32_t)rand() % 4000, &old);
        if (slot) {
            assert_true(owner[slot] == 0);
            owner[slot] = key;
        } else {
            assert_int_not_equal(old, 0);
            owner[old] = 0;
        }
    }
    for (uint16_t slot = 1; slot <= CACHE_SLOTS_SMALL; slot++)
        assert_true(owner[slot] == 0 || cache_find(c, owner[slot]) == slot);
    cache_reset(c);
    assert_int_equal(c->used, 0);
    assert_int_equal(keep(c, next_key++, LETTER_BYTES), 0);
}

static int create(void **state)
{
    static const uint8_t salt[CACHE_SALT_BYTES] = {1};
    struct cache *c = aligned_alloc(_Alignof(struct cache), sizeof *c);
    *state = c;
    return c && cache_init(c, true, salt) == 0 ? 0 : -1;
}

static int destroy(void **state)
{
    cache_finish(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tiles_leave_room_for_letters, create, destroy),
        cmocka_unit_test_setup_teardown(letters_outlive_tiles, create, destroy),
        cmocka_unit_test_setup_teardown(of_too_many_letters_those_stay_that_are_used, create, destroy),
        cmocka_unit_test_setup_teardown(slots_are_used_again_one_by_one, create, destroy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
