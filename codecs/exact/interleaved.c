/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/exact/interleaved.h"

#include <errno.h>

/* Order codes with five bits of length, and their long forms. */
enum {
    BG_RUN = 0x00,
    COLOR_RUN = 0x60,
    COLOR_IMAGE = 0x80,
    MEGA_BG_RUN = 0xF0,
    MEGA_COLOR_RUN = 0xF3,
    MEGA_COLOR_IMAGE = 0xF4
};
#define RUN_MIN 3

struct image {
    uint32_t v[INTERLEAVED_PIXELS_MAX];
    int n, width, bytes;
};

static void put_order(struct wr *w, int code, int mega, int len)
{
    if (len < 32) {
        wr_u8(w, (uint8_t)(code | len));
    } else if (len < 32 + 256) {
        wr_u8(w, (uint8_t)code);
        wr_u8(w, (uint8_t)(len - 32));
    } else {
        wr_u8(w, (uint8_t)mega);
        wr_u16(w, (uint16_t)len);
    }
}

static void put_pixel(struct wr *w, uint32_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        wr_u8(w, (uint8_t)(v >> 8 * i));
}

/* So many pixels equal those above them. Not in the first row, where the order means black. */
static int above_run(const struct image *m, int i)
{
    int n = 0;
    while (i >= m->width && i + n < m->n && m->v[i + n] == m->v[i + n - m->width])
        n++;
    return n;
}

static int color_run(const struct image *m, int i)
{
    int n = 1;
    while (i + n < m->n && m->v[i + n] == m->v[i])
        n++;
    return n;
}

static void compress(const struct image *m, struct wr *w)
{
    for (int i = 0; i < m->n && !w->bad;) {
        int above = above_run(m, i), color = color_run(m, i), raw = 0;
        if (above >= RUN_MIN && above >= color) {
            put_order(w, BG_RUN, MEGA_BG_RUN, above);
            i += above;
            continue;
        }
        if (color >= RUN_MIN) {
            put_order(w, COLOR_RUN, MEGA_COLOR_RUN, color);
            put_pixel(w, m->v[i], m->bytes);
            i += color;
            continue;
        }
        do
            raw++;
        while (i + raw < m->n && above_run(m, i + raw) < RUN_MIN && color_run(m, i + raw) < RUN_MIN);
        put_order(w, COLOR_IMAGE, MEGA_COLOR_IMAGE, raw);
        for (int k = 0; k < raw; k++)
            put_pixel(w, m->v[i + k], m->bytes);
        i += raw;
    }
}

static void load(struct image *m, const uint8_t *px, size_t stride, int width, int padded, int height, int bpp)
{
    m->n = 0;
    m->width = padded;
    m->bytes = bpp / 8;
    for (int y = height - 1; y >= 0; y--)
        for (int x = 0; x < padded; x++) {
            const uint8_t *p = px + (size_t)y * stride + 4 * (size_t)(x < width ? x : width - 1);
            m->v[m->n++] = bpp == 16 ? (uint32_t)((p[2] >> 3) << 11 | (p[1] >> 2) << 5 | p[0] >> 3)
                                     : (uint32_t)(p[0] | p[1] << 8 | p[2] << 16);
        }
}

int interleaved_encode(struct wr *w, const uint8_t *px, size_t stride, int width, int padded, int height, int bpp,
    bool *compressed)
{
    struct image m;
    size_t raw = (size_t)padded * (size_t)height * (size_t)bpp / 8;
    if ((bpp != 16 && bpp != 24) || width < 1 || padded < width || height < 1 ||
        padded * height > INTERLEAVED_PIXELS_MAX)
        return -EINVAL;
    if (w->bad || w->cap - w->len < raw)
        return -EMSGSIZE;
    load(&m, px, stride, width, padded, height, bpp);
    struct wr t;
    wr_init(&t, w->p + w->len, raw - 1);
    compress(&m, &t);
    *compressed = !t.bad;
    if (!t.bad) {
        (void)wr_reserve(w, t.len);
        return 0;
    }
    for (int i = 0; i < m.n; i++)
        put_pixel(w, m.v[i], m.bytes);
    return 0;
}
