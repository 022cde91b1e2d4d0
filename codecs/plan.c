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

/* Copies are emitted while the best rectangle of a displacement still wins something. */
static bool copy_one(struct engine *e, struct surface *s, struct motion_vector v)
{
    struct box to;
    if (!motion_rect(s, e->ops, v, &to))
        return false;
    struct gfx_command *c = frame_add(&e->frame, GFX_COPY);
    if (!c)
        return false;
    struct box from = {to.x0 - v.dx, to.y0 - v.dy, to.x1 - v.dx, to.y1 - v.dy};
    struct engine_rect point = {(uint16_t)to.x0, (uint16_t)to.y0, 0, 0};
    c->surface = c->surface_from = s->id;
    c->rect = box_rect(&from);
    frame_add_rects(&e->frame, &point, 1);
    surface_moved(s, to, v.dx, v.dy);
    surface_find_dirty(s, e->ops);
    motion_used(e->motion, v);
    return true;
}

void plan_motion(struct engine *e, struct surface *s)
{
    struct motion_vector v[MOTION_VECTORS_MAX];
    int n = motion_find(e->motion, s, v);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 4 && copy_one(e, s, v[i]); k++)
            ;
}

void plan_surface(struct engine *e, struct surface *s)
{
    int dirty = surface_find_dirty(s, e->ops);
    if (e->config.caps.gfx && dirty >= MOTION_TILES_MIN)
        plan_motion(e, s);
    plan_exact(e, s);
}
