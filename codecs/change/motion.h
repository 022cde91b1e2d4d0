/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Content that moved: which displacement turns what the client shows into the new picture, and where.
 *
 * Toolkits copy invisibly, so pixels decide. Small patterns that a pixel and its neighbours form are looked up among
 * those of the old picture; the displacements of unique ones vote. A displacement that wins is checked tile by tile,
 * and the copies found are exact where tiles matched; whatever a copy gets wrong elsewhere is sent after it like any
 * change.
 */
#ifndef ORIEL_CODECS_CHANGE_MOTION_H
#define ORIEL_CODECS_CHANGE_MOTION_H

#include "codecs/change/surface.h"

#define MOTION_TABLE 32768 /* remembered patterns of the old picture */
#define MOTION_VOTES 256
#define MOTION_TILES_MIN 3 /* fewer changed tiles are cheaper sent than searched, */
#define MOTION_TILES_FEW 8 /* and up to so many where little of them changed: */
/* A key's echo that touches three tiles is searched for nothing */
#define MOTION_PIXELS_MIN 2048

struct motion {
    struct {
        uint32_t hash;
        int16_t x, y;
    } table[MOTION_TABLE];       /* y < 0: seen more than once */
    uint16_t used[MOTION_TABLE]; /* occupied entries, to clear only those */
    uint32_t nused;
    struct motion_vector votes[MOTION_VOTES];
    uint8_t *matched; /* a tile each, for the displacement being looked at */
    size_t matched_cap;
};
void motion_finish(struct motion *m);

/* The likeliest displacements of the surface's dirty tiles (those whose `dirty` box is not empty), best first. */
int motion_find(struct motion *m, const struct surface *s, struct motion_vector *out);
/* What moves at an uneven pace differs by a pixel from what it did before: the displacement beside `v` that explains
 * most samples of the dirty tiles. A hundredth of motion_find's work. False: none explains half of them. */
bool motion_near(const struct surface *s, const struct compare_ops *ops, struct motion_vector v,
    struct motion_vector *out);
/* Is nearly all of what changed inside `within` just what the client shows, moved by `v`? By samples. */
bool motion_explains(const struct surface *s, const struct compare_ops *ops, struct motion_vector v, struct box within);
/* Compare every changed tile (and those between) for this displacement. Returns how many changed ones it explains;
 * -ENOMEM. */
int motion_try(struct motion *m, const struct surface *s, const struct compare_ops *ops, struct motion_vector v);
/* After motion_try: the best rectangle left to copy. *exact is its part whose every tile matched, *to is what may be
 * copied with it. False: none is worth a command. */
bool motion_rect(struct motion *m, const struct surface *s, const struct compare_ops *ops, struct motion_vector v,
    struct box *to, struct box *exact);
/* A pane that scrolled as steadily the last two times, and that a copy may be made for once more: nothing unknown would
 * be copied. */
bool motion_may_go_on(const struct surface *s, const struct motion_last *l);
/* Remember a displacement that was used. One that is remembered already stays as it is. `last`: the same displacement
 * as it was used the last time on this surface; NULL: it was not. */
void motion_used(struct motion_history *h, struct motion_last used, const struct motion_last *last);

#endif
