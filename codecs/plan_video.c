/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/classify.h"
#include "codecs/state.h"

#include <stdlib.h>
#include <string.h>

#define HOT 5                         /* changes in a row, as pictures, before a tile counts as film */
#define HEAT_MAX 12
#define COOL_MS 300                   /* a tile unchanged for so long is cold */
#define FILM_TILES_MIN 6
#define FULL_PERCENT 60               /* of the rectangle's tiles must be hot */
#define CHANGED_PERCENT 20            /* less change in the rectangle is no new picture of the film */
#define KEEP_MS 5000                  /* the decoder is kept so long after the last picture */
#define RESTART_MS 500                /* no new size before */
#define BITS_PER_PIXEL_MILLI 86       /* the ceiling on an unhindered link: 35 dB on film with grain */
#define FRAME_RATE 30
#define RATE_MIN 12500u

void video_stop(struct video *v)
{
    if (v->backend)
        v->backend->close(v->encoder);
    v->encoder = NULL;
    v->rect = v->candidate = (struct box){0, 0, 0, 0};
    v->created = false;
    v->seen = 0;
}

void video_finish(struct video *v)
{
    video_stop(v);
    free(v->planes.y);
    v->planes.y = NULL;
}

static int rect_area(const struct box *b)
{
    return box_empty(b) ? 0 : (b->x1 - b->x0) * (b->y1 - b->y0);
}

/* Heat of the tiles that are left after copies: called once a frame, before anything of it is sent. */
static void warm(const struct engine *e, struct surface *s, uint32_t now_ms)
{
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        struct tile *k = &s->tiles[t];
        struct box whole = surface_tile_box(s, t);
        if (now_ms - k->changed_ms > COOL_MS)
            k->heat = 0;
        if (box_empty(&k->dirty))
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
        if (s->tiles[t].heat < HOT && !box_empty(d) && !box_empty(&both) && is_picture(s, *d))
            box_add(b, d);
    }
}

/* The box around what changed in hot tiles, if they fill it. */
static struct box hot_box(const struct surface *s)
{
    struct box b = {0, 0, 0, 0};
    int n = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        if (s->tiles[t].heat < HOT || box_empty(&s->tiles[t].dirty))
            continue;
        box_add(&b, &s->tiles[t].dirty);
        n++;
    }
    int around = n ? ((b.x1 - 1) / TILE - b.x0 / TILE + 1) * ((b.y1 - 1) / TILE - b.y0 / TILE + 1) : 0;
    if (n < FILM_TILES_MIN || n * 100 < around * FULL_PERCENT)
        return (struct box){0, 0, 0, 0};
    add_edges(s, &b);
    return b;
}

static uint32_t wanted_rate(const struct engine *e, const struct box *b)
{
    uint64_t rate = (uint64_t)rect_area(b) * BITS_PER_PIXEL_MILLI * FRAME_RATE / 8000;
    uint64_t link = (uint64_t)e->pace.bytes_per_second * 7 / 10;
    rate = link && link < rate ? link : rate;
    return (uint32_t)(rate < RATE_MIN ? RATE_MIN : rate);
}

static bool make_planes(struct video *v, int width, int height)
{
    size_t luma = (size_t)width * (size_t)height, all = luma * 3 / 2;
    if (all > v->planes_cap) {
        uint8_t *p = realloc(v->planes.y, all + 64);
        if (!p)
            return false;
        v->planes.y = p;
        v->planes_cap = all;
    }
    v->planes.u = v->planes.y + luma;
    v->planes.v = v->planes.u + luma / 4;
    v->planes.width = width;
    v->planes.height = height;
    return true;
}

static void drop_client_surface(struct engine *e)
{
    struct gfx_command *c = e->video.created ? frame_add(&e->frame, GFX_DELETE_SURFACE) : NULL;
    if (c)
        c->surface = VIDEO_SURFACE;
    e->video.created = false;
}

static bool open_stream(struct engine *e, const struct surface *s, struct box rect, uint32_t now_ms)
{
    struct video *v = &e->video;
    struct h264_config config = {.width = (rect.x1 - rect.x0 + 15) & ~15, .height = (rect.y1 - rect.y0 + 15) & ~15,
                                 .frame_rate = FRAME_RATE, .bytes_per_second = wanted_rate(e, &rect)};
    drop_client_surface(e);
    video_stop(v);
    if (!make_planes(v, config.width, config.height) || !(v->encoder = v->backend->open(&config)))
        return false;
    struct gfx_command *c = frame_add(&e->frame, GFX_CREATE_SURFACE);
    if (!c)
        return false;
    c->surface = VIDEO_SURFACE;
    c->width = (uint16_t)config.width;
    c->height = (uint16_t)config.height;
    v->created = v->key = true;
    v->rect = rect;
    v->surface = s->id;
    v->rate = config.bytes_per_second;
    v->started_ms = now_ms;
    return true;
}

/* RDPGFX_AVC420_BITMAP_STREAM, 2.2.4.4: one region, the whole picture. */
static void put_picture(struct engine *e, const struct h264_packet *p)
{
    struct video *v = &e->video;
    struct gfx_command *c = frame_add(&e->frame, GFX_WIRE);
    struct wr w;
    if (!c || !frame_writer(&e->frame, &w, 14 + p->len))
        return;
    c->surface = VIDEO_SURFACE;
    c->codec = GFX_CODEC_AVC420;
    c->rect = (struct engine_rect){0, 0, (uint16_t)v->planes.width, (uint16_t)v->planes.height};
    wr_u32(&w, 1);
    wr_u16(&w, 0);
    wr_u16(&w, 0);
    wr_u16(&w, (uint16_t)(v->rect.x1 - v->rect.x0));
    wr_u16(&w, (uint16_t)(v->rect.y1 - v->rect.y0));
    wr_u8(&w, (uint8_t)((p->qp < 0 ? 0 : p->qp > 51 ? 51 : p->qp) | 0x80)); /* progressive */
    wr_u8(&w, 100);
    wr_bytes(&w, p->data, p->len);
    frame_commit(&e->frame, &w);
}

static void put_copy(struct engine *e, const struct surface *s)
{
    struct video *v = &e->video;
    struct gfx_command *c = frame_add(&e->frame, GFX_COPY);
    if (!c)
        return;
    struct engine_rect to = box_rect(&v->rect);
    c->surface_from = VIDEO_SURFACE;
    c->surface = s->id;
    c->rect = (struct engine_rect){0, 0, to.width, to.height};
    frame_add_rects(&e->frame, &to, 1);
}

/* The client now shows the rectangle, approximately. */
static void settle(struct engine *e, struct surface *s)
{
    struct box r = e->video.rect;
    surface_settle(s, r);
    for (int ty = r.y0 / TILE; ty <= (r.y1 - 1) / TILE; ty++)
        for (int tx = r.x0 / TILE; tx <= (r.x1 - 1) / TILE; tx++) {
            int t = ty * s->tiles_x + tx;
            surface_set_lossy(s, t, PICTURE_MOVING);
            if (s->tiles[t].flags & TILE_UNKNOWN)
                continue;
            s->tiles[t].dirty = surface_tile_dirty(s, e->ops, t);
            if (box_empty(&s->tiles[t].dirty))
                surface_unmark(s, t);
        }
}

static bool encode(struct engine *e, struct surface *s, uint32_t now_ms)
{
    struct video *v = &e->video;
    struct h264_packet p;
    uint32_t rate = wanted_rate(e, &v->rect);
    if (rate * 5u < v->rate * 4u || rate * 4u > v->rate * 5u) {
        v->backend->set_rate(v->encoder, rate);
        v->rate = rate;
    }
    yuv420_from_bgrx(&v->planes, surface_cur(s, v->rect.x0, v->rect.y0), s->stride, v->rect.x1 - v->rect.x0, v->rect.y1 - v->rect.y0,
                     false);
    if (v->backend->submit(v->encoder, &v->planes, v->key) < 0 || v->backend->collect(v->encoder, &p) != 1)
        return false;
    v->key = false;
    v->last_ms = now_ms;
    put_picture(e, &p);
    put_copy(e, s);
    settle(e, s);
    return true;
}

static bool contains(const struct box *outer, const struct box *inner)
{
    struct box both = box_intersect(*inner, outer);
    return !box_empty(inner) && memcmp(&both, inner, sizeof both) == 0;
}

static int changed_area(const struct surface *s, const struct box *r)
{
    int sum = 0;
    for (int t = 0; t < s->tiles_x * s->tiles_y; t++) {
        struct box part = box_intersect(s->tiles[t].dirty, r);
        sum += rect_area(&part);
    }
    return sum;
}

/* Follow what is hot: a stream is (re)opened when the same rectangle was seen for some pictures. */
static bool follow(struct engine *e, struct surface *s, uint32_t now_ms)
{
    struct video *v = &e->video;
    struct box hot = hot_box(s);
    if (box_empty(&hot))
        return v->surface == s->id && !box_empty(&v->rect);
    if (v->surface == s->id && contains(&v->rect, &hot))
        return true;
    if (contains(&v->candidate, &hot) && rect_area(&hot) * 2 > rect_area(&v->candidate)) {
        v->seen++;
    } else {
        box_add(&hot, &v->candidate);
        v->candidate = hot;
        v->seen = 0;
    }
    if (v->seen < 2 || (v->encoder && now_ms - v->started_ms < RESTART_MS))
        return false;
    return open_stream(e, s, v->candidate, now_ms);
}

bool plan_video(struct engine *e, struct surface *s, bool before_copies, uint64_t now_us)
{
    struct video *v = &e->video;
    uint32_t now_ms = (uint32_t)(now_us / 1000);
    if (!v->backend || e->frame.failed)
        return false;
    /* a film that plays goes first: nobody looks for copies in it */
    if (before_copies && (!v->encoder || v->surface != s->id || now_ms - v->last_ms > COOL_MS))
        return false;
    if (!before_copies)
        warm(e, s, now_ms);
    bool film = before_copies ? !box_empty(&v->rect) : follow(e, s, now_ms);
    if (!film || changed_area(s, &v->rect) * 100 < rect_area(&v->rect) * CHANGED_PERCENT)
        return false;
    if (encode(e, s, now_ms))
        return true;
    drop_client_surface(e); /* the encoder broke: the frame goes on without it */
    video_stop(v);
    return false;
}

int64_t video_wait(const struct engine *e, uint64_t now_us)
{
    const struct video *v = &e->video;
    if (!v->encoder)
        return -1;
    int32_t left = (int32_t)(v->last_ms + KEEP_MS - (uint32_t)(now_us / 1000));
    return left < 0 ? 0 : (int64_t)left * 1000;
}

void plan_video_end(struct engine *e, uint64_t now_us)
{
    if (video_wait(e, now_us) != 0)
        return;
    drop_client_surface(e);
    video_stop(&e->video);
}
