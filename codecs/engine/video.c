/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A film's stream: opened, fed, collected, given to another encoder when one fails. Which rectangles are films:
 * plan_video.c. */
#include "codecs/engine/video.h"

#include "codecs/engine/state.h"
#include "codecs/video/avc444.h"

#include <stdlib.h>
#include <string.h>

/* The ceiling on an unhindered link: 35 dB on film with grain */
#define BITS_PER_PIXEL_MILLI 86
#define FRAME_RATE 30
/* Of a slow link: what else changes has to get through as well, and soon */
#define LINK_PERCENT 35
/* Or this where the link may carry more than is known: so a film finds out */
#define RATE_UNKNOWN 100000u
#define RATE_MIN 12500u
/* Mean square in U and V: photographs have 2, thin coloured lines 200 */
#define COLOURFUL_LOSS 60u
#define COLOURFUL_PICTURES 6 /* in a row, before the stream is opened anew for it */
/* A picture and its chroma took longer than a film's picture lasts: */
#define SLOW_US 30000u
#define HURRIED_PICTURES 8 /* so many go without */
/* No new picture for so long: the last one's chroma follows */
#define PAUSE_MS 80
#define SPLIT_PIXELS (256 * 1024) /* a smaller film is one stream: there is little to win */
/* What Microsoft's decoder takes, by the documentation of its Media Foundation transform: level 5.1 and no wider. */
#define STREAM_SIDE_MAX 4096
#define LEVEL_BLOCKS 983040u /* a second: H.264, table A-1 */

void video_init(struct engine *e)
{
    const struct engine_config *c = &e->config;
    struct video *v = &e->video;
    if (!c->caps.avc420 || c->h264 == ENGINE_H264_OFF)
        return;
    v->spare = h264_software(c->wake != NULL);
    v->backend = c->outside && c->h264 != ENGINE_H264_X264 ? c->outside : v->spare;
}

static struct surface *surface_of(struct engine *e, uint16_t id)
{
    for (int i = 0; i < ENGINE_SURFACES_MAX; i++)
        if (e->surfaces[i].live && e->surfaces[i].id == id)
            return &e->surfaces[i];
    return NULL;
}

static int slot_of(const struct engine *e, const struct film *f)
{
    return (int)(f - e->video.films);
}

static uint16_t stream_surface(const struct engine *e, const struct film *f, const struct stream *t)
{
    return film_surface(&e->video, f, (unsigned)(t - f->streams));
}

static void close_streams(struct film *f)
{
    for (unsigned i = 0; i < f->nstreams; i++)
        if (f->streams[i].encoder)
            f->backend->close(f->streams[i].encoder);
    memset(f->streams, 0, sizeof f->streams);
    f->nstreams = f->pending = 0;
}

void film_stop(struct engine *e, struct film *f)
{
    struct surface *s = f->pending ? surface_of(e, f->surface) : NULL;
    e->film_ended |= f->nstreams > 0;
    close_streams(f);
    if (s)
        surface_release(s, slot_of(e, f), true);
    f->rect = f->candidate = (struct box){0, 0, 0, 0};
    f->seen = 0;
}

void film_drop(struct engine *e, struct film *f)
{
    for (unsigned i = 0; i < f->nstreams; i++) {
        struct gfx_command *c = f->streams[i].created ? frame_add(&e->frame, GFX_DELETE_SURFACE) : NULL;
        if (c)
            c->surface = film_surface(&e->video, f, i);
    }
    film_stop(e, f);
}

void video_finish(struct video *v)
{
    for (int i = 0; i < FILMS_MAX; i++) {
        struct film *f = &v->films[i];
        close_streams(f);
        free(f->planes);
        *f = (struct film){0};
    }
}

/* A stream's pictures are whole macroblocks. */
static int padded(int pixels)
{
    return (pixels + 15) & ~15;
}

static uint8_t *lay_planes(struct yuv *y, uint8_t *at, const struct box *b)
{
    int width = padded(b->x1 - b->x0), height = padded(b->y1 - b->y0);
    size_t luma = (size_t)width * (size_t)height;
    *y = (struct yuv){at, at + luma, at + luma + luma / 4, width, height};
    return at + luma * 3 / 2;
}

static bool make_planes(struct film *f)
{
    size_t one = (size_t)padded(f->rect.x1 - f->rect.x0) * (size_t)padded(f->rect.y1 - f->rect.y0) * 3 / 2,
           all = f->pairs ? 2 * one : one;
    if (all > f->planes_cap) {
        uint8_t *p = realloc(f->planes, all + 64);
        if (!p)
            return false;
        f->planes = p;
        f->planes_cap = all;
    }
    uint8_t *at = f->planes;
    for (unsigned i = 0; i < f->nstreams; i++) {
        struct stream *t = &f->streams[i];
        at = lay_planes(&t->planes, at, &t->rect);
        if (f->pairs)
            at = lay_planes(&t->chroma, at, &t->rect);
    }
    return true;
}

struct grid {
    int columns, rows;
};

/* The i-th of n parts, of whole macroblocks but for the last one. */
static int part_start(int from, int to, int i, int n)
{
    return i == n ? to : from + i * padded((to - from) / n);
}

static int longest_part(int pixels, int n)
{
    int first = part_start(0, pixels, 1, n), last = pixels - part_start(0, pixels, n - 1, n);
    return padded(first > last ? first : last);
}

static bool fits_level(int width, int height, bool pairs)
{
    unsigned blocks = (unsigned)(width / 16) * (unsigned)(height / 16);
    return width <= STREAM_SIDE_MAX && height <= STREAM_SIDE_MAX &&
        blocks * FRAME_RATE * (pairs ? 2u : 1u) <= LEVEL_BLOCKS;
}

/* The fewest streams, `wanted` or more, that a film as large may be. No columns: it would be too many. */
static struct grid grid_for(const struct box *r, bool pairs, int wanted)
{
    int width = r->x1 - r->x0, height = r->y1 - r->y0;
    struct grid g = {(width + STREAM_SIDE_MAX - 1) / STREAM_SIDE_MAX, 1};
    for (; g.columns * g.rows <= STREAMS_MAX; g.rows++)
        if (g.columns * g.rows >= wanted &&
            fits_level(longest_part(width, g.columns), longest_part(height, g.rows), pairs))
            return g;
    return (struct grid){0, 0};
}

bool film_fits(const struct box *rect)
{
    return grid_for(rect, false, 1).columns > 0;
}

static void lay_streams(struct film *f, struct grid g)
{
    const struct box *r = &f->rect;
    f->nstreams = 0;
    for (int row = 0; row < g.rows; row++)
        for (int column = 0; column < g.columns; column++)
            f->streams[f->nstreams++] = (struct stream){
                .rect = {part_start(r->x0, r->x1, column, g.columns), part_start(r->y0, r->y1, row, g.rows),
                    part_start(r->x0, r->x1, column + 1, g.columns), part_start(r->y0, r->y1, row + 1, g.rows)}};
}

static unsigned playing(const struct engine *e)
{
    unsigned n = 0;
    for (int i = 0; i < FILMS_MAX; i++)
        n += e->video.films[i].nstreams != 0;
    return n ? n : 1;
}

static uint64_t unhindered_rate(const struct box *b, bool pairs)
{
    uint64_t rate = (uint64_t)(b->x1 - b->x0) * (uint64_t)(b->y1 - b->y0) * BITS_PER_PIXEL_MILLI * FRAME_RATE / 8000;
    return pairs ? 4 * rate : rate; /* two pictures, and full of edges */
}

static uint32_t wanted_rate(const struct engine *e, const struct box *b, bool pairs)
{
    uint64_t rate = unhindered_rate(b, pairs);
    const struct pace *p = &e->pace;
    uint64_t link = (uint64_t)pace_rate(p) * LINK_PERCENT / 100;
    link = link && !p->bytes_per_second && link < RATE_UNKNOWN ? RATE_UNKNOWN : link;
    link /= playing(e);
    rate = link && link < rate ? link : rate;
    return (uint32_t)(rate < RATE_MIN ? RATE_MIN : rate);
}

/* As long as any other frame may be: a key's echo may find it before itself. */
static uint32_t picture_bytes(const struct engine *e)
{
    return (uint32_t)(pace_budget(&e->pace) / playing(e));
}

static bool differs(uint32_t a, uint32_t b)
{
    return a * 5ull < b * 4ull || a * 4ull > b * 5ull;
}

static bool open_encoder(struct engine *e, struct film *f, struct stream *t)
{
    struct h264_config config = {.width = t->planes.width,
        .height = t->planes.height,
        .frame_rate = FRAME_RATE,
        .bytes_per_second = f->rate / f->nstreams,
        .scarce = f->rate < unhindered_rate(&f->rect, f->pairs),
        .picture_bytes = f->picture_bytes / f->nstreams,
        .pairs = f->pairs,
        .done = e->config.wake,
        .user = e->config.user,
        .context = e->config.outside_context};
    t->encoder = f->backend ? f->backend->open(&config) : NULL;
    t->key = true;
    return t->encoder != NULL;
}

static const struct h264_backend *best_backend(const struct engine *e, const struct film *f)
{
    return f->pairs && e->video.backend && !e->video.backend->pairs ? e->video.spare : e->video.backend;
}

/* The encoder in use cannot, or no longer: this picture and all later ones have the spare one. False: there is none.
 * Where another encoder outside has come since this stream was opened, that one has its turn first. A film of several
 * streams is given up; it may begin again with the other encoder. */
static bool change_encoder(struct engine *e, struct film *f, struct stream *t)
{
    struct video *v = &e->video;
    const struct h264_backend *failed = f->backend;
    if (t->encoder)
        failed->close(t->encoder);
    t->encoder = NULL;
    if (!failed || failed == v->spare)
        return false;
    bool first = v->backend == failed && !f->renew, whole = f->nstreams == 1;
    v->backend = f->renew ? v->backend : v->spare;
    f->renew = false;
    if (whole)
        f->backend = best_backend(e, f);
    bool opened = whole && open_encoder(e, f, t);
    if (first && e->config.encoder_failed)
        e->config.encoder_failed(e->config.user, failed->name, v->spare ? v->spare->name : "");
    return opened || (whole && change_encoder(e, f, t));
}

static bool open_encoders(struct engine *e, struct film *f)
{
    f->renew = false;
    for (unsigned i = 0; i < f->nstreams; i++)
        if (!open_encoder(e, f, &f->streams[i]) && !change_encoder(e, f, &f->streams[i]))
            return false;
    return true;
}

/* Would 4:2:0 lose much here, and can it be had otherwise? Hardware encoders give no say in what a picture is predicted
 * from, so this takes libx264. */
static bool full_colour(const struct engine *e, const struct surface *s, const struct box *r)
{
    return e->config.caps.avc444 && e->video.spare && e->video.spare->pairs && grid_for(r, true, 1).columns > 0 &&
        avc444_loss(surface_cur(s, r->x0, r->y0), s->stride, r->x1 - r->x0, r->y1 - r->y0) >= COLOURFUL_LOSS;
}

/* As how many streams is it there soonest? */
static int parts_of(const struct engine *e, const struct film *f)
{
    int area = (f->rect.x1 - f->rect.x0) * (f->rect.y1 - f->rect.y0);
    return f->backend && f->backend->parts && e->config.wake && !f->pairs && area >= SPLIT_PIXELS ? 2 : 1;
}

bool film_open(struct engine *e, struct film *f, const struct surface *s, struct box rect, uint32_t now_ms)
{
    film_drop(e, f);
    f->pairs = full_colour(e, s, &rect);
    f->chroma_due = f->both = false;
    f->hurried = f->colourful = 0;
    f->backend = best_backend(e, f);
    f->rect = rect;
    lay_streams(f, grid_for(&rect, f->pairs, parts_of(e, f)));
    f->rate = wanted_rate(e, &rect, f->pairs);
    f->picture_bytes = picture_bytes(e);
    if (f->nstreams == 0 || !make_planes(f) || !open_encoders(e, f)) {
        film_stop(e, f);
        return false;
    }
    f->surface = s->id;
    f->started_ms = now_ms;
    f->pictures = 0;
    return true;
}

/* The client will show the rectangle, approximately. */
static void settle(struct engine *e, struct film *f, struct surface *s)
{
    struct box r = f->rect;
    surface_settle(s, r);
    for (int ty = r.y0 / TILE; ty <= (r.y1 - 1) / TILE; ty++)
        for (int tx = r.x0 / TILE; tx <= (r.x1 - 1) / TILE; tx++) {
            int t = ty * s->tiles_x + tx;
            struct box whole = surface_tile_box(s, t);
            surface_set_lossy(s, t, r, PICTURE_MOVING);
            if (box_inside(&whole, &r))
                surface_unmark(s, t);
            if (!(s->tiles[t].flags & (TILE_CHECK | TILE_UNKNOWN)))
                continue;
            s->tiles[t].dirty = surface_tile_dirty(s, e->ops, t);
            if (box_empty(&s->tiles[t].dirty))
                surface_unmark(s, t);
        }
    surface_hold(s, slot_of(e, f), r);
    surface_find_dirty(s, e->ops); /* what is left of tiles that only lie partly in it */
}

static void put_create(struct engine *e, const struct film *f, struct stream *t)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_CREATE_SURFACE);
    if (!c)
        return;
    c->surface = stream_surface(e, f, t);
    c->width = (uint16_t)t->planes.width;
    c->height = (uint16_t)t->planes.height;
    t->created = true;
}

#define STREAM_HEAD 14u
/* RDPGFX_AVC420_BITMAP_STREAM, 2.2.4.4: one region, the whole picture. */
static void put_stream(struct wr *w, const struct stream *t, const struct h264_stream *p)
{
    wr_u32(w, 1);
    wr_u16(w, 0);
    wr_u16(w, 0);
    wr_u16(w, (uint16_t)(t->rect.x1 - t->rect.x0));
    wr_u16(w, (uint16_t)(t->rect.y1 - t->rect.y0));
    wr_u8(w, (uint8_t)((p->qp < 0 ? 0 : p->qp > 51 ? 51 : p->qp) | 0x80)); /* progressive */
    wr_u8(w, 100);
    wr_bytes(w, p->data, p->len);
}

/* RDPGFX_AVC444V2_BITMAP_STREAM, 2.2.4.6: LC 0 is both, 1 the picture alone, 2 the chroma alone; the size is of the
 * picture. */
static void put_pair(struct wr *w, const struct stream *t, const struct h264_packet *p)
{
    uint32_t lc = !p->chroma.len ? 1 : !p->picture.len ? 2 : 0;
    wr_u32(w, lc << 30 | (p->picture.len ? (uint32_t)(p->picture.len + STREAM_HEAD) : 0));
    if (p->picture.len)
        put_stream(w, t, &p->picture);
    if (p->chroma.len)
        put_stream(w, t, &p->chroma);
}

static void put_picture(struct engine *e, const struct film *f, const struct stream *t, const struct h264_packet *p)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_WIRE);
    struct wr w;
    if (!c || !frame_writer(&e->frame, &w, 4 + 2 * STREAM_HEAD + p->picture.len + p->chroma.len))
        return;
    c->surface = stream_surface(e, f, t);
    c->codec = f->pairs ? GFX_CODEC_AVC444V2 : GFX_CODEC_AVC420;
    c->rect = (struct engine_rect){0, 0, (uint16_t)t->planes.width, (uint16_t)t->planes.height};
    if (f->pairs)
        put_pair(&w, t, p);
    else
        put_stream(&w, t, &p->picture);
    frame_commit(&e->frame, &w);
}

static void put_copy(struct engine *e, const struct film *f, const struct stream *t)
{
    struct gfx_command *c = frame_add(&e->frame, GFX_COPY);
    if (!c)
        return;
    struct engine_rect to = box_rect(&t->rect);
    c->surface_from = stream_surface(e, f, t);
    c->surface = f->surface;
    c->rect = (struct engine_rect){0, 0, to.width, to.height};
    frame_add_rects(&e->frame, &to, 1);
}

/* Until an encoder takes the picture. */
static bool hand_in(struct engine *e, struct film *f, struct stream *t)
{
    while (t->encoder && f->backend->submit(t->encoder, &t->planes, f->both ? &t->chroma : NULL, t->key) < 0)
        if (!change_encoder(e, f, t))
            return false;
    return t->encoder != NULL;
}

static void came(struct film *f, struct stream *t, bool slow)
{
    t->key = t->pending = false;
    f->pending--;
    if (slow)
        f->hurried = HURRIED_PICTURES;
}

/* 1: the picture is in the frame, 0: it is not there yet, -1: nothing can encode it. */
static int collect_stream(struct engine *e, struct film *f, struct stream *t, uint64_t now_us)
{
    struct h264_packet p;
    bool late = f->backend->patience_ms && now_us - f->submitted_us > f->backend->patience_ms * 1000u;
    int r = f->backend->collect(t->encoder, &p);
    if (r < 0 || (r == 0 && late)) {
        f->submitted_us = now_us;
        return change_encoder(e, f, t) && hand_in(e, f, t) ? collect_stream(e, f, t, now_us) : -1;
    }
    if (r == 0)
        return 0;
    came(f, t, p.picture.len && p.chroma.len && now_us - f->submitted_us > SLOW_US);
    if (!t->created)
        put_create(e, f, t);
    put_picture(e, f, t, &p);
    return 1;
}

/* How long has the picture's next part to wait for the link, which is still busy with the one before? */
static int64_t part_wait(const struct engine *e, const struct film *f, uint64_t now_us)
{
    return f->pending && f->pending < f->nstreams ? pace_part_wait(&e->pace, now_us) : 0;
}

/* 1: all of the picture is in the frame now, 0: some of it is not there yet, -1: nothing can encode it. Each part has a
 * frame of its own: of more than one nobody would begin with the first sooner. */
static int collect(struct engine *e, struct film *f, uint64_t now_us)
{
    int got = part_wait(e, f, now_us) > 0;
    for (unsigned i = 0; i < f->nstreams && got == 0; i++)
        got = f->streams[i].pending ? collect_stream(e, f, &f->streams[i], now_us) : 0;
    if (got < 0)
        return -1;
    if (f->pending)
        return 0;
    for (unsigned i = 0; i < f->nstreams; i++)
        put_copy(e, f, &f->streams[i]);
    surface_release(surface_of(e, f->surface), slot_of(e, f), false);
    return 1;
}

static void keep_rate(const struct engine *e, struct film *f)
{
    uint32_t rate = wanted_rate(e, &f->rect, f->pairs), longest = picture_bytes(e);
    if (!differs(rate, f->rate) && !differs(longest, f->picture_bytes))
        return;
    for (unsigned i = 0; i < f->nstreams; i++)
        (void)f->backend->set_rate(f->streams[i].encoder, rate / f->nstreams, longest / f->nstreams);
    f->rate = rate;
    f->picture_bytes = longest;
}

static void convert(const struct film *f, struct stream *t, const struct surface *s)
{
    const uint8_t *px = surface_cur(s, t->rect.x0, t->rect.y0);
    int width = t->rect.x1 - t->rect.x0, height = t->rect.y1 - t->rect.y0;
    yuv420_from_bgrx(&t->planes, px, s->stride, width, height, false);
    if (f->pairs)
        avc444_chroma_from_bgrx(&t->chroma, px, s->stride, width, height, false);
}

static void plan_chroma(struct film *f)
{
    f->both = f->pairs && f->hurried == 0;
    f->chroma_due = f->pairs && !f->both;
    f->hurried -= f->hurried > 0;
}

/* Each encoder has its part while the next one's is converted. */
static bool hand_in_all(struct engine *e, struct film *f, const struct surface *s)
{
    for (unsigned i = 0; i < f->nstreams; i++) {
        struct stream *t = &f->streams[i];
        convert(f, t, s);
        if (!hand_in(e, f, t))
            return false;
        t->pending = true;
        f->pending++;
    }
    return true;
}

/* The encoder has it; with some it is ready by now. */
static bool handed_in(struct engine *e, struct film *f, uint64_t now_us)
{
    f->submitted_us = now_us;
    if (collect(e, f, now_us) >= 0)
        return true;
    film_drop(e, f);
    return false;
}

/* A film that turns out to be full of coloured detail. */
static bool needs_colour(const struct engine *e, struct film *f, const struct surface *s)
{
    f->colourful = !f->pairs && full_colour(e, s, &f->rect) ? f->colourful + 1 : 0;
    return f->colourful > COLOURFUL_PICTURES;
}

bool film_submit(struct engine *e, struct film *f, struct surface *s, uint64_t now_us)
{
    if ((needs_colour(e, f, s) || f->renew) && !film_open(e, f, s, f->rect, (uint32_t)(now_us / 1000)))
        return false;
    keep_rate(e, f);
    plan_chroma(f);
    f->pictures++;
    f->last_ms = (uint32_t)(now_us / 1000);
    if (!hand_in_all(e, f, s)) {
        film_drop(e, f);
        return false;
    }
    settle(e, f, s);
    return handed_in(e, f, now_us);
}

int64_t film_colour_wait(const struct film *f, uint64_t now_us)
{
    if (!f->chroma_due || f->pending)
        return -1;
    int32_t left = (int32_t)(f->last_ms + PAUSE_MS - (uint32_t)(now_us / 1000));
    return left < 0 ? 0 : (int64_t)left * 1000;
}

/* Does the client show the film's last picture, and nothing newer, in all of the rectangle? */
static bool untouched(const struct film *f, const struct surface *s)
{
    const struct box *r = &f->rect;
    for (int ty = r->y0 / TILE; ty <= (r->y1 - 1) / TILE; ty++)
        for (int tx = r->x0 / TILE; tx <= (r->x1 - 1) / TILE; tx++) {
            const struct tile *t = &s->tiles[ty * s->tiles_x + tx];
            if (t->flags & (TILE_CHECK | TILE_UNKNOWN) || !(t->flags & TILE_LOSSY) || t->quality != PICTURE_MOVING ||
                (int32_t)(t->changed_ms - f->last_ms) > 0)
                return false;
        }
    return true;
}

void film_submit_colour(struct engine *e, struct film *f, uint64_t now_us)
{
    struct surface *s = surface_of(e, f->surface);
    f->chroma_due = false;
    if (!untouched(f, s))
        return;
    f->both = true; /* another encoder would need the whole picture */
    for (unsigned i = 0; i < f->nstreams; i++) {
        struct stream *t = &f->streams[i];
        if (f->backend->submit(t->encoder, NULL, &t->chroma, false) < 0) {
            film_drop(e, f);
            return;
        }
        t->pending = true;
        f->pending++;
    }
    surface_hold(s, slot_of(e, f), f->rect);
    (void)handed_in(e, f, now_us);
}

bool video_encoding(const struct video *v)
{
    bool any = false;
    for (int i = 0; i < FILMS_MAX; i++)
        any |= v->films[i].pending;
    return any;
}

static bool is_ready(const struct film *f)
{
    for (unsigned i = 0; i < f->nstreams; i++)
        if (f->streams[i].pending && f->backend->ready(f->streams[i].encoder))
            return true;
    return false;
}

bool video_ready(const struct engine *e, uint64_t now_us)
{
    for (int i = 0; i < FILMS_MAX; i++) {
        const struct film *f = &e->video.films[i];
        if (is_ready(f) && part_wait(e, f, now_us) == 0)
            return true;
    }
    return video_patience(e, now_us) == 0;
}

int64_t video_patience(const struct engine *e, uint64_t now_us)
{
    int64_t best = -1;
    for (int i = 0; i < FILMS_MAX; i++) {
        const struct film *f = &e->video.films[i];
        int64_t left = part_wait(e, f, now_us);
        if (!f->pending || (!f->backend->patience_ms && !(left > 0 && is_ready(f))))
            continue;
        if (left == 0)
            left = (int64_t)(f->submitted_us + f->backend->patience_ms * 1000u) + 1 - (int64_t)now_us;
        left = left < 0 ? 0 : left;
        best = best < 0 || left < best ? left : best;
    }
    return best;
}

uint64_t video_collect(struct engine *e, uint64_t now_us)
{
    uint64_t first = 0;
    for (int i = 0; i < FILMS_MAX; i++) {
        struct film *f = &e->video.films[i];
        uint64_t since = f->submitted_us;
        int r = f->pending ? collect(e, f, now_us) : 0;
        if (r < 0)
            film_drop(e, f);
        else if (r > 0 && (first == 0 || since < first))
            first = since;
    }
    return first;
}
