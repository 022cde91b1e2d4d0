/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was seen before comes from the client's cache; what has stood for a moment goes into it. */
#include "codecs/engine/cache.h"
#include "codecs/engine/state.h"
#include "codecs/picture/classify.h"

#include <string.h>

#define CHANGED_PIXELS_MIN 512 /* less is as cheap to send */
#define STILL_MS 350           /* what changes sooner is not worth keeping */
#define STILL_LOSSY_MS 1000    /* mostly it is exact before */
#define STORE_MAX 160          /* tiles a frame */
/* So few are not worth a frame of their own: they go along with the next one, */
#define FEW_TILES 8
#define ALONE_MS 1500 /* if there is one in this time */

static struct cache_name name_of(const struct engine *e, const struct surface *s, const struct box *b)
{
    return cache_name(e->cache, s->ops, surface_cur(s, b->x0, b->y0), s->stride, b->x1 - b->x0, b->y1 - b->y0);
}

static void fetch(struct engine *e, struct surface *s, struct box b, uint16_t slot)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_FROM_CACHE);
    struct engine_rect point = box_rect(&b);
    if (!c)
        return;
    c->surface = s->id;
    c->cache_slot = slot;
    frame_add_rects(&e->frame, &point, 1);
}

/* The exact picture, else the best approximation. */
static uint16_t find_best(const struct engine *e, const struct cache_name *name, uint8_t *quality)
{
    uint16_t slot = cache_find(e->cache, cache_key(e->cache, name, *quality));
    while (slot == 0 && *quality > PICTURE_COARSE)
        slot = cache_find(e->cache, cache_key(e->cache, name, --*quality));
    return slot;
}

/* A window that moves uncovers a picture strip by strip: with the last one the tile is what it was, and exact again. */
static bool worth_a_look(const struct surface *s, int tile)
{
    const struct box *d = &s->tiles[tile].dirty;
    return (d->x1 - d->x0) * (d->y1 - d->y0) >= CHANGED_PIXELS_MIN || s->tiles[tile].flags & TILE_LOSSY ||
        tile_has_picture(s, tile);
}

enum seen plan_cache_seen(struct engine *e, const struct surface *s, int dirty)
{
    enum { SAMPLES = 24 };
    int n = 0, found = 0, passed = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y && n < SAMPLES; t++) {
        if (box_empty(&s->tiles[t].dirty) || ++passed < dirty / SAMPLES)
            continue;
        uint8_t quality = PICTURE_QUALITIES;
        struct box b = surface_tile_box(s, t);
        struct cache_name name = name_of(e, s, &b);
        found += find_best(e, &name, &quality) != 0;
        passed = 0;
        n++;
    }
    return found * 4 > n * 3 ? SEEN_MOST : found ? SEEN_SOME : SEEN_NONE;
}

void plan_from_cache(struct engine *e, struct surface *s)
{
    for (int t = 0; t < s->tiles_x * s->tiles_y && e->cache; t++) {
        struct box d = s->tiles[t].dirty, b = surface_tile_box(s, t);
        if (box_empty(&d) || s->tiles[t].heat > 1 || !worth_a_look(s, t))
            continue;
        uint8_t quality = PICTURE_QUALITIES;
        struct cache_name name = name_of(e, s, &b);
        uint16_t slot = find_best(e, &name, &quality);
        if (slot == 0)
            continue;
        fetch(e, s, b, slot);
        plan_part(e, TILE * TILE);
        surface_settle_later(s, b);
        surface_unmark(s, t);
        if (quality < PICTURE_QUALITIES)
            surface_set_lossy(s, t, b, quality);
        s->tiles[t].flags |= TILE_CACHED;
    }
}

/* Approximations too: they make what comes back at once as good as it was. Not those of moving pictures, which would
 * not come back, and not of tiles that are partly exact: which part that is would be forgotten. */
static bool keeps_lossy(const struct surface *s, int tile)
{
    const struct box whole = surface_tile_box(s, tile), *lossy = &s->tiles[tile].lossy;
    return s->tiles[tile].quality >= PICTURE_COARSE && memcmp(lossy, &whole, sizeof whole) == 0;
}

static bool storable(const struct surface *s, int tile)
{
    uint8_t flags = s->tiles[tile].flags;
    return !(flags & (TILE_CACHED | TILE_CHECK | TILE_UNKNOWN)) && (!(flags & TILE_LOSSY) || keeps_lossy(s, tile));
}

static int still_for(const struct tile *t)
{
    return t->flags & TILE_LOSSY ? STILL_LOSSY_MS : STILL_MS;
}

/* When the first tile has been still for long enough, and how many there are to come. */
static int64_t first_still(const struct engine *e, uint64_t now_us, int *n)
{
    int64_t best = -1, now_ms = (int64_t)(now_us / 1000);
    *n = 0;
    for (int i = 0; i < ENGINE_SURFACES_MAX && e->cache; i++) {
        const struct surface *s = &e->surfaces[i];
        for (int t = 0; s->live && s->uncached && t < s->tiles_x * s->tiles_y; t++) {
            if (!storable(s, t))
                continue;
            int64_t due = (int64_t)s->tiles[t].changed_ms + still_for(&s->tiles[t]);
            best = best < 0 || due < best ? due : best;
            ++*n;
        }
    }
    return best < 0 ? -1 : best < now_ms ? 0 : (best - now_ms) * 1000;
}

int64_t plan_cache_wait(const struct engine *e, uint64_t now_us)
{
    int n;
    uint64_t alone = ALONE_MS * 1000u;
    int64_t still = first_still(e, now_us, &n);
    if (still < 0 || n > FEW_TILES || now_us < alone)
        return still;
    return first_still(e, now_us - alone, &n);
}

static void evict(struct engine *e, uint16_t slot)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_EVICT);
    if (c)
        c->cache_slot = slot;
}

/* What is exact now needs no approximation any more. */
static void drop_lesser(struct engine *e, const struct cache_name *name, uint8_t quality)
{
    for (uint8_t q = PICTURE_COARSE; q < quality; q++) {
        uint16_t slot = cache_find(e->cache, cache_key(e->cache, name, q));
        if (slot) {
            cache_forget(e->cache, slot);
            evict(e, slot);
        }
    }
}

void plan_cache_keep(struct engine *e, const struct surface *s, const struct box *b, uint64_t key, uint16_t slot)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_TO_CACHE);
    if (!c)
        return;
    c->surface = s->id;
    c->rect = box_rect(b);
    c->cache_key = key;
    c->cache_slot = slot;
}

void plan_cache_store(struct engine *e, const struct surface *s, const struct box *b, uint64_t key)
{
    uint16_t slot, old;
    while ((slot = cache_room(e->cache, key, (uint32_t)((b->x1 - b->x0) * (b->y1 - b->y0) * 4), &old)) == 0 && old)
        evict(e, old);
    if (slot)
        plan_cache_keep(e, s, b, key, slot);
}

static void store(struct engine *e, struct surface *s, int tile)
{
    struct box b = surface_tile_box(s, tile);
    bool lossy = s->tiles[tile].flags & TILE_LOSSY;
    uint8_t quality = lossy ? s->tiles[tile].quality : PICTURE_QUALITIES;
    struct cache_name name = name_of(e, s, &b);
    uint64_t key = cache_key(e->cache, &name, quality);
    if (cache_find(e->cache, cache_key(e->cache, &name, PICTURE_QUALITIES)) || cache_find(e->cache, key))
        return;
    drop_lesser(e, &name, quality);
    uint16_t old;
    while (!cache_fits_well(e->cache, TILE * TILE * 4) && (old = cache_evict(e->cache, TILE * TILE * 4)) != 0)
        evict(e, old);
    plan_cache_store(e, s, &b, key);
}

static void store_still(struct engine *e, struct surface *s, uint32_t now_ms)
{
    int stored = 0;
    bool left = false;
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        struct tile *k = &s->tiles[t];
        if (k->flags & TILE_CACHED)
            continue;
        left = true;
        if (stored == STORE_MAX || !storable(s, t) || (int32_t)(now_ms - k->changed_ms) < still_for(k))
            continue;
        struct box b = surface_tile_box(s, t);
        k->flags |= TILE_CACHED;
        if (e->ops->uniform(surface_cur(s, b.x0, b.y0), s->stride, b.x1 - b.x0, b.y1 - b.y0))
            continue;
        store(e, s, t);
        stored++;
    }
    s->uncached = left;
}

void plan_to_cache(struct engine *e, uint64_t now_us)
{
    int n;
    if (first_still(e, now_us, &n) != 0)
        return;
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++)
        if (e->surfaces[i].live && e->surfaces[i].uncached)
            store_still(e, &e->surfaces[i], (uint32_t)(now_us / 1000));
}
