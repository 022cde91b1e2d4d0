/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frame engine: damaged pixels in, graphics commands out. One engine per client.
 *
 * Pure: no sockets, no clocks, no globals; time comes in as microseconds of CLOCK_MONOTONIC. Thread: one, except where
 * an encoder says otherwise in its own header. No allocation per frame in steady state: everything grows at surface
 * creation or to a ceiling.
 *
 * Truth is what the client shows: each surface remembers it (a shadow picture and, per tile, its quality). Damage that
 * changed nothing costs nothing, a skipped step heals, and after engine_reset everything is sent anew.
 */
#ifndef ORIEL_CODECS_ENGINE_ENGINE_H
#define ORIEL_CODECS_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_NO_SURFACE 0xFFFF
#define ENGINE_ID_MAX 0xFFEF   /* of a surface; the ids above are of films */
#define ENGINE_SURFACES_MAX 64 /* windows of published applications; the desktop is one */
#define ENGINE_RECTS_MAX 512   /* as DISPLAY_RECTS_MAX */

struct engine;
struct engine_rect {
    uint16_t x, y, width, height;
};

/* What the client can do, as negotiated; the engine uses nothing else. Either `gfx`, or the older ways. */
struct engine_caps {
    bool gfx;
    bool avc420, avc444;                             /* with gfx: H.264 may be used */
    bool small_cache;                                /* 16 MiB and 4096 slots instead of 100 MiB and 25600 */
    bool thin_client;                                /* no progressive, no planar */
    bool progressive, clear_codec, planar, remotefx; /* with gfx: all true but where a thin client says no */
    bool rfx_surface_bits; /* without gfx: RemoteFX in surface bits (entropy RLGR1 or 3, `rfx_entropy`) */
    uint8_t rfx_entropy;   /* 1 or 3 */
    uint8_t bitmap_bpp;    /* without gfx: 16, 24 or 32 */
    /* 0: no limit; else no command's data is longer (bitmap updates: 16 KiB fast path) */
    uint32_t max_command_bytes;
};

enum gfx_command_type {
    GFX_START_FRAME,
    GFX_END_FRAME, /* frame_id */
    GFX_CREATE_SURFACE,
    GFX_DELETE_SURFACE, /* surface, width, height */
    GFX_MAP_SURFACE,    /* surface to output at rect.x, rect.y */
    GFX_MAP_WINDOW,     /* surface to window, whole: width, height */
    GFX_WIRE,           /* surface, codec, rect, data */
    GFX_FILL,           /* surface, color (BGRX), rects */
    GFX_COPY,           /* surface_from, rect (source), surface (to), points in rects' x, y */
    GFX_TO_CACHE,       /* surface, rect, cache_key, cache_slot */
    GFX_FROM_CACHE,     /* cache_slot, surface, points in rects' x, y */
    GFX_EVICT,          /* cache_slot */
    GFX_DELETE_CONTEXT, /* surface, codec_context */
};
enum gfx_codec { /* values: RDPGFX_CODECID_*, MS-RDPEGFX 2.2.2.1 and 2.2.2.2 */
    GFX_CODEC_UNCOMPRESSED = 0x0,
    GFX_CODEC_CAVIDEO = 0x3,
    GFX_CODEC_CLEARCODEC = 0x8,
    GFX_CODEC_CAPROGRESSIVE = 0x9,
    GFX_CODEC_PLANAR = 0xA,
    GFX_CODEC_AVC420 = 0xB,
    GFX_CODEC_ALPHA = 0xC,
    GFX_CODEC_AVC444 = 0xE,
    GFX_CODEC_AVC444V2 = 0xF,
    /* the older ways, not on the GFX wire */
    /* (their `rect` is in output coordinates, the surface's place added; frame_id is 0, there is no START, CREATE or
       MAP) */
    GFX_CODEC_RFX_BITS = 0x100, /* RemoteFX message for a surface-bits command */
    /* Raw TS_BITMAP_DATA payload, bottom-up; `compressed` says whether RLE / planar */
    GFX_CODEC_BITMAP = 0x101,
};
struct gfx_command {
    enum gfx_command_type type;
    uint16_t surface, surface_from;
    uint16_t codec; /* enum gfx_codec */
    struct engine_rect rect;
    /* CREATE: the surface; GFX_CODEC_BITMAP: the bitmap (raw ones: width padded to 4) */
    uint16_t width, height;
    uint32_t window; /* MAP_WINDOW: its id in the RAIL orders */
    uint32_t frame_id;
    uint32_t color;
    uint64_t cache_key;
    uint16_t cache_slot;
    uint32_t codec_context;
    bool compressed;
    uint8_t bpp;                     /* GFX_CODEC_BITMAP */
    const struct engine_rect *rects; /* GFX_FILL rectangles, GFX_COPY and GFX_FROM_CACHE points */
    uint16_t nrects;
    /* GFX_WIRE: the codec's bitmapData, complete as MS-RDPEGFX wants it (for AVC420: RDPGFX_AVC420_BITMAP_STREAM
     * with its metablock) */
    const uint8_t *data;
    size_t len;
};
/* A frame, or the rest of it after its parts: commands in order. Everything in it belongs to the engine and lives until
 * the next call on the same engine. */
struct gfx_frame {
    uint32_t frame_id; /* 0: not a GFX frame (older ways) */
    const struct gfx_command *commands;
    size_t ncommands;
    size_t bytes; /* sum of data lengths */
    /* Nothing but last steps to exact, which wait for stillness and yield to everything */
    bool background;
};

/* Option picture.h264 */
enum engine_h264 { ENGINE_H264_AUTO, ENGINE_H264_X264, ENGINE_H264_HARDWARE, ENGINE_H264_OFF };
struct h264_backend;
struct engine_config {
    struct engine_caps caps;
    unsigned max_frame_rate; /* 1 … 144 */
    int h264;                /* enum engine_h264 */
    /* Moving pictures are encoded beside the loop when `wake` is set: it is called, from any thread, when engine_next
     * may have a new answer, and never after engine_destroy has returned. NULL: they are encoded within engine_produce.
     */
    void (*wake)(void *user);
    /* A line for the log: an encoder failed and `instead` took over ("" nothing did). May be NULL; called on the
     * engine's thread. */
    void (*encoder_failed)(void *user, const char *name, const char *instead);
    /* Large frames leave in parts: called within engine_produce with commands that are final, in their order; what
     * engine_produce returns is the rest of the same frame. A client decodes one part while the next is encoded, and
     * shows all of it at the end. NULL: frames are whole. A part's data is the engine's until the call returns. */
    void (*part)(void *user, const struct gfx_frame *part);
    /* Memory was freed that nobody needs meanwhile: nothing has changed for a while (once until something changes), or
     * the last film ended. Called within engine_next. NULL: nobody has more to give back. */
    void (*rested)(void *user);
    void *user;
    /* An encoder outside of this process, tried before the built-in one unless h264 says X264 or OFF; NULL: there is
     * none. */
    const struct h264_backend *outside;
    void *outside_context;
    /* Keys the names under which the client keeps pictures, also over sessions: a secret of this host and user, the
     * same each time. */
    uint8_t cache_salt[16];
};
/* NULL: out of memory. */
struct engine *engine_create(const struct engine_config *config);
void engine_destroy(struct engine *e);

/* An encoder outside of this process became ready, the first or one in the place of one that failed: as
 * engine_config.outside. Films that play are opened anew with their next picture, so that they have it too. */
void engine_outside(struct engine *e, const struct h264_backend *outside, void *context);

/* Surfaces: up to ENGINE_SURFACES_MAX, of any id up to ENGINE_ID_MAX, width and height 1 … 32767. They may come and go
 * at any time between two calls. The next frame deletes at the client those that went, then creates and maps those that
 * came: an id may be used again at once. A new surface is black here, and all of it is sent.
 *
 * The client's map of a surface is never changed. Clients keep no order among the surfaces on the output, and show what
 * an old map has left. So a surface that moves is deleted, created and mapped anew. To resize one, destroy and create
 * it.
 *
 * Mapped to the output at x, y. Returns 0, -EINVAL (the id is in use, or a value out of range), -ENOMEM. */
int engine_surface_create(struct engine *e, uint16_t id, uint16_t width, uint16_t height, uint16_t x, uint16_t y);
/* Mapped, whole and not scaled, to a window that RAIL orders have announced (MS-RDPERP 2.2.1.3.1): the orders place it.
 * Returns as engine_surface_create; -ENOTSUP: without gfx there is only the output. */
int engine_surface_create_in_window(struct engine *e, uint16_t id, uint16_t width, uint16_t height, uint32_t window);
/* Another place on the output. 0; -EINVAL: there is no such surface, or a window shows it. */
int engine_surface_move(struct engine *e, uint16_t id, uint16_t x, uint16_t y);
/* No surface has this id: nothing is done. */
void engine_surface_destroy(struct engine *e, uint16_t id);
/* Somebody works in this surface: frames begin with it. It may take half of a link that is full, and what the others
 * leave. ENGINE_NO_SURFACE, as at the start, or an id that is no surface's: all are alike. */
void engine_focus(struct engine *e, uint16_t id);
/* The client lost everything (first frame, graphics channel opened again, reconnect): surfaces are created, mapped and
 * sent anew (with gfx_wire_restart on the wire side). */
void engine_reset(struct engine *e);
/* The client is sent a ResetGraphics on a channel that stays open: surfaces are deleted, created, mapped and sent anew.
 * Caches and codec contexts live on, and frames on their way are acknowledged as before. A desktop of another size is:
 * gfx_wire_reset_graphics, engine_surface_destroy, engine_reset_graphics for the surfaces that stay,
 * engine_surface_create. */
void engine_reset_graphics(struct engine *e);

/* New pixels: BGRX, top-down, `stride` bytes, the whole surface's picture of which only `rects` may have changed
 * (clipped to the surface here: they may be hostile). They are compared with the shadow and copied; `px` is free on
 * return. Returns the number of 64x64 tiles that truly changed, or -EINVAL. */
int engine_damage(struct engine *e, uint16_t surface, const uint8_t *px, size_t stride, const struct engine_rect *rects,
    size_t nrects, uint64_t now_us);
/* Send this again, changed or not. */
void engine_refresh(struct engine *e, uint16_t surface, const struct engine_rect *rects, size_t nrects);
/* Nothing is shown at the client, and memory for what would be is given back (as engine_next tells); when switched off
 * again everything is sent. */
void engine_suppress(struct engine *e, bool on);

/* Is there something to send? Returns 0: produce now; >0: microseconds until it makes sense to ask again; -1: nothing
 * until damage or an acknowledgement comes. */
int64_t engine_next(struct engine *e, uint64_t now_us);
/* Is a moving picture at an encoder? Then `wake` will be called. */
bool engine_encoding(const struct engine *e);
/* May this damage be handed in now? False while an encoder has a picture that it touches: what is handed in then cannot
 * be shown as it was drawn, the film with all around it, but only piece by piece. */
bool engine_takes(const struct engine *e, uint16_t surface, const struct engine_rect *rects, size_t nrects);
/* Make the next frame. Returns 1 and fills *out, 0 when there is nothing to send now, or -ENOMEM: the engine is as
 * after engine_reset. With gfx the channel has to be opened again: of this frame the client may have parts, and of
 * ClearCodec's sequence, its caches and the surfaces another state than the engine's. */
int engine_produce(struct engine *e, uint64_t now_us, struct gfx_frame *out);

/* RDPGFX_FRAME_ACKNOWLEDGE: queue_depth 0xFFFFFFFF suspends acknowledgement. Hostile: unknown ids are ignored. */
void engine_ack(struct engine *e, uint32_t frame_id, uint32_t queue_depth, uint32_t total_decoded, uint64_t now_us);
/* A client's offer of what it kept from an earlier session (RDPGFX_CACHE_IMPORT_OFFER). Fills slots[] for the first
 * entries and returns how many were taken: the reply's contents. Hostile: it ends at the first entry that cannot be
 * ours. Once after engine_create or engine_reset; `slots` has room for n. */
struct engine_cache_entry {
    uint64_t key;
    uint32_t bytes;
};
size_t engine_cache_offer(struct engine *e, const struct engine_cache_entry *entries, size_t n, uint16_t *slots);
/* True when a client that used to acknowledge has been sent frames for 4 s without an answer: it has closed its
 * graphics channel (clients do after an error). Open the channel again, then engine_reset. */
bool engine_acks_stopped(const struct engine *e, uint64_t now_us);
/* What is known of the way to the client. Told before each engine_next that matters. */
struct engine_link_state {
    uint32_t rtt_us;           /* the least round trip of late; 0 unknown */
    uint32_t bytes_per_second; /* what the link carries; 0 unknown: then acknowledgements are measured */
    bool at_least;             /* it may carry more: nobody has seen it full */
    /* Bytes sent or queued that have not reached the client's host, as far as that is known */
    size_t waiting;
};
void engine_link(struct engine *e, const struct engine_link_state *link);

#endif
