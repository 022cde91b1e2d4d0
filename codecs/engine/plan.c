/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes into a frame, and in which order. */
#include "codecs/engine/state.h"

#include <string.h>

/* From here on it pays to ask first whether all of it was seen before */
#define SEEN_TILES_MIN 64
/* So many that nothing explains, and none of some samples seen before: all is new */
#define NEW_TILES_MIN 192
/* Fewer tiles are cheaper sent than searched for a second motion */
#define UNEXPLAINED_MIN 8

static void plan_create(struct engine *e, struct surface *s)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_CREATE_SURFACE);
    if (!c)
        return;
    c->surface = s->id;
    c->width = s->width;
    c->height = s->height;
    c = frame_add(&e->frame, s->in_window ? GFX_MAP_WINDOW : GFX_MAP_SURFACE);
    if (!c)
        return;
    c->surface = s->id;
    c->rect.x = s->x;
    c->rect.y = s->y;
    c->width = s->width;
    c->height = s->height;
    c->window = s->window;
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

/* The client may begin to move it while we do. */
static void send_copy(struct engine *e, struct surface *s, struct motion_vector v, struct box to)
{
    emit_copy(e, s, v, to);
    plan_part(e, (to.x1 - to.x0) * (to.y1 - to.y0));
}

static bool is_under_way(const struct surface *s, struct motion_vector v, struct box to)
{
    struct box from = {to.x0 - v.dx, to.y0 - v.dy, to.x1 - v.dx, to.y1 - v.dy};
    return surface_is_pending(s, &from) || surface_is_pending(s, &to);
}

/* A copy is as large as tiles match, and then some: around a pane nothing changed, and need not be copied. */
static struct box needed(const struct surface *s, const struct box *to)
{
    struct box need = {0, 0, 0, 0};
    for (int i = 0; i < s->ncame; i++) {
        struct box both = box_intersect(s->came[i], to);
        box_add(&need, &both);
    }
    for (int ty = to->y0 / TILE; ty <= (to->y1 - 1) / TILE; ty++)
        for (int tx = to->x0 / TILE; tx <= (to->x1 - 1) / TILE; tx++)
            box_add(&need, &s->tiles[ty * s->tiles_x + tx].dirty);
    return box_intersect(*to, &need);
}

/* The rectangles of one displacement, largest first. A copy changes what later ones would read, so tiles are tried anew
 * after each. Returns how many changed tiles it made right. `last`: what was used the last time, if that is this
 * displacement; or NULL. */
static int copy_for(struct engine *e, struct surface *s, struct motion_vector v, const struct motion_last *last)
{
    int won = 0;
    struct motion_last used = {.v = v};
    surface_catch_up(s);
    surface_own_all(s);
    for (int k = 0; k < 4; k++) {
        struct box to, exact;
        if (motion_try(e->motion, s, e->ops, v) <= 0 || !motion_rect(e->motion, s, e->ops, v, &to, &exact))
            break;
        to = needed(s, &to);
        int before = s->checks - s->held;
        if (is_under_way(s, v, to)) {
            s->waits = true;
            break;
        }
        send_copy(e, s, v, to);
        if (k == 0)
            used.to = to;
        surface_moved(s, to, v.dx, v.dy, exact);
        surface_find_dirty(s, e->ops);
        won += before - (s->checks - s->held);
    }
    if (won > 0)
        motion_used(&s->history, used, last);
    return won;
}

static bool is_followed(const struct surface *s, const struct motion_last *last)
{
    const struct follow *f = &s->follow;
    return surface_followed(s) && f->dx == last->v.dx && f->dy == last->v.dy &&
        memcmp(&f->to, &last->to, sizeof f->to) == 0;
}

static bool explains(const struct engine *e, struct surface *s, const struct motion_last *last)
{
    surface_catch_up(s);
    return motion_explains(s, e->ops, last->v, last->to);
}

/* A pane that scrolls on: the copy leaves first. If it was not compared while it came in, it is while it is made here.
 */
static int slide(struct engine *e, struct surface *s, const struct motion_last *last)
{
    const struct box *to = &last->to;
    if (!motion_may_go_on(s, last) || is_under_way(s, last->v, *to))
        return 0;
    bool followed = is_followed(s, last);
    if (!followed && !explains(e, s, last))
        return 0;
    int before = s->checks - s->held;
    send_copy(e, s, last->v, *to);
    int right = followed ? surface_shift(s) : surface_slide(s, e->ops, *to, last->v.dx, last->v.dy),
        left = surface_find_dirty(s, e->ops);
    if (right > left) /* else it is another pane by now */
        motion_used(&s->history, *last, last);
    return before - (s->checks - s->held);
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

/* What moved the last time usually moves on: try that before searching. */
static int copy_as_before(struct engine *e, struct surface *s)
{
    struct motion_last last[MOTION_VECTORS_MAX];
    int n = s->history.n, won = 0;
    memcpy(last, s->history.last, sizeof last);
    s->history.n = 0;
    for (int i = 0; i < n; i++) {
        struct motion_vector near;
        int explained = slide(e, s, &last[i]);
        if (explained <= 0 || unexplained(s) >= UNEXPLAINED_MIN)
            explained += copy_for(e, s, last[i].v, &last[i]);
        if (explained <= 0 && motion_near(s, e->ops, last[i].v, &near))
            explained = copy_for(e, s, near, NULL);
        won += explained;
    }
    return won;
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
    surface_catch_up(s);
    int won = copy_as_before(e, s);
    /* what a window uncovered beside it lies in strips: nothing moved there */
    if (won * 4 >= dirty * 3 || (won > 0 && unexplained(s) < UNEXPLAINED_MIN))
        return;
    surface_catch_up(s);
    int n = motion_find(e->motion, s, v);
    for (int i = 0; i < n; i++)
        (void)copy_for(e, s, v[i], NULL);
}

/* What scrolled steadily is expected to. */
static void follow(struct surface *s)
{
    for (int i = 0; i < s->history.n; i++) {
        const struct motion_last *last = &s->history.last[i];
        if (!motion_may_go_on(s, last))
            continue;
        surface_follow(s, last->to, last->v.dx, last->v.dy);
        return;
    }
}

/* Film, then copies, then pictures, then everything else exactly. */
static void plan_changes(struct engine *e, struct surface *s, uint64_t now_us)
{
    int dirty = surface_find_dirty(s, e->ops);
    if (plan_video(e, s, true, now_us))
        dirty = surface_find_dirty(s, e->ops);
    enum seen seen =
        e->cache && dirty >= SEEN_TILES_MIN && !surface_followed(s) ? plan_cache_seen(e, s, dirty) : SEEN_SOME;
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
    /* Naming all of a screen takes a millisecond or two */
    if (seen != SEEN_NONE || s->checks - s->held < NEW_TILES_MIN)
        plan_from_cache(e, s);
    plan_pictures(e, s);
    plan_exact(e, s);
}

void plan_surface(struct engine *e, struct surface *s, uint64_t now_us)
{
    if (s->waits)
        return;
    plan_changes(e, s, now_us);
    if (s->checks == 0)
        s->ncame = 0;
    if (e->motion)
        follow(s);
}
