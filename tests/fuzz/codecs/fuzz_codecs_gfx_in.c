/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a client sends on the graphics channel: capability sets, acknowledgements, cache offers, into the parser and an
 * engine that is at work, and that is made anew for the capabilities that were chosen. */
#include "codecs/wire/gfx_wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct gfx_in in;
static uint16_t slots[GFX_CACHE_OFFER_MAX];

/* Slots that exist, each once, for entries of some size. */
static void check_offer(size_t n)
{
    static bool seen[25601];
    uint64_t bytes = 0;
    memset(seen, 0, sizeof seen);
    if (n > in.offer.nentries)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (slots[i] < 1 || slots[i] > 25600 || seen[slots[i]])
            abort();
        seen[slots[i]] = true;
        bytes += in.offer.entries[i].bytes;
    }
    if (bytes > (uint64_t)100 << 20)
        abort();
}

static struct engine *make_engine(const struct engine_caps *caps)
{
    const struct engine_config config = {.max_frame_rate = 60, .h264 = ENGINE_H264_OFF, .caps = *caps};
    struct engine *e = engine_create(&config);
    if (e && engine_surface_create(e, 1, 128, 128, 0, 0) < 0)
        abort();
    return e;
}

/* What is confirmed was offered, and the engine is told no more than it says. */
static void choose(struct engine **e)
{
    struct engine_caps caps = {0};
    struct gfx_capset chosen;
    bool offered = false;
    if (gfx_caps_choose(&in, &caps, &chosen) < 0)
        return;
    for (size_t i = 0; i < in.caps.nsets; i++)
        offered |= in.caps.sets[i].version == chosen.version && in.caps.sets[i].flags == chosen.flags;
    if (!offered || !caps.gfx || (caps.avc444 && !caps.avc420) ||
        (caps.thin_client && (caps.progressive || !caps.small_cache)))
        abort();
    engine_destroy(*e);
    *e = make_engine(&caps);
    if (!*e)
        abort();
}

static void feed(struct engine **at, struct gfx_wire *w, uint64_t now)
{
    if (in.type == GFX_IN_CAPS)
        choose(at);
    struct engine *e = *at;
    switch (in.type) {
    case GFX_IN_ACK:
        engine_ack(e, in.ack.frame_id, in.ack.queue_depth, in.ack.total_decoded, now);
        break;
    case GFX_IN_CACHE_OFFER: {
        size_t n = engine_cache_offer(e, in.offer.entries, in.offer.nentries, slots);
        check_offer(n);
        gfx_wire_cache_import_reply(w, slots, n);
        break;
    }
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t px[128 * 128 * 4];
    const struct engine_caps caps = {.gfx = true,
        .clear_codec = true,
        .planar = true,
        .progressive = true,
        .small_cache = size & 1};
    const struct engine_rect all = {0, 0, 128, 128};
    struct engine *e = make_engine(&caps);
    struct gfx_wire *w = gfx_wire_create(false);
    struct gfx_frame f;
    struct rd r;
    uint64_t now = 1000000;
    rd_init(&r, data, size);
    if (e && w) {
        while (gfx_in_next(&r, &in) == 1) {
            gfx_wire_begin(w);
            feed(&e, w, now);
            px[now % sizeof px] ^= 0x55;
            engine_damage(e, 1, px, 512, &all, 1, now);
            if (engine_produce(e, now, &f) == 1)
                gfx_wire_frame(w, &f);
            now += 20000;
        }
    }
    gfx_wire_destroy(w);
    engine_destroy(e);
    return 0;
}
