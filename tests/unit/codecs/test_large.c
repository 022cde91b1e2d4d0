/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Films larger than one H.264 stream may be: each stream is one that Microsoft's decoder takes by its documentation. */
#include "common/wire.h"
#include "engine_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SIDE_MAX = 4096, LEVEL_MAX = 51, SPS = 7, SPS_BYTES = 64 };

/* ---- a sequence parameter set, as far as the size: H.264, 7.3.2.1.1 ---- */

struct bits {
    const uint8_t *data;
    size_t at, end; /* in bits */
};

static unsigned bit(struct bits *b)
{
    assert_true(b->at < b->end);
    unsigned v = b->data[b->at / 8] >> (7 - b->at % 8) & 1;
    b->at++;
    return v;
}

/* An unsigned Exp-Golomb code, 9.1 */
static unsigned code(struct bits *b)
{
    unsigned zeros = 0, v = 1;
    while (!bit(b))
        zeros++;
    for (unsigned i = 0; i < zeros; i++)
        v = v << 1 | bit(b);
    return v - 1;
}

struct sps {
    unsigned level, width, height;
};

static struct sps read_sps(const uint8_t *nal, size_t len)
{
    uint8_t plain[SPS_BYTES]; /* without the bytes that keep start codes out */
    struct sps s = {.level = nal[3]};
    size_t n = 0;
    for (size_t i = 4; i < len && n < sizeof plain; i++)
        if (!(i >= 6 && nal[i] == 3 && nal[i - 1] == 0 && nal[i - 2] == 0))
            plain[n++] = nal[i];
    struct bits b = {plain, 0, n * 8};
    code(&b);                          /* id */
    if (nal[1] == 100) {               /* profile: High */
        assert_int_equal(code(&b), 1); /* 4:2:0 */
        code(&b);
        code(&b);
        bit(&b);
        assert_int_equal(bit(&b), 0); /* no scaling matrix */
    }
    code(&b);          /* frame numbers */
    if (code(&b) == 0) /* order */
        code(&b);
    code(&b); /* reference frames */
    bit(&b);
    s.width = (code(&b) + 1) * 16;
    s.height = (code(&b) + 1) * 16;
    assert_int_equal(bit(&b), 1); /* frames, not fields */
    return s;
}

/* Each parameter set of an Annex B stream. Returns how many. */
static size_t check_stream(const uint8_t *data, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i + 4 < len; i++) {
        if (data[i] != 0 || data[i + 1] != 0 || data[i + 2] != 1 || (data[i + 3] & 31) != SPS)
            continue;
        struct sps s = read_sps(data + i + 3, len - i - 3);
        print_message("%ux%u level %u\n", s.width, s.height, s.level);
        assert_true(s.width <= SIDE_MAX && s.height <= SIDE_MAX);
        assert_true(s.level <= LEVEL_MAX);
        n++;
    }
    return n;
}

/* ---- films ---- */

static size_t sets;

static void on_frame(void *user, const struct gfx_frame *f)
{
    for (size_t i = 0; i < f->ncommands; i++) {
        const struct gfx_command *c = &f->commands[i];
        if (c->type == GFX_WIRE && (c->codec == GFX_CODEC_AVC420 || c->codec == GFX_CODEC_AVC444V2))
            sets += check_stream(c->data, c->len);
    }
}

/* A picture of its own each time: no motion explains it. */
static void draw_picture(struct world *w, uint32_t seed, bool colourful)
{
    enum { PIECE = 256 };
    struct canvas piece = canvas_new(PIECE, PIECE);
    draw_photo(&piece, 0, 0, PIECE, PIECE, seed, 0, 0, 256, 3);
    for (int x = (int)(seed % 9); colourful && x < PIECE; x += 23) { /* thin lines, as plots have */
        draw_rect(&piece, x, 0, 1, PIECE, 0x0000FF);
        draw_rect(&piece, x + 11, 0, 1, PIECE, 0xFF0000);
    }
    for (int y = 0; y < w->screen.h; y += PIECE)
        for (int x = 0; x < w->screen.w; x += PIECE)
            draw_copy(&w->screen, x, y, &piece, 0, 0, PIECE, PIECE);
    canvas_free(&piece);
    damaged(w, 0, 0, w->screen.w, w->screen.h);
    hand_in(w);
}

static void play(int width, int height, bool colourful, bool threads, unsigned streams)
{
    struct engine_caps caps = gfx_caps;
    struct world w;
    caps.avc444 = colourful;
    sets = 0;
    world_open_with(&w, &caps, width, height, 1, (struct world_options){.threads = threads});
    w.on_frame = on_frame;
    for (uint32_t i = 0; i < 11; i++) {
        draw_picture(&w, 100 + 17 * i, colourful);
        for (uint64_t end = w.now + 33333; w.now < end;)
            step(&w);
        world_wait(&w);
    }
#ifdef ORIEL_HAVE_X264
    assert_true(sets >= streams);
    assert_int_equal(ref_client_surfaces(w.client), 1 + streams);
    assert_true(!colourful || ref_client_avc444(w.client, 0) > 0);
#endif
    settle(&w);
    check_all_equal(&w);
    world_close(&w);
}

static void full_screen_motion_at_5k_is_streams_that_decoders_take(void **state)
{
    play(5120, 2160, false, false, 2);
}

static void so_it_is_with_encoders_beside_the_loop(void **state)
{
    play(5120, 2160, false, true, 2);
}

static void so_it_is_in_full_colour(void **state)
{
    play(3840, 2160, true, false, 2);
}

static void what_would_be_too_many_streams_is_no_film(void **state)
{
    play(16640, 320, false, false, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_screen_motion_at_5k_is_streams_that_decoders_take),
        cmocka_unit_test(so_it_is_with_encoders_beside_the_loop),
        cmocka_unit_test(so_it_is_in_full_colour),
        cmocka_unit_test(what_would_be_too_many_streams_is_no_film),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
