/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pictures: coarse at once, finer and at last exact when they have been still. */
#include "codecs/engine/state.h"
#include "codecs/picture/classify.h"

#include <string.h>

#define PICTURE_TILES_MIN 3 /* fewer are sent exactly at once */
#define STILL_FINE_MS 150   /* still for so long: the finer step */
/* The last step, in the background; with the link's share a second sees a screen exact */
#define STILL_EXACT_MS 500
/* Refinement waits until nothing large was sent for so long, */
#define QUIET_MS 250
/* But what has been still this long gets its finer step beside what moves, slowly */
#define STILL_ANYWAY_MS 3000
#define ANYWAY_BYTES 4096 /* of one such frame: 33 kB/s */
#define ANYWAY_INTERVAL_US 125000
#define REFINE_INTERVAL_US 16000
#define REFINE_BYTES 98304 /* of one refining frame, before the link's share */
/* Of the link: someone looks at that picture and waits for it */
#define FINE_PERCENT 50
/* Of the link: nobody sees the difference, and whatever comes next finds three quarters free */
#define BACKGROUND_PERCENT 25
#define LINK_ASSUMED 10000000u  /* bytes a second, while nothing slower was measured */
#define PICTURE_TILE_BYTES 512u /* what a tile of a stream costs, about */
#define EXACT_TILE_BYTES 9000u  /* what a noisy tile costs exactly, about */

#define BATCH 160
#define PART_BATCH 48 /* tiles of a stream where frames leave in parts */
#define FINE_BATCH 4  /* tiles between two looks at the budget */
struct batch {
    struct box boxes[BATCH];
    int n;
};

/* What of the tile is left? Of an unknown one everything that was not sent: unless all was, it is sent exactly as well.
 */
static void reconsider(struct engine *e, struct surface *s, int tile, const struct box *sent)
{
    struct box whole = surface_tile_box(s, tile);
    if (memcmp(sent, &whole, sizeof whole) == 0)
        s->tiles[tile].flags &= (uint8_t)~TILE_UNKNOWN;
    s->tiles[tile].dirty = surface_tile_dirty(s, e->ops, tile);
    if (box_empty(&s->tiles[tile].dirty))
        surface_unmark(s, tile);
}

static void send_batch(struct engine *e, struct surface *s, struct batch *k, enum picture_quality quality)
{
    struct wr w;
    struct gfx_command *c = k->n ? frame_add(&e->frame, GFX_WIRE) : NULL;
    if (!c || !frame_writer(&e->frame, &w, PROGRESSIVE_BYTES(k->n)))
        return;
    c->surface = s->id;
    c->codec = GFX_CODEC_CAPROGRESSIVE;
    c->codec_context = 1;
    if (progressive_encode(e->progressive, s->cur, s->stride, k->boxes, k->n, quality, &w) < 0)
        e->frame.failed = true;
    frame_commit(&e->frame, &w);
    for (int i = 0; i < k->n; i++) {
        int tile = k->boxes[i].y0 / TILE * s->tiles_x + k->boxes[i].x0 / TILE;
        surface_settle(s, k->boxes[i]);
        surface_set_lossy(s, tile, k->boxes[i], quality);
        reconsider(e, s, tile, &k->boxes[i]);
    }
    k->n = 0;
}

#define BOXES_MAX (3 * PIECES_MAX) /* of a tile */

/* Where a window's corner reaches into a strip of the picture that it uncovers it is right already: an approximation
 * around it leaves it out. Up to two corners; `out` has room for three boxes. Returns how many there are. */
static int without_corners(const struct engine *e, const struct surface *s, struct box b, struct box *out)
{
    int n = 0;
    for (int i = 0; i < 2; i++) {
        struct box c = surface_equal_corner(s, e->ops, &b), beside = {b.x0, c.y0, b.x1, c.y1};
        if (box_empty(&c) || (c.y0 == b.y0 && c.y1 == b.y1))
            break; /* all rows: the box is no smaller for chance's sake */
        if (c.x0 == b.x0)
            beside.x0 = c.x1;
        else
            beside.x1 = c.x0;
        out[n++] = beside;
        if (c.y0 == b.y0)
            b.y0 = c.y1;
        else
            b.y1 = c.y0;
    }
    out[n++] = b;
    return n;
}

/* The pieces of changed tiles that look like pictures, into `out` from the tile on: at most BOXES_MAX. Returns how many
 * boxes. An unknown tile is one or it is none: with a part of it still unknown it would come again in the next frame,
 * and on a slow link never end. */
static int picture_pieces(const struct engine *e, const struct surface *s, int tile, struct box *out)
{
    struct box pieces[PIECES_MAX], whole = surface_tile_box(s, tile);
    if (s->tiles[tile].flags & TILE_UNKNOWN)
        return picture_part(s, whole, out) && memcmp(out, &whole, sizeof whole) == 0;
    int n = 0, all = surface_pieces(s, e->ops, tile, pieces);
    for (int i = 0; i < all; i++) {
        if (!picture_part(s, pieces[i], &out[n]))
            continue;
        struct box b = out[n];
        picture_trim(s, &b);
        n += without_corners(e, s, b, out + n);
    }
    return n;
}

/* Are there enough of them to be worth a stream? Marks them in `before`. */
static bool any_pictures(const struct engine *e, const struct surface *s)
{
    struct box pieces[BOXES_MAX];
    int n = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        s->before[t] = !box_empty(&s->tiles[t].dirty) && tile_has_picture(s, t) && picture_pieces(e, s, t, pieces) > 0;
        n += s->before[t];
    }
    return n >= PICTURE_TILES_MIN;
}

void plan_pictures(struct engine *e, struct surface *s)
{
    struct batch k = {.n = 0};
    /* on a slow link streams stay short, so that the budget is looked at in time */
    int tiles = s->tiles_x * s->tiles_y, batch = e->config.part ? PART_BATCH : BATCH;
    int most = e->budget / PICTURE_TILE_BYTES < (size_t)batch ? (int)(e->budget / PICTURE_TILE_BYTES) : batch;
    if (!e->progressive || !any_pictures(e, s))
        return;
    for (int t = 0; t < tiles && plan_cost(e) < e->budget; t++) {
        if (s->before[t])
            k.n += picture_pieces(e, s, t, k.boxes + k.n);
        if (k.n + PIECES_MAX > most || k.n + BOXES_MAX > BATCH) {
            int n = k.n;
            send_batch(e, s, &k, PICTURE_MOVING);
            plan_part(e, n * TILE * TILE);
        }
    }
    send_batch(e, s, &k, PICTURE_MOVING);
}

static uint64_t link_rate(const struct engine *e)
{
    if (e->pace.bytes_per_second)
        return e->pace.bytes_per_second;
    return e->pace.at_least > LINK_ASSUMED ? e->pace.at_least : LINK_ASSUMED;
}

static bool is_busy(const struct engine *e, uint32_t now_ms)
{
    return now_ms - e->busy_ms < QUIET_MS;
}

/* When the last step is done within half a second the one between is not worth its bytes. */
static bool skip_fine(const struct engine *e, const struct surface *s)
{
    return (uint64_t)s->lossy * EXACT_TILE_BYTES * 100 < link_rate(e) / 2 * BACKGROUND_PERCENT;
}

static bool is_coarse(const struct engine *e, const struct tile *t)
{
    return e->progressive && t->quality < PICTURE_FINE;
}

/* Is the next step the finer one? Beside what moves there is no other. */
static bool next_is_fine(const struct engine *e, const struct surface *s, const struct tile *t, uint32_t now_ms)
{
    return is_coarse(e, t) && (is_busy(e, now_ms) || !skip_fine(e, s));
}

/* When may this lossy tile be refined? */
static uint32_t due_ms(const struct engine *e, const struct surface *s, const struct tile *t)
{
    bool fine = is_coarse(e, t) && !skip_fine(e, s);
    uint32_t still = t->changed_ms + (fine ? STILL_FINE_MS : STILL_EXACT_MS), quiet = e->busy_ms + QUIET_MS;
    uint32_t both = (int32_t)(quiet - still) > 0 ? quiet : still, anyway = t->changed_ms + STILL_ANYWAY_MS;
    /* clients of the older ways have no finer step: theirs is the last */
    return (is_coarse(e, t) || !e->progressive) && (int32_t)(anyway - both) < 0 ? anyway : both;
}

/* Lossy, and nothing on its way there would draw over the better picture. */
static bool refinable(const struct surface *s, int tile)
{
    struct box b = surface_tile_box(s, tile);
    return s->tiles[tile].flags & TILE_LOSSY && !surface_is_pending(s, &b);
}

int64_t plan_refinement_wait(const struct engine *e, uint64_t now_us)
{
    int64_t best = -1, now_ms = (int64_t)(now_us / 1000);
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++) {
        const struct surface *s = &e->surfaces[i];
        for (int t = 0; s->live && s->lossy && t < s->tiles_x * s->tiles_y; t++) {
            if (!refinable(s, t))
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

static bool is_due(const struct engine *e, const struct surface *s, int tile, uint32_t now_ms)
{
    return refinable(s, tile) && (int32_t)(due_ms(e, s, &s->tiles[tile]) - now_ms) <= 0;
}

static void refine_fine(struct engine *e, struct surface *s, uint32_t now_ms, size_t limit)
{
    struct batch k = {.n = 0};
    for (int t = 0; t < s->tiles_x * s->tiles_y && e->frame.len < limit; t++) {
        if (!is_due(e, s, t, now_ms) || !next_is_fine(e, s, &s->tiles[t], now_ms))
            continue;
        k.boxes[k.n++] = s->tiles[t].lossy; /* what lies beside it in the tile is exact, and stays it */
        if (k.n == FINE_BATCH)
            send_batch(e, s, &k, PICTURE_FINE);
    }
    send_batch(e, s, &k, PICTURE_FINE);
}

static void refine_exact(struct engine *e, struct surface *s, uint32_t now_ms, size_t limit)
{
    for (int t = 0; t < s->tiles_x * s->tiles_y && e->frame.len < limit; t++) {
        const struct tile *k = &s->tiles[t];
        if (is_due(e, s, t, now_ms) && !next_is_fine(e, s, k, now_ms))
            exact_send(e, s, k->lossy);
    }
}

typedef void (*refine_fn)(struct engine *, struct surface *, uint32_t now_ms, size_t limit);

/* One step of all surfaces, as much as its share of the link allows; returns whether there was any. */
static bool refine_all(struct engine *e, refine_fn refine, unsigned percent, size_t most, uint32_t interval_us,
    uint64_t now_us)
{
    size_t share = e->budget * percent / 100, start = e->frame.len, limit = start + (share < most ? share : most);
    struct surface *order[ENGINE_SURFACES_MAX];
    unsigned n = plan_order(e, order);
    for (unsigned i = 0; i < n; i++)
        if (order[i]->lossy)
            refine(e, order[i], (uint32_t)(now_us / 1000), limit);
    uint64_t pause = (uint64_t)(e->frame.len - start) * 100 * 1000000u / percent / link_rate(e);
    e->refine_us = now_us + (pause < interval_us ? interval_us : pause);
    return e->frame.len > start;
}

bool plan_refinement(struct engine *e, uint64_t now_us)
{
    bool busy = is_busy(e, (uint32_t)(now_us / 1000));
    return !refine_all(e, refine_fine, FINE_PERCENT, busy ? ANYWAY_BYTES : REFINE_BYTES,
               busy ? ANYWAY_INTERVAL_US : REFINE_INTERVAL_US, now_us) &&
        refine_all(e, refine_exact, BACKGROUND_PERCENT, REFINE_BYTES, REFINE_INTERVAL_US, now_us);
}
