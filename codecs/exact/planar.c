/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/exact/planar.h"

#include <errno.h>
#include <string.h>

enum { HEADER_RLE = 0x10, HEADER_NO_ALPHA = 0x20 };
#define RAW_MAX 15
#define RUN_MIN 3
#define RUN_LONG_MAX 47

static int run_at(const uint8_t *v, int from, int n, uint8_t value)
{
    int i = from;
    while (i < n && v[i] == value)
        i++;
    return i - from;
}

/* Runs of 16 … 47 borrow the raw count's bits. Returns how much of the run was written: a rest below RUN_MIN stays. */
static int put_run(struct wr *w, int run)
{
    int done = 0;
    while (run - done >= RUN_MIN) {
        int left = run - done, take = left > RUN_LONG_MAX ? RUN_LONG_MAX : left;
        if (take >= 32)
            wr_u8(w, (uint8_t)((take - 32) << 4 | 2));
        else if (take >= 16)
            wr_u8(w, (uint8_t)((take - 16) << 4 | 1));
        else
            wr_u8(w, (uint8_t)take);
        done += take;
    }
    return done;
}

/* Where do raw bytes starting at `from` end? At a run of the byte before it, or after RAW_MAX. */
static int raw_end(const uint8_t *v, int from, int n)
{
    int i = from + 1;
    while (i < n && i - from < RAW_MAX && run_at(v, i, i + RUN_MIN < n ? i + RUN_MIN : n, v[i - 1]) < RUN_MIN)
        i++;
    return i;
}

static void put_line(struct wr *w, const uint8_t *v, int n)
{
    uint8_t last = 0;
    for (int i = 0; i < n;) {
        int done = put_run(w, run_at(v, i, n, last));
        i += done;
        if (i == n)
            break;
        int end = raw_end(v, i, n), run = run_at(v, end, n, v[end - 1]);
        run = run < RUN_MIN ? 0 : run > 15 ? 15 : run;
        wr_u8(w, (uint8_t)((end - i) << 4 | run));
        wr_bytes(w, v + i, (size_t)(end - i));
        i = end + run;
        last = v[end - 1];
    }
}

static const uint8_t *row_of(const uint8_t *px, size_t stride, int y, int height, bool bottom_up)
{
    return px + (size_t)(bottom_up ? height - 1 - y : y) * stride;
}

static void delta_line(uint8_t *out, const uint8_t *row, const uint8_t *above, int width)
{
    for (int x = 0; x < width; x++) {
        int d = (int8_t)(uint8_t)(row[4 * x] - above[4 * x]);
        out[x] = (uint8_t)(d >= 0 ? d << 1 : (-d << 1) - 1);
    }
}

static void put_plane_rle(struct wr *w, const uint8_t *px, size_t stride, int width, int height, bool bottom_up)
{
    uint8_t line[PLANAR_WIDTH_MAX];
    const uint8_t *above = row_of(px, stride, 0, height, bottom_up);
    for (int x = 0; x < width; x++)
        line[x] = above[4 * x];
    put_line(w, line, width);
    for (int y = 1; y < height && !w->bad; y++) {
        const uint8_t *row = row_of(px, stride, y, height, bottom_up);
        delta_line(line, row, above, width);
        put_line(w, line, width);
        above = row;
    }
}

static void put_plane_raw(struct wr *w, const uint8_t *px, size_t stride, int width, int height, bool bottom_up)
{
    for (int y = 0; y < height; y++) {
        const uint8_t *row = row_of(px, stride, y, height, bottom_up);
        uint8_t *out = wr_reserve(w, (size_t)width);
        for (int x = 0; out && x < width; x++)
            out[x] = row[4 * x];
    }
}

int planar_encode(struct wr *w, const uint8_t *px, size_t stride, int width, int height, bool bottom_up)
{
    if (width < 1 || height < 1 || width > PLANAR_WIDTH_MAX)
        return -EINVAL;
    if (w->bad || w->cap - w->len < PLANAR_BYTES(width, height))
        return -EMSGSIZE;
    struct wr t;
    wr_init(&t, w->p + w->len, PLANAR_BYTES(width, height) - 1);
    wr_u8(&t, HEADER_NO_ALPHA | HEADER_RLE);
    for (int plane = 2; plane >= 0; plane--) /* red, green, blue */
        put_plane_rle(&t, px + plane, stride, width, height, bottom_up);
    if (!t.bad) {
        (void)wr_reserve(w, t.len);
        return 0;
    }
    wr_u8(w, HEADER_NO_ALPHA);
    for (int plane = 2; plane >= 0; plane--)
        put_plane_raw(w, px + plane, stride, width, height, bottom_up);
    wr_u8(w, 0);
    return 0;
}
