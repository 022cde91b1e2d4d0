/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Damage and pixels: what changed, and how it gets into a sealed buffer.
 *
 * The X server maps the memfd first, then it is sealed: F_SEAL_FUTURE_WRITE stops writable mappings and writes that
 * come later, not the one that exists. So only the X server can write into it, and the receiver can trust its size. */
#include "common/clock.h"
#include "session/display/x11.h"
#include "session/display/x11_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xcb/shm.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

struct backend_pixels {
    int fd;
    uint32_t width, height, stride;
    xcb_shm_seg_t segment;
    xcb_pixmap_t pixmap;
};

static int add_rectangles(const xcb_rectangle_t *r, int n, pixman_region32_t *damage)
{
    pixman_box32_t *boxes = calloc((size_t)n, sizeof *boxes);
    if (!boxes)
        return -ENOMEM;
    for (int i = 0; i < n; i++)
        boxes[i] = (pixman_box32_t){r[i].x, r[i].y, r[i].x + r[i].width, r[i].y + r[i].height};
    pixman_region32_t more;
    bool ok = pixman_region32_init_rects(&more, boxes, n);
    free(boxes);
    if (!ok)
        return -ENOMEM;
    ok = pixman_region32_union(damage, damage, &more);
    pixman_region32_fini(&more);
    return ok ? 0 : -ENOMEM;
}

/* One: the root window. */
size_t x11_surfaces(struct backend *b, struct display_surface *out, size_t cap)
{
    if (cap == 0)
        return 0;
    *out = (struct display_surface){.surface = DISPLAY_DESKTOP,
        .kind = SURFACE_DESKTOP,
        .owner = DISPLAY_NO_SURFACE,
        .width = b->width,
        .height = b->height};
    return 1;
}

int x11_collect(struct backend *b, uint32_t surface, pixman_region32_t *damage)
{
    if (surface != DISPLAY_DESKTOP)
        return -ENOENT;
    b->told_damage = false;
    xcb_damage_subtract(b->c, b->damage, XCB_NONE, b->region);
    xcb_xfixes_fetch_region_reply_t *r =
        xcb_xfixes_fetch_region_reply(b->c, xcb_xfixes_fetch_region(b->c, b->region), NULL);
    x11_replied(b);
    if (!r)
        return -EIO;
    int n = xcb_xfixes_fetch_region_rectangles_length(r);
    int err = n ? add_rectangles(xcb_xfixes_fetch_region_rectangles(r), n, damage) : 0;
    free(r);
    return err;
}

static int attach(struct backend *b, struct backend_pixels *p)
{
    int theirs = fcntl(p->fd, F_DUPFD_CLOEXEC, 0); /* libxcb closes the descriptor that it sends */
    if (theirs < 0)
        return -errno;
    p->segment = xcb_generate_id(b->c);
    int r = x11_check(b, xcb_shm_attach_fd_checked(b->c, p->segment, theirs, 0), "attach shared memory");
    if (r < 0) {
        p->segment = 0;
        return r;
    }
    xcb_pixmap_t pixmap = xcb_generate_id(b->c);
    r = x11_check(b,
        xcb_shm_create_pixmap_checked(b->c, pixmap, b->root, (uint16_t)p->width, (uint16_t)p->height,
            b->screen->root_depth, p->segment, 0),
        "create shared pixmap");
    if (r == 0)
        p->pixmap = pixmap;
    return r;
}

int x11_pixels_create(struct backend *b, uint32_t surface, struct backend_pixels **out)
{
    if (surface != DISPLAY_DESKTOP)
        return -ENOENT;
    struct backend_pixels *p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    *p = (struct backend_pixels){.width = b->width, .height = b->height, .stride = b->width * 4};
    int r = -1;
    p->fd = memfd_create("oriel-pixels", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (p->fd < 0 || ftruncate(p->fd, (off_t)p->stride * p->height) < 0) {
        r = -errno;
        goto fail;
    }
    r = attach(b, p);
    if (r < 0)
        goto fail;
    if (fcntl(p->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0) {
        r = -errno;
        goto fail;
    }
    *out = p;
    return 0;
fail:
    x11_pixels_destroy(b, p);
    return r;
}

void x11_pixels_destroy(struct backend *b, struct backend_pixels *p)
{
    if (!p)
        return;
    if (p->pixmap)
        xcb_free_pixmap(b->c, p->pixmap);
    if (p->segment)
        xcb_shm_detach(b->c, p->segment);
    x11_flush(b);
    if (p->fd >= 0)
        close(p->fd);
    free(p);
}

int x11_pixels_info(const struct backend_pixels *p, uint32_t *width, uint32_t *height, uint32_t *stride)
{
    *width = p->width;
    *height = p->height;
    *stride = p->stride;
    return p->fd;
}

void x11_copy(struct backend *b, struct backend_pixels *p, const struct display_rect *rects, size_t nrects)
{
    for (size_t i = 0; i < nrects; i++) {
        int16_t x = (int16_t)rects[i].x, y = (int16_t)rects[i].y;
        xcb_copy_area(b->c, b->root, p->pixmap, b->gc, x, y, x, y, rects[i].width, rects[i].height);
    }
}

#define APART_US 120 /* a server that slept has woken up, read its first request, and is at work */

/* The server answers when it has nothing more to read. What is asked for while it is busy with the copy before is done
 * next, but answered apart. */
static void keep_apart(uint64_t before_us)
{
    uint64_t spent = clock_us() - before_us;
    if (spent < APART_US)
        (void)usleep((useconds_t)(APART_US - spent));
}

/* Any round trip would do; this one also tells whether an application moved the pointer. */
void x11_mark(struct backend *b)
{
    if (b->nmarks == BACKEND_MARKS_MAX)
        (void)x11_wait(b);
    if (b->nmarks)
        keep_apart(b->marks[b->nmarks - 1].sent_us);
    b->marks[b->nmarks].cookie = xcb_query_pointer(b->c, b->root);
    x11_flush(b);
    b->marks[b->nmarks++].sent_us = clock_us();
}

int x11_wait(struct backend *b)
{
    if (b->nmarks == 0)
        return 0;
    xcb_query_pointer_reply_t *r = xcb_query_pointer_reply(b->c, b->marks[0].cookie, NULL);
    memmove(b->marks, b->marks + 1, --b->nmarks * sizeof b->marks[0]);
    x11_replied(b);
    if (!r)
        return -EIO;
    bool moved = r->same_screen && (r->root_x != b->pointer_x || r->root_y != b->pointer_y);
    if (moved) {
        b->pointer_x = r->root_x;
        b->pointer_y = r->root_y;
        b->pointer_moved = true;
    }
    free(r);
    return 0;
}
