/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose bytes leave next: units that name their class and number go in at random, and what comes out is read again. */
#include "server/peer/traffic_queue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct traffic_bulk roomy = {.most = 16384, .slice = 16384}, held = {.most = 0, .slice = 1600};

/* What a unit begins with. `ordered`: how many ordered ones were written before it; `all`: how many of any class. */
struct head {
    uint32_t len, traffic, number, ordered, all;
};
struct rig {
    struct traffic_queue q;
    uint32_t written[TRAFFIC_CLASSES], read[TRAFFIC_CLASSES];
    uint8_t part[200000]; /* of a unit that came in several records */
    size_t npart;
    size_t bytes[TRAFFIC_CLASSES]; /* that were taken */
};

static struct rig *rig_make(enum traffic_gate gate)
{
    struct rig *g = calloc(1, sizeof *g);
    assert_non_null(g);
    traffic_queue_init(&g->q);
    assert_int_equal(traffic_queue_set_gate(&g->q, gate), 0);
    return g;
}

static void rig_end(struct rig *g)
{
    traffic_queue_finish(&g->q);
    free(g);
}

static uint32_t sum(const uint32_t *counts)
{
    uint32_t n = 0;
    for (int c = 0; c < TRAFFIC_CLASSES; c++)
        n += counts[c];
    return n;
}

static void put(struct rig *g, enum traffic_class traffic, size_t len)
{
    static uint8_t unit[200000];
    struct head h = {.len = (uint32_t)len,
        .traffic = traffic,
        .number = g->written[traffic],
        .ordered = g->written[TRAFFIC_ORDERED],
        .all = sum(g->written)};
    memset(unit, (int)traffic, len);
    memcpy(unit, &h, sizeof h);
    g->written[traffic]++;
    traffic_queue_begin(&g->q, traffic);
    for (size_t at = 0, n; at < len; at += n) { /* the library writes a PDU in one or two pieces */
        n = len - at > 700 && at == 0 ? 700 : len - at;
        assert_int_equal(traffic_queue_write(&g->q, TRAFFIC_CONTROL, unit + at, n), 0);
    }
    assert_int_equal(traffic_queue_end(&g->q), 0);
}

static void check_unit(struct rig *g, const struct head *h, bool in_order)
{
    assert_int_equal(h->number, g->read[h->traffic]);       /* in its class's order */
    assert_int_equal(h->ordered, g->read[TRAFFIC_ORDERED]); /* overtaken by nothing ordered, and overtaking none */
    if (h->traffic == TRAFFIC_ORDERED || in_order)
        assert_int_equal(h->all, sum(g->read));
    g->read[h->traffic]++;
}

/* Takes a record. Returns its class; TRAFFIC_CLASSES: there is none. */
static enum traffic_class get(struct rig *g, const struct traffic_bulk *bulk)
{
    struct traffic_record r;
    if (!traffic_queue_next(&g->q, bulk, &r))
        return TRAFFIC_CLASSES;
    assert_in_range(r.len, 1, TRAFFIC_RECORD);
    memcpy(g->part + g->npart, r.data, r.len);
    g->npart += r.len;
    g->bytes[r.traffic] += r.len;
    size_t at = 0;
    for (struct head h; g->npart - at >= sizeof h; at += h.len) {
        memcpy(&h, g->part + at, sizeof h);
        assert_int_equal(h.traffic, r.traffic); /* one class a record */
        if (h.len > g->npart - at) {
            assert_true(h.len > TRAFFIC_RECORD && at == 0); /* only what is longer than a record is cut */
            break;
        }
        check_unit(g, &h, g->q.gate == TRAFFIC_IN_ORDER);
    }
    g->npart -= at;
    memmove(g->part, g->part + at, g->npart);
    traffic_queue_taken(&g->q, &r);
    return r.traffic;
}

static size_t random_length(void)
{
    switch (rand() % 8) {
    case 0:
        return sizeof(struct head) + (size_t)(rand() % 60000);
    case 1:
        return 1614;
    default:
        return sizeof(struct head) + (size_t)(rand() % 2000);
    }
}

static void whatever_is_written_every_class_keeps_its_order_and_nothing_passes_what_is_ordered(void **state)
{
    for (unsigned seed = 0; seed < 60; seed++) {
        struct rig *g = rig_make(seed % 4 ? TRAFFIC_OPEN : TRAFFIC_IN_ORDER);
        srand(seed);
        for (int step = 0; step < 3000; step++) {
            enum traffic_class c = rand() % 50 ? (enum traffic_class)(1 + rand() % 4) : TRAFFIC_ORDERED;
            if (rand() % 2 && g->q.bytes[c] < 30000)
                put(g, c, c == TRAFFIC_SOUND ? 200 : random_length());
            else
                get(g, rand() % 2 ? &roomy : &held);
        }
        while (get(g, &roomy) != TRAFFIC_CLASSES)
            ;
        assert_memory_equal(g->read, g->written, sizeof g->read);
        assert_int_equal(traffic_queue_total(&g->q), 0);
        rig_end(g);
    }
}

static void the_higher_class_leaves_first(void **state)
{
    struct rig *g = rig_make(TRAFFIC_OPEN);
    for (int c = TRAFFIC_BULK; c >= TRAFFIC_CONTROL; c--)
        put(g, (enum traffic_class)c, 100);
    for (int c = TRAFFIC_CONTROL; c <= TRAFFIC_BULK; c++)
        assert_int_equal(get(g, &roomy), c);
    rig_end(g);
}

static void before_the_login_nothing_overtakes_anything(void **state)
{
    struct rig *g = rig_make(TRAFFIC_IN_ORDER);
    put(g, TRAFFIC_PICTURE, 5000);
    put(g, TRAFFIC_CONTROL, 100);
    assert_int_equal(get(g, &roomy), TRAFFIC_PICTURE);
    assert_int_equal(get(g, &roomy), TRAFFIC_CONTROL);
    rig_end(g);
}

static void while_shut_only_what_is_ordered_leaves_and_the_rest_follows(void **state)
{
    struct rig *g = rig_make(TRAFFIC_OPEN);
    put(g, TRAFFIC_PICTURE, 5000);
    assert_int_equal(traffic_queue_set_gate(&g->q, TRAFFIC_SHUT), 0);
    put(g, TRAFFIC_ORDERED, 50); /* Deactivate All */
    put(g, TRAFFIC_CONTROL, 100);
    put(g, TRAFFIC_BULK, 100);
    assert_int_equal(get(g, &roomy), TRAFFIC_PICTURE);
    assert_int_equal(get(g, &roomy), TRAFFIC_ORDERED);
    assert_int_equal(get(g, &roomy), TRAFFIC_CLASSES);
    assert_true(traffic_queue_full(&g->q, TRAFFIC_CONTROL, 1600));
    struct head h = {.len = 50, .traffic = TRAFFIC_ORDERED, .number = 1, .ordered = 1, .all = sum(g->read)};
    uint8_t font_map[50] = {0};
    memcpy(font_map, &h, sizeof h);
    assert_int_equal(traffic_queue_write(&g->q, TRAFFIC_ORDERED, font_map, sizeof font_map), 0);
    struct traffic_record r; /* written last, and first on the stream */
    assert_true(traffic_queue_next(&g->q, &roomy, &r));
    assert_int_equal(r.traffic, TRAFFIC_ORDERED);
    traffic_queue_taken(&g->q, &r);
    assert_false(traffic_queue_next(&g->q, &roomy, &r));
    assert_int_equal(traffic_queue_set_gate(&g->q, TRAFFIC_OPEN), 0);
    assert_int_equal(get(g, &roomy), TRAFFIC_CONTROL);
    assert_int_equal(get(g, &roomy), TRAFFIC_BULK);
    assert_false(traffic_queue_full(&g->q, TRAFFIC_CONTROL, 1600));
    rig_end(g);
}

static void nothing_comes_between_the_records_of_a_long_unit(void **state)
{
    struct rig *g = rig_make(TRAFFIC_OPEN);
    put(g, TRAFFIC_PICTURE, 100000);
    assert_int_equal(get(g, &roomy), TRAFFIC_PICTURE);
    put(g, TRAFFIC_CONTROL, 100);
    put(g, TRAFFIC_ORDERED, 100);
    for (int i = 0; i < 6; i++)
        assert_int_equal(get(g, &roomy), TRAFFIC_PICTURE);
    assert_int_equal(get(g, &roomy), TRAFFIC_CONTROL);
    assert_int_equal(get(g, &roomy), TRAFFIC_ORDERED);
    rig_end(g);
}

/* All that is named keeps waiting; returns the percentage of the bytes that `of` had. */
static double share_of(enum traffic_class of, enum traffic_class beside, const struct traffic_bulk *bulk)
{
    struct rig *g = rig_make(TRAFFIC_OPEN);
    while (g->bytes[of] + g->bytes[beside] < 4000000) {
        while (g->q.bytes[beside] < 40000)
            put(g, beside, 1614);
        while (g->q.bytes[of] < 4000)
            put(g, of, 1614);
        assert_int_not_equal(get(g, bulk), TRAFFIC_CLASSES);
    }
    double share = (double)g->bytes[of] * 100 / (double)(g->bytes[of] + g->bytes[beside]);
    rig_end(g);
    return share;
}

static void bulk_has_a_tenth_where_pictures_fill_the_link(void **state)
{
    assert_in_range((int)(share_of(TRAFFIC_BULK, TRAFFIC_PICTURE, &held) * 100), 950, 1050);
    assert_in_range((int)(share_of(TRAFFIC_BULK, TRAFFIC_PICTURE, &roomy) * 100), 950, 1050);
}

static void pictures_have_a_quarter_where_pointers_flood_the_link(void **state)
{
    assert_in_range((int)share_of(TRAFFIC_PICTURE, TRAFFIC_CONTROL, &roomy), 24, 26);
}

/* The tenth comes in slices: a key's echo waits for no more. */
static void what_bulk_earned_leaves_in_records_of_a_slice(void **state)
{
    struct rig *g = rig_make(TRAFFIC_OPEN);
    for (int i = 0; i < 200; i++) {
        while (g->q.bytes[TRAFFIC_PICTURE] < 40000)
            put(g, TRAFFIC_PICTURE, 1614);
        while (g->q.bytes[TRAFFIC_BULK] < 20000)
            put(g, TRAFFIC_BULK, 1000);
        size_t before = g->bytes[TRAFFIC_BULK], in_a_row = 0;
        while (get(g, &held) == TRAFFIC_BULK) {
            assert_true(g->bytes[TRAFFIC_BULK] - before <= held.slice);
            in_a_row += g->bytes[TRAFFIC_BULK] - before;
            before = g->bytes[TRAFFIC_BULK];
        }
        assert_true(in_a_row <= 2 * held.slice);
    }
    assert_true(g->bytes[TRAFFIC_BULK] > 0);
    rig_end(g);
}

static void where_the_link_is_full_bulk_waits(void **state)
{
    struct rig *g = rig_make(TRAFFIC_OPEN);
    put(g, TRAFFIC_BULK, 1614);
    assert_int_equal(get(g, &held), TRAFFIC_CLASSES);
    assert_int_equal(get(g, &roomy), TRAFFIC_BULK);
    rig_end(g);
}

static void over_its_ceiling_a_class_is_refused(void **state)
{
    static uint8_t unit[1614];
    for (int c = 0; c < TRAFFIC_CLASSES; c++) {
        struct rig *g = rig_make(TRAFFIC_OPEN);
        int r, n = 0;
        while ((r = traffic_queue_write(&g->q, (enum traffic_class)c, unit, sizeof unit)) == 0)
            n++;
        assert_int_equal(r, -ENOBUFS);
        assert_true(traffic_queue_full(&g->q, (enum traffic_class)c, 1600));
        assert_in_range(n, 30, 4000);
        rig_end(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_written_every_class_keeps_its_order_and_nothing_passes_what_is_ordered),
        cmocka_unit_test(the_higher_class_leaves_first),
        cmocka_unit_test(before_the_login_nothing_overtakes_anything),
        cmocka_unit_test(while_shut_only_what_is_ordered_leaves_and_the_rest_follows),
        cmocka_unit_test(nothing_comes_between_the_records_of_a_long_unit),
        cmocka_unit_test(bulk_has_a_tenth_where_pictures_fill_the_link),
        cmocka_unit_test(pictures_have_a_quarter_where_pointers_flood_the_link),
        cmocka_unit_test(what_bulk_earned_leaves_in_records_of_a_slice),
        cmocka_unit_test(where_the_link_is_full_bulk_waits),
        cmocka_unit_test(over_its_ceiling_a_class_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
