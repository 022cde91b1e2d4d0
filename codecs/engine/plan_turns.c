/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order in which surfaces use a frame's budget.
 *
 * The surface that uses up the budget of one frame comes last in the next: so each of those that have much to send gets
 * its share, and none waits for another to be done. The focused surface comes first in every frame but the one after a
 * frame that it has filled itself: it has half of a full link at least, and the others share the rest. */
#include "codecs/engine/state.h"

static bool comes_first(const struct engine *e, const struct surface *s)
{
    return s->id == e->focus && !e->focus_yields;
}

static bool comes_last(const struct engine *e, const struct surface *s)
{
    return s->id == e->focus && e->focus_yields;
}

unsigned plan_order(struct engine *e, struct surface *order[ENGINE_SURFACES_MAX])
{
    struct surface *first = NULL, *last = NULL;
    unsigned n = 0;
    for (unsigned i = 0; i < ENGINE_SURFACES_MAX; i++) {
        struct surface *s = &e->surfaces[i];
        first = s->live && comes_first(e, s) ? s : first;
        last = s->live && comes_last(e, s) ? s : last;
    }
    if (first)
        order[n++] = first;
    for (unsigned i = 0; i < ENGINE_SURFACES_MAX; i++) {
        struct surface *s = &e->surfaces[(e->turn + i) % ENGINE_SURFACES_MAX];
        if (s->live && s != first && s != last)
            order[n++] = s;
    }
    if (last)
        order[n++] = last;
    return n;
}

void plan_turn(struct engine *e, const struct surface *s, size_t before)
{
    if (before >= e->budget)
        return;
    bool full = plan_cost(e) >= e->budget;
    e->focus_yields = full && s->id == e->focus;
    if (full && !e->focus_yields)
        e->turn = (unsigned)(s - e->surfaces + 1) % ENGINE_SURFACES_MAX;
}
