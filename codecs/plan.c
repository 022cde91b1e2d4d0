/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes into a frame, and in which order. */
#include "codecs/state.h"

static void plan_create(struct engine *e, struct surface *s)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_CREATE_SURFACE);
    if (!c)
        return;
    c->surface = s->id;
    c->width = s->width;
    c->height = s->height;
    c = frame_add(&e->frame, GFX_MAP_SURFACE);
    if (!c)
        return;
    c->surface = s->id;
    c->rect.x = s->x;
    c->rect.y = s->y;
    s->created = true;
}

void plan_surfaces(struct engine *e)
{
    for (unsigned i = 0; i < e->ndeleted; i++) {
        struct gfx_command *c = frame_add(&e->frame, GFX_DELETE_SURFACE);
        if (c)
            c->surface = e->deleted[i];
    }
    e->ndeleted = 0;
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++) {
        struct surface *s = &e->surfaces[i];
        if (s->live && !s->created)
            plan_create(e, s);
    }
}

/* Go round from where the last frame stopped, until the budget is used. */
void plan_surface(struct engine *e, struct surface *s)
{
    int n = s->tiles_x * s->tiles_y;
    for (int k = 0, t = s->cursor; k < n && s->checks; k++, t = t + 1 == n ? 0 : t + 1) {
        if (!(s->tiles[t].flags & (TILE_CHECK | TILE_UNKNOWN)))
            continue;
        if (e->frame.len >= e->budget || e->frame.failed) {
            s->cursor = t;
            return;
        }
        struct box d = surface_tile_dirty(s, e->ops, t);
        if (!box_empty(&d))
            exact_send(e, s, d);
        surface_unmark(s, t);
    }
    s->cursor = 0;
}
