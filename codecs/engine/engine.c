/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/engine/state.h"

#include <errno.h>
#include <stdlib.h>

struct engine *engine_create(const struct engine_config *config)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->config = *config;
    e->ops = compare_best();
    e->focus = ENGINE_NO_SURFACE;
    if (e->config.caps.bitmap_bpp != 16 && e->config.caps.bitmap_bpp != 24)
        e->config.caps.bitmap_bpp = 32;
    pace_init(&e->pace, config->max_frame_rate);
    if (!config->caps.gfx) {
        e->rfx = calloc(1, sizeof *e->rfx);
        if (e->rfx)
            return e;
        engine_destroy(e);
        return NULL;
    }
    e->clear = clear_create(e->ops);
    e->glyphs = glyphs_create();
    e->motion = calloc(1, sizeof *e->motion);
    video_init(e);
    e->progressive = config->caps.progressive ? progressive_create() : NULL;
    e->cache = aligned_alloc(_Alignof(struct cache), sizeof *e->cache);
    if (e->cache)
        *e->cache = (struct cache){0};
    if (!e->clear || !e->glyphs || !e->motion || !e->cache ||
        cache_init(e->cache, config->caps.small_cache, config->cache_salt) < 0 ||
        (config->caps.progressive && !e->progressive)) {
        engine_destroy(e);
        return NULL;
    }
    return e;
}

void engine_destroy(struct engine *e)
{
    if (!e)
        return;
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++)
        surface_finish(&e->surfaces[i]);
    frame_finish_memory(&e->frame);
    clear_destroy(e->clear);
    glyphs_destroy(e->glyphs);
    motion_finish(e->motion);
    free(e->motion);
    progressive_destroy(e->progressive);
    video_finish(&e->video);
    if (e->cache)
        cache_finish(e->cache);
    free(e->cache);
    free(e->rfx);
    free(e);
}

void engine_outside(struct engine *e, const struct h264_backend *outside, void *context)
{
    e->config.outside = outside;
    e->config.outside_context = context;
    video_init(e);
    for (int i = 0; i < FILMS_MAX && e->video.backend == outside; i++)
        e->video.films[i].renew = e->video.films[i].nstreams && !e->video.films[i].pairs;
}

static struct surface *find(struct engine *e, uint16_t id)
{
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++)
        if (e->surfaces[i].live && e->surfaces[i].id == id)
            return &e->surfaces[i];
    return NULL;
}

int engine_surface_create(struct engine *e, uint16_t id, uint16_t width, uint16_t height, uint16_t x, uint16_t y)
{
    if (id > ENGINE_ID_MAX || width < 1 || height < 1 || width > 32767 || height > 32767 || find(e, id))
        return -EINVAL;
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++)
        if (!e->surfaces[i].live) {
            int rc = surface_init(&e->surfaces[i], id, width, height, x, y);
            e->surfaces[i].created = rc == 0 && !e->config.caps.gfx;
            return rc;
        }
    return -ENOMEM;
}

int engine_surface_create_in_window(struct engine *e, uint16_t id, uint16_t width, uint16_t height, uint32_t window)
{
    if (!e->config.caps.gfx)
        return -ENOTSUP;
    int rc = engine_surface_create(e, id, width, height, 0, 0);
    if (rc < 0)
        return rc;
    struct surface *s = find(e, id);
    s->in_window = true;
    s->window = window;
    return 0;
}

void engine_focus(struct engine *e, uint16_t id)
{
    if (e->focus != id)
        e->focus_yields = false;
    e->focus = id;
}

static void remember_deleted(struct engine *e, uint16_t id)
{
    for (unsigned i = 0; i < e->ndeleted; i++)
        if (e->deleted[i] == id)
            return;
    if (e->ndeleted < sizeof e->deleted / sizeof e->deleted[0])
        e->deleted[e->ndeleted++] = id;
}

static void end_film(struct engine *e, struct film *f)
{
    for (unsigned i = 0; i < f->nstreams; i++)
        if (f->streams[i].created)
            remember_deleted(e, film_surface(&e->video, f, i));
    film_stop(e, f);
}

/* The client is to delete it, and the films that play on it end. */
static void withdraw(struct engine *e, struct surface *s)
{
    if (s->created && e->config.caps.gfx)
        remember_deleted(e, s->id);
    for (int i = 0; i < FILMS_MAX; i++) {
        struct film *f = &e->video.films[i];
        if (f->nstreams && f->surface == s->id)
            end_film(e, f);
        if (f->candidate_surface == s->id) /* the next surface of this id may be smaller */
            f->candidate = (struct box){0, 0, 0, 0};
    }
}

void engine_surface_destroy(struct engine *e, uint16_t id)
{
    struct surface *s = find(e, id);
    if (!s)
        return;
    withdraw(e, s);
    surface_finish(s);
}

/* Nothing is known of what the client shows; with gfx it has to create the surface, too. */
static void forget(struct engine *e, struct surface *s)
{
    surface_forget(s);
    s->created = !e->config.caps.gfx;
}

int engine_surface_move(struct engine *e, uint16_t id, uint16_t x, uint16_t y)
{
    struct surface *s = find(e, id);
    if (!s || s->in_window)
        return -EINVAL;
    if (s->x == x && s->y == y)
        return 0;
    withdraw(e, s);
    forget(e, s);
    s->x = x;
    s->y = y;
    return 0;
}

static void start_over(struct engine *e)
{
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++)
        if (e->surfaces[i].live)
            forget(e, &e->surfaces[i]);
}

void engine_reset(struct engine *e)
{
    e->ndeleted = 0;
    if (e->rfx)
        e->rfx->headed = false;
    for (int i = 0; i < FILMS_MAX; i++)
        film_stop(e, &e->video.films[i]);
    if (e->clear)
        clear_restart(e->clear);
    if (e->cache)
        cache_reset(e->cache);
    start_over(e);
    pace_reset(&e->pace);
}

void engine_reset_graphics(struct engine *e)
{
    for (int i = 0; i < ENGINE_SURFACES_MAX && e->config.caps.gfx; i++)
        if (e->surfaces[i].live && e->surfaces[i].created)
            remember_deleted(e, e->surfaces[i].id);
    for (int i = 0; i < FILMS_MAX; i++)
        end_film(e, &e->video.films[i]);
    start_over(e);
}

static void note_active(struct engine *e, uint64_t now_us)
{
    e->active_us = now_us;
    e->rested = false;
}

int engine_damage(struct engine *e, uint16_t surface, const uint8_t *px, size_t stride, const struct engine_rect *rects,
    size_t nrects, uint64_t now_us)
{
    struct surface *s = find(e, surface);
    if (!s || !px || stride < (size_t)s->width * 4)
        return -EINVAL;
    int changed = 0;
    surface_catch_up(s);
    for (size_t i = 0; i < nrects; i++)
        changed += surface_absorb(s, e->ops, px, stride, surface_clip(s, &rects[i]), (uint32_t)(now_us / 1000));
    if (changed)
        note_active(e, now_us);
    for (size_t i = 0; i < nrects && changed && changed <= SMALL_TILES; i++)
        surface_mark_urgent(s, surface_clip(s, &rects[i]), (uint32_t)(now_us / 1000));
    /* a key's echo beside a film's picture; where so few frames may leave that all beside the film has rested, it waits
     * for the next one */
    if (changed > SMALL_TILES && e->pace.interval_us < RESTED_MS * 1000u)
        surface_mark_rested(s, SMALL_TILES, (uint32_t)(now_us / 1000));
    return changed;
}

void engine_refresh(struct engine *e, uint16_t surface, const struct engine_rect *rects, size_t nrects)
{
    struct surface *s = find(e, surface);
    for (size_t i = 0; s && i < nrects; i++) {
        struct box b = surface_clip(s, &rects[i]);
        for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
            struct box tile = surface_tile_box(s, t), both = box_intersect(b, &tile);
            if (!box_empty(&both))
                surface_mark(s, t, TILE_UNKNOWN | TILE_RECHECK);
        }
    }
}

void engine_suppress(struct engine *e, bool on)
{
    for (int i = 0; i < FILMS_MAX && on; i++)
        if (e->video.films[i].nstreams)
            /* Its encoders' memory is worth more than its first pictures afterwards */
            end_film(e, &e->video.films[i]);
    if (e->suppressed && !on)
        for (int i = 0; i < ENGINE_SURFACES_MAX; i++)
            for (int t = 0; e->surfaces[i].live && t < e->surfaces[i].tiles_x * e->surfaces[i].tiles_y; t++)
                surface_mark(&e->surfaces[i], t, TILE_UNKNOWN | TILE_RECHECK);
    e->suppressed = on;
}

/* How many tiles wait to be sent, those apart that wait for a film's picture? -1: none, and no surface either. */
static int waiting(const struct engine *e)
{
    int n = e->ndeleted ? 0 : -1;
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++) {
        const struct surface *s = &e->surfaces[i];
        if (s->live && ((s->checks > s->held && !s->waits) || !s->created))
            n = (n < 0 ? 0 : n) + s->checks - s->held;
    }
    return n;
}

static bool is_urgent(const struct engine *e)
{
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++)
        if (e->surfaces[i].live && e->surfaces[i].urgent && !e->surfaces[i].waits)
            return true;
    return false;
}

/* Of two waits the shorter; -1 is none. */
static int64_t sooner(int64_t a, int64_t b)
{
    return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Refinement yields to everything: it leaves only when a large frame may. */
static int64_t next_refinement(struct engine *e, uint64_t now_us)
{
    int64_t due =
        sooner(plan_refinement_wait(e, now_us), sooner(plan_video_wait(e, now_us), plan_cache_wait(e, now_us)));
    return due != 0 ? due : pace_wait(&e->pace, false, now_us);
}

/* When may more be planned? As engine_next answers, encoders apart. */
static int64_t next_plan(struct engine *e, uint64_t now_us)
{
    int n = waiting(e);
    if (n < 0)
        return next_refinement(e, now_us);
    int64_t wait = pace_wait(&e->pace, n <= SMALL_TILES, now_us);
    int64_t ahead = wait > 0 && n > SMALL_TILES && is_urgent(e) ? pace_wait(&e->pace, true, now_us) : wait;
    return ahead < wait ? ahead : wait;
}

static bool rests(const struct engine *e)
{
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++)
        if (e->surfaces[i].live && !surface_rests(&e->surfaces[i]))
            return false;
    return true;
}

/* What moves is looked for in all of a picture, so none of it rests: rows beside a pane that scrolls would go and come.
 */
static void note_moves(struct engine *e, uint64_t now_us)
{
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++) {
        if (!e->surfaces[i].moves)
            continue;
        e->surfaces[i].moves = false;
        e->moved_us = now_us;
    }
}

/* Rows of tiles give memory back, whatever happens in others. Returns microseconds until more will; -1: none will by
 * itself. */
static int64_t rest_rows(struct engine *e, uint64_t now_us)
{
    int64_t next = -1;
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++) {
        struct surface *s = &e->surfaces[i];
        s->history.n = 0; /* nothing moves on, and asking would take the memory back */
        next = sooner(next, s->live ? surface_rest(s, (uint32_t)(now_us / 1000), REST_US / 1000) : -1);
    }
    return next < 0 ? -1 : next * 1000;
}

static bool plays(const struct engine *e)
{
    for (int i = 0; i < FILMS_MAX; i++)
        if (e->video.films[i].nstreams)
            return true;
    return false;
}

static void tell_rested(struct engine *e)
{
    e->film_ended = false;
    if (e->config.rested)
        e->config.rested(e->config.user);
}

/* Nothing is to be done now, or (`idle`) at all. Returns microseconds until memory is given back that nobody needs
 * meanwhile; -1: it was, or there is none. */
static int64_t rest(struct engine *e, uint64_t now_us, bool idle)
{
    note_moves(e, now_us);
    bool still = rests(e);
    if (!still && now_us < e->moved_us + REST_US)
        return (int64_t)(e->moved_us + REST_US - now_us);
    int64_t next = still ? -1 : rest_rows(e, now_us);
    if (e->film_ended && !plays(e))
        tell_rested(e);
    if (!idle || e->rested || next >= 0)
        return next;
    if (now_us < e->active_us + REST_US)
        return (int64_t)(e->active_us + REST_US - now_us);
    e->rested = true;
    if (rests(e))
        tell_rested(e);
    return -1;
}

/* After a frame this is asked: while the client decodes. */
int64_t engine_next(struct engine *e, uint64_t now_us)
{
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++)
        surface_catch_up(&e->surfaces[i]);
    if (e->suppressed)
        return rest(e, now_us, true);
    if (video_ready(e, now_us))
        return 0;
    int64_t next = sooner(next_plan(e, now_us), video_patience(e, now_us));
    return next == 0 ? 0 : sooner(next, rest(e, now_us, next < 0));
}

bool engine_encoding(const struct engine *e)
{
    return video_encoding(&e->video);
}

bool engine_takes(const struct engine *e, uint16_t surface, const struct engine_rect *rects, size_t nrects)
{
    for (int i = 0; i < FILMS_MAX; i++) {
        const struct film *f = &e->video.films[i];
        for (size_t k = 0; f->pending && f->surface == surface && k < nrects; k++) {
            const struct engine_rect *r = &rects[k];
            struct box both = box_intersect((struct box){r->x, r->y, r->x + r->width, r->y + r->height}, &f->rect);
            if (!box_empty(&both))
                return false;
        }
    }
    return true;
}

static void begin(struct engine *e)
{
    frame_begin(&e->frame);
    e->cost = e->costed = 0;
    e->encoded = 0;
    if (!e->config.caps.gfx)
        return;
    if (++e->frame_id == 0)
        e->frame_id = 1;
    struct gfx_command *c = frame_add(&e->frame, GFX_START_FRAME);
    if (c)
        c->frame_id = e->frame_id;
    plan_surfaces(e);
}

static void end(struct engine *e)
{
    struct gfx_command *c = e->config.caps.gfx ? frame_add(&e->frame, GFX_END_FRAME) : NULL;
    if (c)
        c->frame_id = e->frame_id;
}

/* Returns whether all of it is background work. */
static bool plan(struct engine *e, uint64_t now_us)
{
    size_t empty = e->config.caps.gfx; /* the frame's start */
    bool background = false;
    struct surface *order[ENGINE_SURFACES_MAX];
    unsigned n = plan_order(e, order);
    e->budget = pace_budget(&e->pace);
    for (unsigned i = 0; i < n; i++) {
        size_t before = plan_cost(e);
        plan_surface(e, order[i], now_us);
        plan_turn(e, order[i], before);
    }
    if (e->frame.len >= BUSY_BYTES)
        e->busy_ms = (uint32_t)(now_us / 1000);
    if (e->frame.ncommands == empty && waiting(e) < 0 && plan_refinement_wait(e, now_us) == 0)
        background = plan_refinement(e, now_us);
    if (waiting(e) < 0)
        plan_to_cache(e, now_us);
    plan_video_end(e, now_us);
    return background;
}

/* What may leave now. A key's echo does not wait for the large things beside it: where only it may go, it is a frame of
 * its own. */
static enum pace_kind plan_due(struct engine *e, uint64_t now_us, bool *background)
{
    int n = waiting(e);
    if (n <= SMALL_TILES || pace_wait(&e->pace, false, now_us) == 0) {
        *background = plan(e, now_us);
        return n < 0 ? PACE_REFINEMENT : n <= SMALL_TILES ? PACE_SMALL : waiting(e) > 0 ? PACE_CUT : PACE_WHOLE;
    }
    struct surface *order[ENGINE_SURFACES_MAX];
    unsigned surfaces = plan_order(e, order);
    e->budget = pace_budget(&e->pace);
    for (unsigned i = 0; i < surfaces; i++)
        if (order[i]->urgent)
            plan_urgent(e, order[i]);
    return PACE_SMALL;
}

/* A picture that was encoded leaves at once, and what waited for it: they had their turn when it was handed in. */
int engine_produce(struct engine *e, uint64_t now_us, struct gfx_frame *out)
{
    if (engine_next(e, now_us) != 0)
        return 0;
    begin(e);
    size_t empty = e->frame.ncommands;
    bool lifecycle = empty > 1;
    uint64_t since = video_collect(e, now_us);
    e->collected = since != 0;
    enum pace_kind kind = PACE_PART; /* of a film's picture: the client may begin with it */
    bool background = false;
    if (since) {
        kind = PACE_WHOLE;
        plan_part(e, PART_PIXELS); /* decoding it takes longer than all the rest */
        background = plan(e, now_us);
    } else if (next_plan(e, now_us) == 0)
        kind = plan_due(e, now_us, &background);
    if (!e->frame.failed && e->frame.ncommands == empty && !lifecycle)
        return 0;
    end(e);
    if (e->frame.failed) { /* at its very beginning, too: what was planned then is believed to be shown */
        engine_reset(e);
        return -ENOMEM;
    }
    frame_seal(&e->frame, out, e->config.caps.gfx ? e->frame_id : 0);
    out->background = background;
    note_active(e, now_us);
    pace_clock(&e->pace, kind, since ? since : now_us);
    pace_sent(&e->pace, out->frame_id, plan_cost(e), kind, now_us);
    return 1;
}

void engine_ack(struct engine *e, uint32_t frame_id, uint32_t queue_depth, uint32_t total_decoded, uint64_t now_us)
{
    pace_ack(&e->pace, frame_id, queue_depth, now_us);
}

bool engine_acks_stopped(const struct engine *e, uint64_t now_us)
{
    return pace_stopped(&e->pace, now_us);
}

void engine_link(struct engine *e, const struct engine_link_state *link)
{
    pace_link(&e->pace, link);
}

/* We keep tiles: what is longer is somebody else's, and a length that no picture has is a lie. */
static bool is_ours(const struct engine_cache_entry *entry)
{
    return entry->key && entry->bytes && entry->bytes % 4 == 0 && entry->bytes <= TILE * TILE * 4;
}

/* Taken in the offer's order, because the reply names slots by position: what cannot be taken ends it. Nothing is
 * evicted for it. */
size_t engine_cache_offer(struct engine *e, const struct engine_cache_entry *entries, size_t n, uint16_t *slots)
{
    size_t taken = 0;
    uint16_t evicted;
    for (; e->cache && taken < n; taken++) {
        const struct engine_cache_entry *k = &entries[taken];
        if (!is_ours(k) || cache_find(e->cache, k->key) || !cache_fits(e->cache, k->bytes))
            break;
        slots[taken] = cache_room(e->cache, k->key, k->bytes, &evicted);
    }
    return taken;
}
