/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long no damage must come until a picture counts as whole: learnt, place by place.
 *
 * Damage that follows damage of the same place within SILENCE_MAX_US belongs to the same picture: the gap between the
 * two is what the program there needs between two parts. A place is a cell of a grid over the desktop; "same" includes
 * the neighbours. Cells are apart from each other because programs are: a film that comes in one piece must not teach
 * impatience with the window beside it. Pure and without allocation; times are CLOCK_MONOTONIC µs that the caller
 * gives.
 */
#ifndef ORIEL_SESSION_AGENT_SILENCE_H
#define ORIEL_SESSION_AGENT_SILENCE_H

#include <pixman.h>
#include <stdbool.h>
#include <stdint.h>

/* For pictures that come in one piece: covers a program that was preempted between two writes */
#define SILENCE_FLOOR_US 300
/* Programs that draw one picture in several requests are done within that (measured) */
#define SILENCE_MAX_US 2000
#define SILENCE_FACTOR 2 /* wait so many times the longest gap */
/* A gap is remembered for so many pictures of its place, at most twice as many */
#define SILENCE_PICTURES 16
#define SILENCE_LARGE_PART 8 /* large: more than 1/8 of the desktop */
/* Cells across and down: 120 x 68 pixels each at 1080p, less than one window */
#define SILENCE_SIDE 16

#define SILENCE_UNKNOWN UINT16_MAX

struct silence_cell {
    /* The longest of the present and of the former SILENCE_PICTURES pictures; SILENCE_UNKNOWN: there were none */
    uint16_t gap_us, old_gap_us;
    uint8_t pictures; /* of the present ones */
    uint8_t in_parts; /* so many pictures until it is forgotten that a large one came in parts here */
};

struct silence {
    uint32_t width, height;
    uint64_t last_us; /* the last damage */
    /* Damaged in the present picture, in pixels; what is damaged twice counts twice */
    uint64_t area;
    uint16_t picture[SILENCE_SIDE]; /* rows of the cells that the present picture touches, a bit each */
    struct silence_cell cells[SILENCE_SIDE][SILENCE_SIDE];
};

/* The desktop's size, before the first damage. Another one than before: everything learnt is forgotten, and the wait is
 * the longest. */
void silence_size(struct silence *s, uint32_t width, uint32_t height);
/* Damage came at `when_us`: more of the present picture, or the first of the next one. */
void silence_damage(struct silence *s, const pixman_region32_t *damage, uint64_t when_us);
/* Whether a picture of more than 1/SILENCE_LARGE_PART of the desktop lately came in parts where the present one is:
 * then even a small change may be the first part of one. */
bool silence_in_parts(const struct silence *s);
/* How long after the last damage the present picture counts as whole: SILENCE_FLOOR_US … SILENCE_MAX_US. */
uint64_t silence_wait_us(const struct silence *s);
/* How long after the last damage its next part should have come by now, if there is one: 0 … SILENCE_MAX_US / 2. What
 * is done before is likely done in vain. Where nothing is known yet most pictures come in one piece: SILENCE_FLOOR_US.
 */
uint64_t silence_part_us(const struct silence *s);

#endif
