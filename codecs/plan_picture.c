/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures: coarse at once, finer and at last exact when they have been still. */
#include "codecs/classify.h"
#include "codecs/state.h"

#define PICTURE_TILES_MIN 3           /* fewer are sent exactly at once */
#define STILL_FINE_MS 150             /* still for so long: the finer step */
#define STILL_EXACT_MS 400
#define QUIET_MS 250                  /* refinement waits until nothing large was sent for so long, */
#define STILL_ANYWAY_MS 3000          /* but what has been still this long is refined beside what moves, slowly */
#define ANYWAY_BYTES 16384
#define ANYWAY_INTERVAL_US 100000
#define REFINE_INTERVAL_US 16000
#define REFINE_BYTES 98304            /* of one refining frame, before the link's share */
#define REFINE_SHARE 4                /* a quarter of the link */
#define LINK_ASSUMED 10000000u        /* bytes a second, while nothing was measured */
#define EXACT_TILE_BYTES 4096u        /* what a noisy tile costs exactly, about */

static void send_stream(struct engine *e, struct surface *s, const struct box *boxes, int n, enum picture_quality quality)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_WIRE);
    struct wr w;
    if (!c || !frame_writer(&e->frame, &w, PROGRESSIVE_BYTES(n)))
        return;
    c->surface = s->id;
    c->codec = GFX_CODEC_CAPROGRESSIVE;
    c->codec_context = 1;
    if (progressive_encode(e->progressive, s->cur, s->stride, boxes, n, quality, &w) < 0)
        e->frame.failed = true;
    frame_commit(&e->frame, &w);
    for (int i = 0; i < n; i++) {
        int tile = boxes[i].y0 / TILE * s->tiles_x + boxes[i].x0 / TILE;
        surface_settle(s, boxes[i]);
        surface_set_lossy(s, tile, quality);
        surface_unmark(s, tile);
    }
}

static int count_pictures(const struct surface *s)
{
    int n = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++)
        n += s->before[t];
    return n;
}

/* Marks in `before`: changed tiles that look like pictures. */
static void find_pictures(struct surface *s)
{
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        const struct box *d = &s->tiles[t].dirty;
        s->before[t] = !box_empty(d) && is_picture(s, *d);
    }
}

void plan_pictures(struct engine *e, struct surface *s, enum picture_quality quality)
{
    struct box boxes[PROGRESSIVE_TILES_MAX];
    int n = 0;
    if (!e->progressive)
        return;
    find_pictures(s);
    if (count_pictures(s) < PICTURE_TILES_MIN)
        return;
    for (int t = 0; t < s->tiles_x * s->tiles_y && e->frame.len < e->budget; t++) {
        if (!s->before[t])
            continue;
        boxes[n++] = s->tiles[t].dirty;
        if (n == 32) {
            send_stream(e, s, boxes, n, quality);
            n = 0;
        }
    }
    if (n)
        send_stream(e, s, boxes, n, quality);
}

/* On a fast link the step between is not worth its bytes. */
static bool skip_fine(const struct engine *e, const struct surface *s)
{
    uint64_t link = e->pace.bytes_per_second ? e->pace.bytes_per_second : LINK_ASSUMED;
    return (uint64_t)s->lossy * EXACT_TILE_BYTES * REFINE_SHARE < link / 2;
}

static bool next_is_fine(const struct engine *e, const struct surface *s, const struct tile *t)
{
    return e->progressive && t->quality < PICTURE_FINE && !skip_fine(e, s);
}

/* When may this lossy tile be refined? */
static uint32_t due_ms(const struct engine *e, const struct surface *s, const struct tile *t)
{
    uint32_t still = t->changed_ms + (next_is_fine(e, s, t) ? STILL_FINE_MS : STILL_EXACT_MS);
    uint32_t quiet = e->busy_ms + QUIET_MS, anyway = t->changed_ms + STILL_ANYWAY_MS;
    uint32_t both = (int32_t)(quiet - still) > 0 ? quiet : still;
    return (int32_t)(anyway - both) < 0 ? anyway : both;
}

int64_t refine_wait(const struct engine *e, uint64_t now_us)
{
    int64_t best = -1, now_ms = (int64_t)(now_us / 1000);
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++) {
        const struct surface *s = &e->surfaces[i];
        for (int t = 0; s->live && s->lossy && t < s->tiles_x * s->tiles_y; t++) {
            if (!(s->tiles[t].flags & TILE_LOSSY))
                continue;
            int64_t due = (int64_t)due_ms(e, s, &s->tiles[t]) - now_ms;
            best = due < 0 ? 0 : best < 0 || due * 1000 < best ? due * 1000 : best;
            if (best == 0)
                break;
        }
    }
    if (best >= 0 && e->refine_us > now_us && (int64_t)(e->refine_us - now_us) > best)
        best = (int64_t)(e->refine_us - now_us);
    return best;
}

static void refine_fine(struct engine *e, struct surface *s, uint32_t now_ms, size_t limit)
{
    struct box boxes[16];
    int n = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y && e->frame.len < limit; t++) {
        if (!(s->tiles[t].flags & TILE_LOSSY) || !next_is_fine(e, s, &s->tiles[t]) || due_ms(e, s, &s->tiles[t]) > now_ms)
            continue;
        boxes[n++] = surface_tile_box(s, t);
        if (n == 16) {
            send_stream(e, s, boxes, n, PICTURE_FINE);
            n = 0;
        }
    }
    if (n)
        send_stream(e, s, boxes, n, PICTURE_FINE);
}

static void refine_exact(struct engine *e, struct surface *s, uint32_t now_ms, size_t limit)
{
    for (int t = 0; t < s->tiles_x * s->tiles_y && e->frame.len < limit; t++) {
        const struct tile *k = &s->tiles[t];
        if (k->flags & TILE_LOSSY && !next_is_fine(e, s, k) && due_ms(e, s, k) <= now_ms)
            exact_send(e, s, surface_tile_box(s, t));
    }
}

void plan_refinement(struct engine *e, uint64_t now_us)
{
    bool busy = (uint32_t)(now_us / 1000) - e->busy_ms < QUIET_MS;
    size_t most = busy ? ANYWAY_BYTES : REFINE_BYTES, start = e->frame.len;
    size_t limit = e->budget / REFINE_SHARE < most ? e->budget / REFINE_SHARE : most;
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++) {
        struct surface *s = &e->surfaces[i];
        if (!s->live || !s->lossy)
            continue;
        refine_fine(e, s, (uint32_t)(now_us / 1000), start + limit);
        refine_exact(e, s, (uint32_t)(now_us / 1000), start + limit);
    }
    uint64_t link = e->pace.bytes_per_second ? e->pace.bytes_per_second : LINK_ASSUMED;
    uint64_t pause = (uint64_t)(e->frame.len - start) * REFINE_SHARE * 1000000u / link;
    uint64_t interval = busy ? ANYWAY_INTERVAL_US : REFINE_INTERVAL_US;
    e->refine_us = now_us + (pause < interval ? interval : pause);
}
