/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/tools/front.h"

#include "common/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void front_init(struct front *f, int sock)
{
    *f = (struct front){.sock = sock, .buffer_fd = -1};
}

static void drop_buffer(struct front *f)
{
    if (f->map)
        munmap((void *)f->map, f->map_len);
    if (f->buffer_fd >= 0)
        close(f->buffer_fd);
    free(f->picture);
    f->map = NULL;
    f->picture = NULL;
    f->buffer_fd = -1;
}

void front_finish(struct front *f)
{
    drop_buffer(f);
    if (f->sock >= 0)
        close(f->sock);
    f->sock = -1;
}

int front_open(struct front *f, const struct display_layout *layout, uint32_t klid)
{
    struct display_open m = {.nmonitors = layout->nmonitors, .keyboard_layout = klid};
    memcpy(m.monitors, layout->monitors, sizeof m.monitors);
    return wire_send(f->sock, &display_open_def, &m, NULL);
}

static int take_buffer(struct front *f, const struct display_buffer *m, int fd)
{
    struct stat st;
    int need = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
    drop_buffer(f);
    if (f->surface.layout == 0 || f->surface.layout != f->monitors.serial || m->surface != f->surface.surface)
        return -EPROTO;
    f->buffer = (struct front_buffer){.surface = m->surface,
        .width = f->surface.width,
        .height = f->surface.height,
        .stride = m->stride,
        .nmonitors = f->monitors.nmonitors};
    memcpy(f->buffer.monitors, f->monitors.monitors, sizeof f->buffer.monitors);
    f->buffer_fd = fd;
    f->buffers++;
    f->map_len = (size_t)m->stride * f->surface.height;
    if (fstat(fd, &st) < 0 || (size_t)st.st_size != f->map_len || (fcntl(fd, F_GET_SEALS) & need) != need)
        return -EPROTO;
    void *map = mmap(NULL, f->map_len, PROT_READ, MAP_SHARED, fd, 0);
    f->picture = calloc(f->surface.height, f->surface.width * 4ul);
    if (map == MAP_FAILED || !f->picture)
        return -ENOMEM;
    f->map = map;
    return 0;
}

static int take_rects(struct front *f, const struct display_rect *rects, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct display_rect *r = &rects[i];
        if (!f->map || r->x + r->width > (int)f->buffer.width || r->y + r->height > (int)f->buffer.height)
            return -EPROTO;
        for (uint32_t y = r->y; y < (uint32_t)r->y + r->height; y++)
            memcpy(f->picture + ((size_t)y * f->buffer.width + r->x) * 4,
                f->map + (size_t)y * f->buffer.stride + r->x * 4ul, r->width * 4ul);
    }
    return 0;
}

static int take_frame(struct front *f, const struct display_frame *m)
{
    f->frame = *m;
    f->frames++;
    int r = take_rects(f, m->rects, m->nrects);
    return r < 0 || f->hold ? r : front_done(f);
}

int front_done(struct front *f)
{
    struct display_frame_done m = {.surface = f->frame.surface, .frame = f->frame.frame};
    return wire_send(f->sock, &display_frame_done_def, &m, NULL);
}

int front_step(struct front *f, int timeout_ms)
{
    static _Alignas(16) uint8_t buf[sizeof(struct display_cursor) + sizeof(struct display_frame)];
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    /* 0 would block */
    int r = wire_recv(f->sock, &display_to_front, &def, buf, fds, timeout_ms > 0 ? timeout_ms : 1);
    if (r < 0)
        return r == -EAGAIN ? -ETIMEDOUT : r;
    if (def == &display_monitors_def) {
        memcpy(&f->monitors, buf, sizeof f->monitors);
        memcpy(f->buffer.monitors, f->monitors.monitors, sizeof f->buffer.monitors);
        f->buffer.nmonitors = f->monitors.nmonitors;
        f->layouts++;
    }
    if (def == &display_surface_def)
        memcpy(&f->surface, buf, sizeof f->surface);
    if (def == &display_buffer_def)
        return take_buffer(f, (const void *)buf, fds[0]);
    if (def == &display_frame_def)
        return take_frame(f, (const void *)buf);
    if (def == &display_copied_def) {
        const struct display_copied *m = (const void *)buf;
        f->copied++;
        return take_rects(f, m->rects, m->nrects);
    }
    if (def == &display_cursor_def) {
        memcpy(&f->cursor, buf, sizeof f->cursor);
        f->cursors++;
    } else if (def == &display_pointer_def) {
        memcpy(&f->pointer, buf, sizeof f->pointer);
        f->pointers++;
    } else if (def == &display_leds_def) {
        memcpy(&f->leds, buf, sizeof f->leds);
        f->ledses++;
    } else if (def == &display_end_def) {
        f->end_reason = ((const struct display_end *)(const void *)buf)->reason;
    }
    return 0;
}

int front_settle(struct front *f, int quiet_ms, int limit_ms)
{
    int64_t end = now_ms() + limit_ms;
    for (int n = 0;; n++) {
        int64_t left = end - now_ms();
        int r = left <= 0 ? -ETIMEDOUT : front_step(f, (int)(left < quiet_ms ? left : quiet_ms));
        if (r == -ETIMEDOUT)
            return n;
        if (r < 0)
            return r;
    }
}

int front_event(struct front *f, const struct display_event *e)
{
    struct display_input m = {.nevents = 1, .events = {*e}};
    return wire_send(f->sock, &display_input_def, &m, NULL);
}

int front_key(struct front *f, uint32_t scancode, unsigned flags)
{
    struct display_event e = {.type = INPUT_KEY, .code = scancode, .flags = (uint8_t)flags};
    return front_event(f, &e);
}

int front_ppm(const struct front *f, const char *path)
{
    FILE *out = fopen(path, "wb");
    if (!out || !f->picture) {
        if (out)
            fclose(out);
        return -EIO;
    }
    size_t n = (size_t)f->buffer.width * f->buffer.height;
    fprintf(out, "P6\n%u %u\n255\n", f->buffer.width, f->buffer.height);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *px = f->picture + i * 4, rgb[3] = {px[2], px[1], px[0]};
        fwrite(rgb, 1, 3, out);
    }
    return fclose(out) == 0 ? 0 : -EIO;
}

static void child(const char *program, const char *display, int sock)
{
    /* The descriptor must be 3 without close-on-exec. */
    if (sock == 3)
        fcntl(3, F_SETFD, 0);
    else if (dup2(sock, 3) < 0)
        _exit(126);
    setenv("DISPLAY", display, 1);
    execl(program, program, (char *)NULL);
    _exit(127);
}

int front_agent_start(struct front_agent *a, const char *program, const char *display,
    const struct display_layout *layout, uint32_t klid, uint32_t idle_seconds)
{
    int sv[2];
    int r = link_pair(sv);
    if (r < 0)
        return r;
    *a = (struct front_agent){.pid = fork(), .sock = sv[0]};
    if (a->pid == 0)
        child(program, display, sv[1]);
    close(sv[1]);
    struct agent_start m = {.open = {.nmonitors = layout->nmonitors, .keyboard_layout = klid},
        .idle_seconds = idle_seconds};
    memcpy(m.open.monitors, layout->monitors, sizeof m.open.monitors);
    r = wire_send(a->sock, &agent_start_def, &m, NULL);
    if (r < 0)
        return r;
    const void *msg;
    const struct wire_def *def = front_agent_message(a, &msg, 10000);
    if (def == &agent_failed_def)
        fprintf(stderr, "agent_failed: %s\n", ((const struct agent_failed *)msg)->text);
    return def == &agent_ready_def ? 0 : -EIO;
}

const struct wire_def *front_agent_message(struct front_agent *a, const void **msg, int timeout_ms)
{
    static _Alignas(16) uint8_t buf[4096];
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    *msg = buf;
    return wire_recv(a->sock, &agent_to_leader, &def, buf, fds, timeout_ms) == 0 ? def : NULL;
}

int front_agent_client(struct front_agent *a, uint32_t id, uint8_t role)
{
    int sv[2];
    int r = link_pair(sv);
    if (r < 0)
        return r;
    struct agent_client m = {.client = id, .role = role};
    r = wire_send(a->sock, &agent_client_def, &m, &sv[1]);
    close(sv[1]);
    if (r < 0) {
        close(sv[0]);
        return r;
    }
    return sv[0];
}

int front_agent_stop(struct front_agent *a)
{
    int status;
    close(a->sock);
    if (waitpid(a->pid, &status, 0) < 0)
        return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}
