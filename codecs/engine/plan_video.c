/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which rectangles are films, from what changed how often. */
#include "codecs/engine/state.h"
#include "codecs/picture/classify.h"

#include <string.h>

/* Changes in a row, as pictures, before a tile counts as film */
#define HOT 5
#define HEAT_MAX 12
#define COOL_MS 300 /* a tile unchanged for so long is cold */
#define FILM_TILES_MIN 6
#define EDGE_PIXELS 16
#define FULL_PERCENT 60 /* of the rectangle's tiles must be hot */
/* Less change in the rectangle is no new picture of the film */
#define CHANGED_PERCENT 20
#define KEEP_MS 5000 /* the decoder is kept so long after the last picture */
/* A look at whether all that a film does is to move, each second or so */
#define MOVES_PICTURES 32
#define RESTART_MS 500 /* no new size before */

static int rect_area(const struct box *b)
{
    return box_empty(b) ? 0 : (b->x1 - b->x0) * (b->y1 - b->y0);
}

/* Did it change since films were looked for last? On a slow link pictures go in pieces: what only waits says nothing
 * new. */
static bool has_moved(const struct surface *s, const struct tile *t)
{
    return t->changed_turn == s->turn;
}

/* Heat of the tiles that are left after copies: called once a frame, before anything of it is sent. */
static void warm(const struct engine *e, struct surface *s, uint32_t now_ms)
{
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        struct tile *k = &s->tiles[t];
        struct box whole = surface_tile_box(s, t);
        if (now_ms - k->changed_ms > COOL_MS)
            k->heat = 0;
        if (box_empty(&k->dirty) || !has_moved(s, k))
            continue;
        bool picture = rect_area(&k->dirty) * 3 >= rect_area(&whole) && is_picture(s, k->dirty);
        k->heat = (uint8_t)(picture ? (k->heat < HEAT_MAX ? k->heat + 1 : HEAT_MAX) : k->heat ? k->heat - 1 : 0);
    }
}

/* A film seldom ends at tiles' edges: what changed beside the box and looks like it belongs to it. */
static void add_edges(const struct surface *s, struct box *b)
{
    struct box around = {b->x0 - 1, b->y0 - 1, b->x1 + 1, b->y1 + 1};
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        const struct box *d = &s->tiles[t].dirty;
        struct box both = box_intersect(*d, &around);
        /* Too little to be told from pixels */
        bool thin = d->x1 - d->x0 < EDGE_PIXELS || d->y1 - d->y0 < EDGE_PIXELS;
        if (s->tiles[t].heat < HOT && !box_empty(d) && !box_empty(&both) && (thin || is_picture(s, *d)))
            box_add(b, d);
    }
}

/* ---- hot tiles, gathered: the client's films are few and far apart ---- */

struct gather {
    struct box box;
    int n;
};

static bool is_hot(const struct surface *s, int tile)
{
    return s->tiles[tile].heat >= HOT && !box_empty(&s->tiles[tile].dirty) && has_moved(s, &s->tiles[tile]);
}

/* Do the gathered tiles fill their box? */
static bool fills(const struct gather *g)
{
    const struct box *b = &g->box;
    int around = g->n ? ((b->x1 - 1) / TILE - b->x0 / TILE + 1) * ((b->y1 - 1) / TILE - b->y0 / TILE + 1) : 0;
    return g->n >= FILM_TILES_MIN && g->n * 100 >= around * FULL_PERCENT;
}

static struct gather gather_all(const struct surface *s)
{
    struct gather g = {.n = 0};
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++)
        if (is_hot(s, t)) {
            box_add(&g.box, &s->tiles[t].dirty);
            g.n++;
        }
    return g;
}

/* A group is what lies within a tile of the group. `before` marks what is not yet in one. */
static struct gather gather_around(struct surface *s, int seed)
{
    struct gather g = {.n = 0};
    bool more = true;
    box_add(&g.box, &s->tiles[seed].dirty);
    while (more) {
        struct box near = {g.box.x0 - TILE, g.box.y0 - TILE, g.box.x1 + TILE, g.box.y1 + TILE};
        more = false;
        for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
            struct box both = box_intersect(s->tiles[t].dirty, &near);
            if (!s->before[t] || box_empty(&both))
                continue;
            s->before[t] = 0;
            box_add(&g.box, &s->tiles[t].dirty);
            g.n++;
            more = true;
        }
    }
    return g;
}

/* The boxes of what looks like films: one around all of it if that is full, else one a group. Returns how many. */
static int hot_boxes(struct surface *s, struct box *out)
{
    struct gather all = gather_all(s);
    int n = 0;
    if (all.n < FILM_TILES_MIN)
        return 0;
    if (fills(&all)) {
        out[n++] = all.box;
    } else {
        for (int t = 0; t < s->tiles_x * s->tiles_y; t++)
            s->before[t] = is_hot(s, t);
        for (int t = 0; t < s->tiles_x * s->tiles_y && n < FILMS_MAX; t++) {
            struct gather g = s->before[t] ? gather_around(s, t) : (struct gather){.n = 0};
            if (fills(&g))
                out[n++] = g.box;
        }
    }
    for (int i = 0; i < n; i++)
        add_edges(s, &out[i]);
    return n;
}

static bool contains(const struct box *outer, const struct box *inner)
{
    struct box both = box_intersect(*inner, outer);
    return !box_empty(inner) && memcmp(&both, inner, sizeof both) == 0;
}

static bool overlap(const struct box *a, const struct box *b)
{
    struct box both = box_intersect(*a, b);
    return !box_empty(&both);
}

/* Tiles of which the client's content is not known have not changed: one that lies only partly in the film stays so
 * until it is sent apart, and if it made a new picture each time, that would never be. */
static int changed_area(const struct surface *s, const struct box *r)
{
    int sum = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        if (s->tiles[t].flags & TILE_UNKNOWN)
            continue;
        struct box part = box_intersect(s->tiles[t].dirty, r);
        sum += rect_area(&part);
    }
    return sum;
}

/* Does it play, or is it about to on another surface, where something still moves? */
static bool is_taken(const struct film *f, const struct surface *s, uint32_t now_ms)
{
    bool elsewhere = !box_empty(&f->candidate) && f->candidate_surface != s->id;
    return f->nstreams || (elsewhere && now_ms - f->candidate_ms <= COOL_MS);
}

/* The film that plays where `hot` is, the one that is about to, or a free one. NULL: none is free. */
static struct film *film_for(struct video *v, const struct surface *s, const struct box *hot, uint32_t now_ms)
{
    struct film *unused = NULL;
    for (int i = 0; i < FILMS_MAX; i++) {
        struct film *f = &v->films[i];
        if (f->nstreams && f->surface == s->id && overlap(&f->rect, hot))
            return f;
    }
    for (int i = FILMS_MAX - 1; i >= 0; i--) {
        struct film *f = &v->films[i];
        if (!box_empty(&f->candidate) && f->candidate_surface == s->id && overlap(&f->candidate, hot))
            return f;
        unused = !is_taken(f, s, now_ms) && (!unused || box_empty(&f->candidate)) ? f : unused;
    }
    return unused;
}

/* Films do not overlap: a grown one takes the place of the others. */
static void make_room(struct engine *e, const struct film *keep, const struct surface *s, const struct box *rect)
{
    for (int i = 0; i < FILMS_MAX; i++) {
        struct film *f = &e->video.films[i];
        if (f != keep && f->nstreams && f->surface == s->id && overlap(&f->rect, rect))
            film_drop(e, f);
    }
}

/* Follow what is hot: a stream is (re)opened when the same rectangle was seen for some pictures. */
static void follow(struct engine *e, const struct surface *s, struct box hot, uint32_t now_ms)
{
    struct film *f = film_for(&e->video, s, &hot, now_ms);
    if (!f || (f->nstreams && contains(&f->rect, &hot)))
        return;
    f->candidate_ms = now_ms;
    if (f->candidate_surface == s->id && contains(&f->candidate, &hot) &&
        rect_area(&hot) * 2 > rect_area(&f->candidate)) {
        f->seen++;
    } else {
        if (f->candidate_surface == s->id && overlap(&f->candidate, &hot))
            box_add(&hot, &f->candidate);
        f->candidate = hot;
        f->candidate_surface = s->id;
        f->seen = 0;
    }
    if (f->seen < 2 || f->pending || !film_fits(&f->candidate) || (f->nstreams && now_ms - f->started_ms < RESTART_MS))
        return;
    struct box rect = f->candidate;
    make_room(e, f, s, &rect);
    if (!film_open(e, f, s, rect, now_ms))
        film_drop(e, f);
}

static bool is_new_picture(const struct surface *s, const struct film *f)
{
    return f->nstreams && !f->pending && f->surface == s->id &&
        changed_area(s, &f->rect) * 100 >= rect_area(&f->rect) * CHANGED_PERCENT;
}

/* A picture that only moves, as when somebody pans over a map, is sharper and cheaper as copies. */
static bool only_moves(struct engine *e, struct surface *s, const struct film *f)
{
    struct motion_vector v[MOTION_VECTORS_MAX];
    surface_catch_up(s);
    return f->pictures % MOVES_PICTURES == 0 && motion_find(e->motion, s, v) > 0 &&
        motion_explains(s, e->ops, v[0], f->rect);
}

/* After a pause anything may be there: a page of writing in its place is no picture of the film. */
static bool goes_on(const struct surface *s, const struct film *f)
{
    int pictures = 0, changed = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        struct box part = box_intersect(s->tiles[t].dirty, &f->rect);
        changed += rect_area(&part);
        pictures += !box_empty(&part) && is_picture(s, part) ? rect_area(&part) : 0;
    }
    return pictures * 2 >= changed;
}

static void cool(struct surface *s, const struct box *rect)
{
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        struct box whole = surface_tile_box(s, t);
        if (overlap(&whole, rect))
            s->tiles[t].heat = 0;
    }
}

static void give_up(struct engine *e, struct surface *s, struct film *f)
{
    cool(s, &f->rect);
    film_drop(e, f);
}

bool plan_video(struct engine *e, struct surface *s, bool before_copies, uint64_t now_us)
{
    struct video *v = &e->video;
    uint32_t now_ms = (uint32_t)(now_us / 1000);
    struct box hot[FILMS_MAX];
    bool sent = false;
    if (!v->backend || e->frame.failed)
        return false;
    if (!before_copies) {
        warm(e, s, now_ms);
        int n = hot_boxes(s, hot);
        for (int i = 0; i < n; i++)
            follow(e, s, hot[i], now_ms);
        s->turn++;
    }
    for (int i = 0; i < FILMS_MAX; i++) {
        struct film *f = &v->films[i];
        /* a film that plays goes first: nobody looks for copies in it */
        if (!is_new_picture(s, f) || (before_copies && now_ms - f->last_ms > COOL_MS))
            continue;
        if (before_copies && only_moves(e, s, f))
            film_drop(e, f);
        else if (now_ms - f->last_ms > COOL_MS && !goes_on(s, f))
            give_up(e, s, f);
        else
            sent |= film_submit(e, f, s, now_us);
    }
    if (sent && video_encoding(v) && !e->collected)
        surface_hold_changes(s);
    return sent;
}

static int64_t film_wait(const struct film *f, uint64_t now_us)
{
    int32_t left = (int32_t)(f->last_ms + KEEP_MS - (uint32_t)(now_us / 1000));
    return left < 0 ? 0 : (int64_t)left * 1000;
}

int64_t plan_video_wait(const struct engine *e, uint64_t now_us)
{
    int64_t best = -1;
    for (int i = 0; i < FILMS_MAX; i++) {
        const struct film *f = &e->video.films[i];
        int64_t left = f->nstreams && !f->pending ? film_wait(f, now_us) : -1, colour = film_colour_wait(f, now_us);
        left = colour >= 0 && colour < left ? colour : left;
        best = left >= 0 && (best < 0 || left < best) ? left : best;
    }
    return best;
}

void plan_video_end(struct engine *e, uint64_t now_us)
{
    for (int i = 0; i < FILMS_MAX; i++) {
        struct film *f = &e->video.films[i];
        if (f->nstreams && !f->pending && film_wait(f, now_us) == 0)
            film_drop(e, f);
        else if (film_colour_wait(f, now_us) == 0)
            film_submit_colour(e, f, now_us);
    }
}
