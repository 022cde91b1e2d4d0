/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/tools/backend_drawn.h"

#include "common/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

struct drawn {
    struct display_surface is;
    uint32_t *px;
    pixman_region32_t damage;
    bool due, told; /* damage is to be raised; was raised and not collected */
};
struct backend_pixels {
    int fd;
    uint32_t surface, width, height;
    uint32_t *px;
};
struct backend {
    const struct backend_events *events;
    void *user;
    struct event *due;
    struct display_layout layout;
    struct drawn surfaces[DISPLAY_SURFACES_MAX];
    unsigned n;
    bool desktop, surfaces_due, layout_due, death_due;
    unsigned copies;
};
static struct backend display;

static struct drawn *find(uint32_t surface)
{
    for (unsigned i = 0; i < display.n; i++)
        if (display.surfaces[i].is.surface == surface)
            return &display.surfaces[i];
    return NULL;
}

static void raise_later(void)
{
    if (display.due)
        event_active(display.due, EV_TIMEOUT, 0);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct backend *b = arg;
    bool layout = b->layout_due, surfaces = b->surfaces_due && !layout;
    b->layout_due = b->surfaces_due = false;
    if (layout)
        b->events->layout(b->user);
    if (surfaces)
        b->events->surfaces(b->user);
    for (unsigned i = 0; i < b->n; i++) {
        struct drawn *d = &b->surfaces[i];
        if (d->due && !d->told) {
            d->told = true;
            b->events->damaged(b->user, d->is.surface, clock_us());
        }
        d->due = false;
    }
    if (b->death_due)
        b->events->died(b->user);
    b->death_due = false;
}

/* ---- what tests do ---- */

void drawn_desktop(bool wanted)
{
    display.desktop = wanted;
}

static void resize(struct drawn *d, uint32_t width, uint32_t height)
{
    uint32_t *px = calloc((size_t)width * height, sizeof *px);
    uint32_t rows = d->px ? d->is.height < height ? d->is.height : height : 0;
    uint32_t columns = d->is.width < width ? d->is.width : width;
    if (!px)
        abort();
    for (uint32_t y = 0; y < rows; y++)
        memcpy(px + (size_t)y * width, d->px + (size_t)y * d->is.width, columns * sizeof *px);
    free(d->px);
    d->px = px;
}

static struct drawn *put(const struct display_surface *s)
{
    struct drawn *d = find(s->surface);
    if (!d) {
        if (display.n == DISPLAY_SURFACES_MAX)
            abort();
        d = &display.surfaces[display.n++];
        *d = (struct drawn){.px = NULL};
        pixman_region32_init(&d->damage);
    }
    if (!d->px || d->is.width != s->width || d->is.height != s->height)
        resize(d, s->width, s->height);
    d->is = *s;
    return d;
}

void drawn_surface(const struct display_surface *s)
{
    (void)put(s);
    display.surfaces_due = true;
    raise_later();
}

static void drop(struct drawn *d)
{
    pixman_region32_fini(&d->damage);
    free(d->px);
    memmove(d, d + 1, (size_t)(display.surfaces + --display.n - d) * sizeof *d);
}

void drawn_gone(uint32_t surface)
{
    struct drawn *d = find(surface);
    if (d)
        drop(d);
    display.surfaces_due = true;
    raise_later();
}

uint32_t *drawn_pixels(uint32_t surface, uint32_t *width, uint32_t *height)
{
    struct drawn *d = find(surface);
    if (!d)
        return NULL;
    *width = d->is.width;
    *height = d->is.height;
    return d->px;
}

void drawn_damage(uint32_t surface, int x, int y, unsigned width, unsigned height)
{
    struct drawn *d = find(surface);
    if (!d)
        return;
    pixman_region32_union_rect(&d->damage, &d->damage, x, y, width, height);
    d->due = true;
    raise_later();
}

void drawn_fill(uint32_t surface, int x, int y, unsigned width, unsigned height, uint32_t colour)
{
    struct drawn *d = find(surface);
    for (unsigned row = 0; d && row < height && (unsigned)y + row < d->is.height; row++)
        for (unsigned i = 0; i < width && (unsigned)x + i < d->is.width; i++)
            d->px[((size_t)y + row) * d->is.width + (unsigned)x + i] = colour;
    drawn_damage(surface, x, y, width, height);
}

static void use_layout(const struct display_layout *l)
{
    struct display_surface s = {.surface = DISPLAY_DESKTOP, .kind = SURFACE_DESKTOP, .owner = DISPLAY_NO_SURFACE};
    display.layout = *l;
    for (uint32_t i = 0; i < l->nmonitors; i++) {
        uint32_t right = (uint32_t)l->monitors[i].x + l->monitors[i].width;
        uint32_t bottom = (uint32_t)l->monitors[i].y + l->monitors[i].height;
        s.width = right > s.width ? right : s.width;
        s.height = bottom > s.height ? bottom : s.height;
    }
    if (!display.desktop)
        return;
    (void)put(&s);
    drawn_fill(DISPLAY_DESKTOP, 0, 0, s.width, s.height, 0x808080);
}

void drawn_layout(const struct display_layout *l)
{
    use_layout(l);
    display.layout_due = true;
    raise_later();
}

void drawn_die(void)
{
    display.death_due = true;
    raise_later();
}

unsigned drawn_copies(void)
{
    return display.copies;
}

/* ---- the table ---- */

static int drawn_open(struct event_base *base, const struct backend_events *ev, void *user,
    const struct backend_limits *limits, struct backend **out, char *why, size_t cap)
{
    bool desktop = display.desktop;
    display = (struct backend){.events = ev, .user = user, .desktop = desktop};
    display.due = event_new(base, -1, 0, on_due, &display);
    *out = &display;
    return display.due ? 0 : -ENOMEM;
}

static void drawn_close(struct backend *b)
{
    while (b->n)
        drop(&b->surfaces[b->n - 1]);
    event_free(b->due);
    b->due = NULL;
}

static int drawn_set_layout(struct backend *b, const struct display_layout *want, struct display_layout *real)
{
    *real = *want;
    use_layout(want);
    return 0;
}

static int drawn_get_layout(struct backend *b, struct display_layout *real)
{
    *real = b->layout;
    return 0;
}

static size_t drawn_surfaces(struct backend *b, struct display_surface *out, size_t cap)
{
    size_t n = b->n < cap ? b->n : cap;
    for (size_t i = 0; i < n; i++)
        out[i] = b->surfaces[i].is;
    return n;
}

static int drawn_collect(struct backend *b, uint32_t surface, pixman_region32_t *damage)
{
    struct drawn *d = find(surface);
    if (!d)
        return -ENOENT;
    pixman_region32_union(damage, damage, &d->damage);
    pixman_region32_clear(&d->damage);
    d->told = false;
    return 0;
}

static void drawn_pixels_destroy(struct backend *b, struct backend_pixels *p)
{
    if (!p)
        return;
    if (p->px)
        munmap(p->px, (size_t)p->width * p->height * 4);
    if (p->fd >= 0)
        close(p->fd);
    free(p);
}

static int drawn_pixels_create(struct backend *b, uint32_t surface, struct backend_pixels **out)
{
    const struct drawn *d = find(surface);
    struct backend_pixels *p = d ? calloc(1, sizeof *p) : NULL;
    if (!p)
        return d ? -ENOMEM : -ENOENT;
    *p = (struct backend_pixels){.surface = surface, .width = d->is.width, .height = d->is.height};
    size_t size = (size_t)p->width * p->height * 4;
    p->fd = memfd_create("drawn", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *px = p->fd >= 0 && ftruncate(p->fd, (off_t)size) == 0
        ? mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0)
        : MAP_FAILED;
    p->px = px == MAP_FAILED ? NULL : px;
    if (!p->px || fcntl(p->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0) {
        drawn_pixels_destroy(b, p);
        return -ENOMEM;
    }
    *out = p;
    return 0;
}

static int drawn_pixels_info(const struct backend_pixels *p, uint32_t *width, uint32_t *height, uint32_t *stride)
{
    *width = p->width;
    *height = p->height;
    *stride = p->width * 4;
    return p->fd;
}

static void drawn_copy(struct backend *b, struct backend_pixels *p, const struct display_rect *rects, size_t nrects)
{
    const struct drawn *d = find(p->surface);
    if (!d || d->is.width < p->width || d->is.height < p->height)
        return; /* gone, or smaller by now */
    b->copies++;
    for (size_t i = 0; i < nrects; i++)
        for (unsigned y = rects[i].y; y < (unsigned)rects[i].y + rects[i].height; y++)
            memcpy(p->px + (size_t)y * p->width + rects[i].x, d->px + (size_t)y * d->is.width + rects[i].x,
                rects[i].width * 4u);
}

static int drawn_scale(struct backend *b, uint32_t percent)
{
    return 0;
}
static void drawn_mark(struct backend *b)
{
}
static int drawn_wait(struct backend *b)
{
    return 0;
}
static void drawn_key(struct backend *b, uint32_t code, bool down)
{
}
static void drawn_unicode(struct backend *b, uint32_t code_point)
{
}
static void drawn_move(struct backend *b, int32_t x, int32_t y)
{
}
static void drawn_button(struct backend *b, uint32_t button, bool down)
{
}
static void drawn_locks(struct backend *b, uint8_t locks)
{
}
static void drawn_input_done(struct backend *b)
{
}
static int drawn_keymap(struct backend *b, const struct backend_keymap *k)
{
    return 0;
}
static int drawn_notice(struct backend *b, int fd, uint32_t width, uint32_t height, uint32_t stride, unsigned seconds)
{
    return 0;
}

const struct backend_ops backend_drawn = {
    .name = "drawn",
    .open = drawn_open,
    .close = drawn_close,
    .set_layout = drawn_set_layout,
    .get_layout = drawn_get_layout,
    .set_scale = drawn_scale,
    .surfaces = drawn_surfaces,
    .collect = drawn_collect,
    .pixels_create = drawn_pixels_create,
    .pixels_destroy = drawn_pixels_destroy,
    .pixels_info = drawn_pixels_info,
    .copy = drawn_copy,
    .mark = drawn_mark,
    .wait = drawn_wait,
    .key = drawn_key,
    .unicode = drawn_unicode,
    .move = drawn_move,
    .button = drawn_button,
    .set_locks = drawn_locks,
    .input_done = drawn_input_done,
    .set_keymap = drawn_keymap,
    .notice = drawn_notice,
};
