/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes into a frame, and in which order. */
#include "codecs/state.h"

#define SEEN_TILES_MIN 64             /* from here on it pays to ask first whether all of it was seen before */
#define NEW_TILES_MIN 192             /* so many that nothing explains, and none of some samples seen before: all is new */
#define UNEXPLAINED_MIN 8             /* fewer tiles are cheaper sent than searched for a second motion */

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

static void emit_copy(struct engine *e, struct surface *s, struct motion_vector v, struct box to)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_COPY);
    if (!c)
        return;
    struct box from = {to.x0 - v.dx, to.y0 - v.dy, to.x1 - v.dx, to.y1 - v.dy};
    struct engine_rect point = {(uint16_t)to.x0, (uint16_t)to.y0, 0, 0};
    c->surface = c->surface_from = s->id;
    c->rect = box_rect(&from);
    frame_add_rects(&e->frame, &point, 1);
}

/* The rectangles of one displacement, largest first. A copy changes what later ones would read, so tiles are tried anew after
 * each. Returns how many changed tiles it made right. */
static int copy_for(struct engine *e, struct surface *s, struct motion_vector v)
{
    int won = 0;
    for (int k = 0; k < 4; k++) {
        struct box to, exact;
        if (motion_try(e->motion, s, e->ops, v) <= 0 || !motion_rect(e->motion, s, e->ops, v, &to, &exact))
            break;
        int before = s->checks - s->held;
        struct box from = {to.x0 - v.dx, to.y0 - v.dy, to.x1 - v.dx, to.y1 - v.dy};
        if (surface_is_pending(s, &from) || surface_is_pending(s, &to)) {
            s->waits = true;
            break;
        }
        emit_copy(e, s, v, to);
        plan_part(e, (to.x1 - to.x0) * (to.y1 - to.y0)); /* the client moves it while we do */
        surface_moved(s, to, v.dx, v.dy, exact);
        surface_find_dirty(s, e->ops);
        won += before - (s->checks - s->held);
    }
    if (won > 0)
        motion_used(e->motion, v);
    return won;
}

/* What moved the last time usually moves on: try that before searching. */
static int copy_as_before(struct engine *e, struct surface *s)
{
    struct motion_vector last[MOTION_VECTORS_MAX];
    int n = e->motion->nlast, won = 0;
    for (int i = 0; i < n; i++)
        last[i] = e->motion->last[i];
    e->motion->nlast = 0;
    for (int i = 0; i < n; i++) {
        struct motion_vector near;
        int explained = copy_for(e, s, last[i]);
        if (explained == 0 && motion_near(s, e->ops, last[i], &near))
            explained = copy_for(e, s, near);
        won += explained;
    }
    return won;
}

/* Tiles of which much is left to explain. */
static int unexplained(const struct surface *s)
{
    int n = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        const struct box *d = &s->tiles[t].dirty;
        n += (d->x1 - d->x0) * (d->y1 - d->y0) * 3 > TILE * TILE;
    }
    return n;
}

static bool worth_searching(const struct surface *s, int dirty)
{
    int pixels = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y && dirty <= MOTION_TILES_FEW; t++) {
        const struct box *d = &s->tiles[t].dirty;
        pixels += (d->x1 - d->x0) * (d->y1 - d->y0);
    }
    return dirty > MOTION_TILES_FEW || (dirty >= MOTION_TILES_MIN && pixels >= MOTION_PIXELS_MIN);
}

void plan_motion(struct engine *e, struct surface *s, int dirty)
{
    struct motion_vector v[MOTION_VECTORS_MAX];
    int won = copy_as_before(e, s);
    /* what a window uncovered beside it lies in strips: nothing moved there */
    if (won * 4 >= dirty * 3 || (won > 0 && unexplained(s) < UNEXPLAINED_MIN))
        return;
    int n = motion_find(e->motion, s, v);
    for (int i = 0; i < n; i++)
        (void)copy_for(e, s, v[i]);
}

/* Film, then copies, then pictures, then everything else exactly. */
void plan_surface(struct engine *e, struct surface *s, uint64_t now_us)
{
    if (s->waits)
        return;
    int dirty = surface_find_dirty(s, e->ops);
    if (plan_video(e, s, true, now_us))
        dirty = surface_find_dirty(s, e->ops);
    enum seen seen = e->cache && dirty >= SEEN_TILES_MIN ? seen_before(e, s, dirty) : SEEN_SOME;
    if (seen == SEEN_MOST) {
        plan_from_cache(e, s);
        dirty = surface_find_dirty(s, e->ops);
    }
    if (e->config.caps.gfx && worth_searching(s, dirty))
        plan_motion(e, s, dirty);
    if (s->waits)
        return;
    if (plan_video(e, s, false, now_us))
        surface_find_dirty(s, e->ops);
    if (seen != SEEN_NONE || s->checks - s->held < NEW_TILES_MIN) /* naming all of a screen takes a millisecond or two */
        plan_from_cache(e, s);
    plan_pictures(e, s);
    plan_exact(e, s);
}
