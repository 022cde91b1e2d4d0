/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/agent/silence.h"

#include "session/display/damage.h"

#include <string.h>

void silence_size(struct silence *s, uint32_t width, uint32_t height)
{
    if (s->width == width && s->height == height)
        return;
    *s = (struct silence){.width = width, .height = height};
    for (unsigned y = 0; y < SILENCE_SIDE; y++)
        for (unsigned x = 0; x < SILENCE_SIDE; x++)
            s->cells[y][x].old_gap_us = SILENCE_UNKNOWN;
}

static unsigned cell_of(int32_t at, uint32_t length)
{
    uint32_t pixel = at < 0 ? 0 : (uint32_t)at;
    return pixel < length ? pixel * SILENCE_SIDE / length : SILENCE_SIDE - 1;
}

static void mark(const struct silence *s, const pixman_region32_t *damage, uint16_t rows[SILENCE_SIDE])
{
    int n;
    const pixman_box32_t *b = pixman_region32_rectangles((pixman_region32_t *)damage, &n);
    for (int i = 0; i < n; i++) {
        unsigned first = cell_of(b[i].x1, s->width), last = cell_of(b[i].x2 - 1, s->width),
                 bottom = cell_of(b[i].y2 - 1, s->height);
        uint16_t row = (uint16_t)((2u << last) - (1u << first));
        for (unsigned y = cell_of(b[i].y1, s->height); y <= bottom; y++)
            rows[y] |= row;
    }
}

/* Whether a cell of `rows` is one of the present picture, or a neighbour of one. */
static bool touches(const struct silence *s, const uint16_t rows[SILENCE_SIDE])
{
    for (unsigned y = 0; y < SILENCE_SIDE; y++) {
        unsigned near = s->picture[y] | (y ? s->picture[y - 1] : 0u) | (y + 1 < SILENCE_SIDE ? s->picture[y + 1] : 0u);
        if ((near | near << 1 | near >> 1) & rows[y])
            return true;
    }
    return false;
}

static void learn_gap(struct silence_cell *c, uint64_t gap_us)
{
    if (gap_us > c->gap_us)
        c->gap_us = (uint16_t)gap_us;
}

static void learn_parts(struct silence_cell *c, uint64_t pictures)
{
    c->in_parts = (uint8_t)pictures;
}

/* One more picture is over. A gap lives on as the former one, and is forgotten after that. */
static void count_picture(struct silence_cell *c, uint64_t unused)
{
    c->in_parts -= c->in_parts > 0;
    if (++c->pictures < SILENCE_PICTURES)
        return;
    c->old_gap_us = c->gap_us;
    c->gap_us = c->pictures = 0;
}

static void for_picture(struct silence *s, void (*act)(struct silence_cell *, uint64_t), uint64_t with)
{
    for (unsigned y = 0; y < SILENCE_SIDE; y++)
        for (unsigned x = 0; s->picture[y] >> x; x++)
            if (s->picture[y] >> x & 1)
                act(&s->cells[y][x], with);
}

static void next_picture(struct silence *s)
{
    for_picture(s, count_picture, 0);
    memset(s->picture, 0, sizeof s->picture);
    s->area = 0;
}

void silence_damage(struct silence *s, const pixman_region32_t *damage, uint64_t when_us)
{
    uint16_t rows[SILENCE_SIDE] = {0};
    uint64_t gap = when_us > s->last_us ? when_us - s->last_us : 0;
    mark(s, damage, rows);
    bool goes_on = gap < SILENCE_MAX_US, related = goes_on && touches(s, rows);
    if (!goes_on)
        next_picture(s);
    for (unsigned y = 0; y < SILENCE_SIDE; y++)
        s->picture[y] |= rows[y];
    s->area += damage_area(damage);
    s->last_us = s->last_us > when_us ? s->last_us : when_us;
    if (!related)
        return;
    for_picture(s, learn_gap, gap);
    if (s->area > (uint64_t)s->width * s->height / SILENCE_LARGE_PART)
        for_picture(s, learn_parts, 2 * SILENCE_PICTURES);
}

static uint64_t gap_of(const struct silence_cell *c, uint64_t unknown)
{
    uint64_t old = c->old_gap_us == SILENCE_UNKNOWN ? unknown : c->old_gap_us;
    return c->gap_us > old ? c->gap_us : old;
}

/* The longest gap of the picture's places, `unknown` where none has been seen; *in_parts: whether one of them has
 * pictures in parts. */
static uint64_t longest_gap(const struct silence *s, uint64_t unknown, bool *in_parts)
{
    uint64_t longest = 0;
    *in_parts = false;
    for (unsigned y = 0; y < SILENCE_SIDE; y++)
        for (unsigned x = 0; s->picture[y] >> x; x++) {
            const struct silence_cell *c = &s->cells[y][x];
            if (!(s->picture[y] >> x & 1))
                continue;
            uint64_t gap = gap_of(c, unknown);
            longest = gap > longest ? gap : longest;
            *in_parts |= c->in_parts > 0;
        }
    return longest;
}

bool silence_in_parts(const struct silence *s)
{
    bool in_parts;
    (void)longest_gap(s, 0, &in_parts);
    return in_parts;
}

uint64_t silence_wait_us(const struct silence *s)
{
    bool in_parts;
    uint64_t wait = longest_gap(s, SILENCE_MAX_US, &in_parts) * SILENCE_FACTOR;
    return wait < SILENCE_FLOOR_US ? SILENCE_FLOOR_US : wait > SILENCE_MAX_US ? SILENCE_MAX_US : wait;
}

uint64_t silence_part_us(const struct silence *s)
{
    bool in_parts;
    uint64_t gap = longest_gap(s, SILENCE_FLOOR_US * 4 / 5, &in_parts) * 5 / 4;
    return gap < SILENCE_MAX_US / 2 ? gap : SILENCE_MAX_US / 2;
}
