/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plays scene files in an X display: puts each frame as one image, then its counter, and logs the time.
 * Commands come on a named pipe, one a line, so that one running session serves the whole bench:
 *   play SCENE LOG FRAMES RATE   RATE in frames per second, 0: the scene's own
 *   keys SCENE LOG FRAMES        one frame per key press
 *   keysfilm SCENE LOG FRAMES RATE   as play; each key press counts the second strip on
 *   hide                         no window until the next scene
 *   quit                         */
#include "bench/scene_file.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <time.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>

#define FIRST_PICTURE_US 1500000 /* the background is not the scene: it has this long */

struct player {
    xcb_connection_t *x;
    xcb_window_t win;
    xcb_gcontext_t gc;
    xcb_shm_seg_t seg;
    uint8_t *px;
    uint32_t width, height, counter;
};

static void raise_window(struct player *p)
{
    xcb_map_window(p->x, p->win);
    xcb_set_input_focus(p->x, XCB_INPUT_FOCUS_POINTER_ROOT, p->win, XCB_CURRENT_TIME);
    xcb_flush(p->x);
}

static void hide_window(struct player *p)
{
    xcb_unmap_window(p->x, p->win);
    xcb_flush(p->x);
}

static int player_open(struct player *p, uint32_t width, uint32_t height)
{
    p->x = xcb_connect(NULL, NULL);
    if (xcb_connection_has_error(p->x))
        return -ECONNREFUSED;
    xcb_screen_t *s = xcb_setup_roots_iterator(xcb_get_setup(p->x)).data;
    p->width = width;
    p->height = height;
    p->win = xcb_generate_id(p->x);
    uint32_t values[] = {s->black_pixel, 1, XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_EXPOSURE};
    xcb_create_window(p->x, s->root_depth, p->win, s->root, 0, 0, (uint16_t)width, (uint16_t)height, 0,
        XCB_WINDOW_CLASS_INPUT_OUTPUT, s->root_visual, XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK,
        values);
    p->gc = xcb_generate_id(p->x);
    xcb_create_gc(p->x, p->gc, p->win, 0, NULL);
    int id = shmget(IPC_PRIVATE, (size_t)width * height * 4, IPC_CREAT | 0600);
    p->px = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
    if (p->px == (void *)-1)
        return -errno;
    p->seg = xcb_generate_id(p->x);
    xcb_generic_error_t *e = xcb_request_check(p->x, xcb_shm_attach_checked(p->x, p->seg, (uint32_t)id, 0));
    shmctl(id, IPC_RMID, NULL);
    if (e) {
        free(e);
        return -EACCES;
    }
    raise_window(p);
    return 0;
}

static void put(struct player *p, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    xcb_shm_put_image(p->x, p->win, p->gc, (uint16_t)p->width, (uint16_t)p->height, (uint16_t)x, (uint16_t)y,
        (uint16_t)w, (uint16_t)h, (int16_t)x, (int16_t)y, 24, XCB_IMAGE_FORMAT_Z_PIXMAP, 0, p->seg, 0);
}

static void sync_x(struct player *p)
{
    free(xcb_get_input_focus_reply(p->x, xcb_get_input_focus(p->x), NULL));
}

static void show(struct player *p, const struct scene *s, uint32_t i, uint64_t *log)
{
    const struct scene_frame *f = &s->frames[i % s->nframes];
    scene_apply(s, i % s->nframes, p->px);
    stamp_draw(p->px, (size_t)p->width * 4, ++p->counter);
    put(p, f->x, f->y, f->width, f->height);
    put(p, 0, 0, STAMP_BITS * STAMP_CELL, STAMP_HEIGHT);
    if (p->counter < DRAW_LOG_MAX)
        log[p->counter] = now_us();
    xcb_flush(p->x);
    sync_x(p); /* the shared picture may change again only after the server has read it */
}

static void sleep_until(uint64_t t)
{
    struct timespec ts = {(time_t)(t / 1000000), (long)(t % 1000000 * 1000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        ;
}

static void begin(struct player *p, const struct scene *s)
{
    raise_window(p);
    scene_background(s, p->px);
    p->counter = 0;
    stamp_draw(p->px, (size_t)p->width * 4, 0);
    put(p, 0, 0, p->width, p->height);
    xcb_flush(p->x);
    sync_x(p);
}

/* Until the next frame is due; keys are answered meanwhile, but not later than the frame. */
static void answer_keys(struct player *p, uint64_t until, uint32_t *count)
{
    struct pollfd pfd = {xcb_get_file_descriptor(p->x), POLLIN, 0};
    for (uint64_t now; (now = now_us()) < until;) {
        xcb_generic_event_t *e = xcb_poll_for_event(p->x);
        if (!e) {
            struct timespec left = {0, (long)(until - now) * 1000};
            if (xcb_connection_has_error(p->x) || ppoll(&pfd, 1, &left, NULL) < 0)
                return;
            continue;
        }
        if ((e->response_type & 0x7f) == XCB_KEY_PRESS) {
            stamp_draw(p->px + STAMP2_X * 4, (size_t)p->width * 4, ++*count);
            put(p, STAMP2_X, 0, STAMP_BITS * STAMP_CELL, STAMP_HEIGHT);
            xcb_flush(p->x);
        }
        free(e);
    }
}

static void play(struct player *p, const struct scene *s, uint64_t *log, uint32_t frames, double rate, bool with_keys)
{
    uint64_t period = (uint64_t)(1e6 / (rate > 0 ? rate : s->rate / 1000.0)), next = now_us();
    uint32_t count = 0;
    for (uint32_t i = 0; i < frames; i++) {
        show(p, s, i, log);
        next += period;
        if (with_keys)
            answer_keys(p, next, &count);
        else
            sleep_until(next);
    }
}

static void keys(struct player *p, const struct scene *s, uint64_t *log, uint32_t frames)
{
    struct pollfd pfd = {xcb_get_file_descriptor(p->x), POLLIN, 0};
    for (uint32_t i = 0; i < frames;) {
        xcb_generic_event_t *e = xcb_poll_for_event(p->x);
        if (!e) {
            if (xcb_connection_has_error(p->x) || poll(&pfd, 1, 10000) == 0)
                return;
            continue;
        }
        if ((e->response_type & 0x7f) == XCB_KEY_PRESS)
            show(p, s, i++, log);
        free(e);
    }
}

static bool run_line(struct player *p, const char *line)
{
    char verb[16], scene_path[512], log_path[512];
    unsigned frames = 0;
    double rate = 0;
    struct scene s;
    int n = sscanf(line, "%15s %511s %511s %u %lf", verb, scene_path, log_path, &frames, &rate);
    if (n < 1 || strcmp(verb, "quit") == 0)
        return false;
    if (strcmp(verb, "hide") == 0)
        return hide_window(p), true;
    if (n < 4 || scene_open(&s, scene_path) < 0) {
        fprintf(stderr, "player: bad command: %s", line);
        return true;
    }
    uint64_t *log = draw_log_open(log_path);
    if (log) {
        begin(p, &s);
        log[0] = now_us() + FIRST_PICTURE_US;
        sleep_until(log[0]);
        if (strcmp(verb, "keys") == 0)
            keys(p, &s, log, frames);
        else
            play(p, &s, log, frames, rate, strcmp(verb, "keysfilm") == 0);
    }
    draw_log_close(log);
    scene_close(&s);
    return true;
}

int main(int argc, char **argv)
{
    struct player p = {0};
    char line[2048];
    if (argc != 2) {
        fprintf(stderr, "usage: player COMMAND_PIPE\n");
        return 2;
    }
    int r = player_open(&p, 1920, 1080);
    if (r < 0) {
        fprintf(stderr, "player: %s\n", strerror(-r));
        return 1;
    }
    for (bool more = true; more;) {
        FILE *f = fopen(argv[1], "r");
        while (f && more && fgets(line, sizeof line, f))
            more = run_line(&p, line);
        if (!f)
            return 1;
        fclose(f);
    }
    return 0;
}
