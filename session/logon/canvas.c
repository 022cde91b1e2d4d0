/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/canvas.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STRIDE_ALIGN 64 /* a cache line: rows do not share one */

static int fail(struct canvas *c, int err)
{
    canvas_finish(c);
    return -err;
}

int canvas_init(struct canvas *c, uint32_t width, uint32_t height)
{
    *c = (struct canvas){.fd = -1, .width = width, .height = height};
    c->stride = (width * 4 + STRIDE_ALIGN - 1) / STRIDE_ALIGN * STRIDE_ALIGN;
    size_t len = (size_t)c->stride * height;
    c->fd = memfd_create("oriel-picture", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (c->fd < 0 || ftruncate(c->fd, (off_t)len) < 0)
        return fail(c, errno);
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
    if (p == MAP_FAILED)
        return fail(c, errno);
    c->pixels = p;
    c->len = len;
    if (fcntl(c->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
        return fail(c, errno);
    c->surface =
        cairo_image_surface_create_for_data(c->pixels, CAIRO_FORMAT_RGB24, (int)width, (int)height, (int)c->stride);
    if (cairo_surface_status(c->surface) != CAIRO_STATUS_SUCCESS)
        return fail(c, ENOMEM);
    return 0;
}

void canvas_finish(struct canvas *c)
{
    if (c->surface) {
        cairo_surface_finish(c->surface);
        cairo_surface_destroy(c->surface);
    }
    if (c->pixels)
        munmap(c->pixels, c->len);
    if (c->fd >= 0)
        close(c->fd);
    *c = (struct canvas){.fd = -1};
}
