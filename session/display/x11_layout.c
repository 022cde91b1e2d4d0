/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Size and monitors through RandR.
 *
 * The dummy driver has 16 real outputs, takes any mode and grows: one output per monitor. Xvfb has one output that
 * cannot grow beyond its first size: one mode for the whole desktop, and RandR 1.5 monitors laid over it. */
#include "common/log.h"
#include "session/display/x11.h"
#include "session/display/x11_conn.h"
#include "session/proto/layout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <xcb/xcbext.h>

#define OUTPUTS_MAX 32 /* the dummy driver has 16 */
#define MODE_PREFIX "oriel-"
/* The field has 32 bits; large modes get a lower refresh rate, which means nothing here */
#define DOT_CLOCK_MAX 4000000000u

struct output {
    xcb_randr_output_t id;
    xcb_randr_crtc_t crtc; /* the one it uses, or could use */
    xcb_randr_mode_t mode; /* in force, or 0 */
    int32_t x, y;
    xcb_randr_mode_t new_mode; /* wanted, or 0 */
    const struct display_monitor *monitor;
};
struct setup {
    xcb_randr_get_screen_resources_current_reply_t *res;
    uint32_t noutputs;
    struct output outputs[OUTPUTS_MAX];
    uint32_t max_width, max_height;
};

static void read_output(struct backend *b, struct setup *s, xcb_randr_output_t id)
{
    xcb_randr_get_output_info_reply_t *info =
        xcb_randr_get_output_info_reply(b->c, xcb_randr_get_output_info(b->c, id, s->res->config_timestamp), NULL);
    if (!info)
        return;
    struct output *o = &s->outputs[s->noutputs];
    *o = (struct output){.id = id, .crtc = info->crtc};
    if (!o->crtc && info->num_crtcs)
        o->crtc = xcb_randr_get_output_info_crtcs(info)[0];
    free(info);
    if (!o->crtc)
        return;
    xcb_randr_get_crtc_info_reply_t *crtc =
        xcb_randr_get_crtc_info_reply(b->c, xcb_randr_get_crtc_info(b->c, o->crtc, s->res->config_timestamp), NULL);
    if (!crtc)
        return;
    o->mode = crtc->mode;
    o->x = crtc->x;
    o->y = crtc->y;
    free(crtc);
    s->noutputs++;
}

static int read_resources(struct backend *b, struct setup *s)
{
    free(s->res);
    s->res =
        xcb_randr_get_screen_resources_current_reply(b->c, xcb_randr_get_screen_resources_current(b->c, b->root), NULL);
    x11_replied(b);
    return s->res ? 0 : -EIO;
}

static int setup_read(struct backend *b, struct setup *s)
{
    *s = (struct setup){.max_width = b->limits.max_width, .max_height = b->limits.max_height};
    xcb_randr_get_screen_size_range_reply_t *range =
        xcb_randr_get_screen_size_range_reply(b->c, xcb_randr_get_screen_size_range(b->c, b->root), NULL);
    if (!range)
        return -EIO;
    s->max_width = range->max_width < s->max_width ? range->max_width : s->max_width;
    s->max_height = range->max_height < s->max_height ? range->max_height : s->max_height;
    free(range);
    int r = read_resources(b, s);
    if (r < 0)
        return r;
    const xcb_randr_output_t *ids = xcb_randr_get_screen_resources_current_outputs(s->res);
    for (int i = 0; i < s->res->num_outputs && s->noutputs < OUTPUTS_MAX; i++)
        read_output(b, s, ids[i]);
    return s->noutputs ? 0 : -ENODEV;
}

static xcb_randr_mode_t find_mode(const struct setup *s, uint32_t width, uint32_t height)
{
    const xcb_randr_mode_info_t *m = xcb_randr_get_screen_resources_current_modes(s->res);
    for (int i = 0; i < s->res->num_modes; i++)
        if (m[i].width == width && m[i].height == height)
            return m[i].id;
    return 0;
}

static xcb_randr_mode_t create_mode(struct backend *b, uint32_t width, uint32_t height)
{
    char name[40];
    int n = snprintf(name, sizeof name, MODE_PREFIX "%ux%u", width, height);
    uint64_t clock = (uint64_t)width * height * 60;
    xcb_randr_mode_info_t info = {
        .width = (uint16_t)width,
        .height = (uint16_t)height,
        .dot_clock = (uint32_t)(clock < DOT_CLOCK_MAX ? clock : DOT_CLOCK_MAX),
        .hsync_start = (uint16_t)width,
        .hsync_end = (uint16_t)width,
        .htotal = (uint16_t)width,
        .vsync_start = (uint16_t)height,
        .vsync_end = (uint16_t)height,
        .vtotal = (uint16_t)height,
        .name_len = (uint16_t)n,
    };
    xcb_randr_create_mode_reply_t *r =
        xcb_randr_create_mode_reply(b->c, xcb_randr_create_mode(b->c, b->root, info, (uint32_t)n, name), NULL);
    xcb_randr_mode_t mode = r ? r->mode : 0;
    free(r);
    return mode;
}

static xcb_randr_mode_t mode_for(struct backend *b, struct setup *s, struct output *o, uint32_t width, uint32_t height)
{
    xcb_randr_mode_t mode = find_mode(s, width, height);
    if (!mode) {
        mode = create_mode(b, width, height);
        if (read_resources(b, s) < 0)
            return 0;
    }
    if (!mode)
        return 0;
    /* Adding a mode that the output already has does nothing; one that came with it is refused, and usable all the
     * same. */
    (void)x11_check(b, xcb_randr_add_output_mode_checked(b->c, o->id, mode), "add mode");
    return mode;
}

static void set_mm(struct backend *b, struct output *o)
{
    const struct display_monitor *m = o->monitor;
    const char *names[] = {"WIDTH_MM", "HEIGHT_MM"};
    uint32_t mm[] = {m->phys_width, m->phys_height};
    for (int i = 0; i < 2; i++) {
        xcb_atom_t atom = x11_atom(b, names[i]);
        if (atom)
            xcb_randr_change_output_property(b->c, o->id, atom, XCB_ATOM_INTEGER, 32, XCB_PROP_MODE_REPLACE, 1, &mm[i]);
    }
}

static int set_crtc(struct backend *b, const struct setup *s, const struct output *o, xcb_randr_mode_t mode)
{
    const struct display_monitor *m = o->monitor;
    xcb_randr_set_crtc_config_cookie_t cookie =
        xcb_randr_set_crtc_config(b->c, o->crtc, XCB_CURRENT_TIME, s->res->config_timestamp, (int16_t)(mode ? m->x : 0),
            (int16_t)(mode ? m->y : 0), mode, XCB_RANDR_ROTATION_ROTATE_0, mode ? 1 : 0, &o->id);
    xcb_randr_set_crtc_config_reply_t *r = xcb_randr_set_crtc_config_reply(b->c, cookie, NULL);
    int err = r && r->status == XCB_RANDR_SET_CONFIG_SUCCESS ? 0 : -EIO;
    if (err)
        log_debug("X refused", "what=crtc mode=%u status=%d", mode, r ? r->status : -1);
    free(r);
    return err;
}

static bool unchanged(const struct output *o)
{
    return o->mode == o->new_mode && (!o->mode || (o->x == o->monitor->x && o->y == o->monitor->y));
}

static int set_screen_size(struct backend *b, uint32_t width, uint32_t height, const struct display_layout *l)
{
    uint32_t scale = layout_scale(l);
    uint32_t mm_w = (uint32_t)(width * 2540ull / (96ull * scale)),
             mm_h = (uint32_t)(height * 2540ull / (96ull * scale));
    xcb_void_cookie_t c = xcb_randr_set_screen_size_checked(b->c, b->root, (uint16_t)width, (uint16_t)height,
        mm_w ? mm_w : 1, mm_h ? mm_h : 1);
    int r = x11_check(b, c, "screen size");
    if (r == 0) {
        b->width = width;
        b->height = height;
    }
    return r;
}

/* With everything that changes switched off first, any order of sizes is legal. The grab hides the steps from the
 * session. */
static int switch_outputs(struct backend *b, struct setup *s, const struct display_layout *l, uint32_t width,
    uint32_t height)
{
    int r = 0;
    xcb_grab_server(b->c);
    for (uint32_t i = 0; i < s->noutputs; i++)
        if (s->outputs[i].mode && !unchanged(&s->outputs[i]))
            (void)set_crtc(b, s, &s->outputs[i], 0);
    if (width != b->width || height != b->height)
        r = set_screen_size(b, width, height, l);
    for (uint32_t i = 0; i < s->noutputs && r == 0; i++) {
        struct output *o = &s->outputs[i];
        if (!o->new_mode)
            continue;
        if (!unchanged(o))
            r = set_crtc(b, s, o, o->new_mode);
        if (o->monitor->primary)
            xcb_randr_set_output_primary(b->c, b->root, o->id);
    }
    xcb_ungrab_server(b->c);
    x11_flush(b);
    return r;
}

static bool named_ours(struct backend *b, xcb_atom_t atom)
{
    xcb_get_atom_name_reply_t *r = xcb_get_atom_name_reply(b->c, xcb_get_atom_name(b->c, atom), NULL);
    bool ours = r && (size_t)xcb_get_atom_name_name_length(r) > strlen(MODE_PREFIX) &&
        strncmp(xcb_get_atom_name_name(r), MODE_PREFIX, strlen(MODE_PREFIX)) == 0;
    free(r);
    return ours;
}

static void delete_our_monitors(struct backend *b)
{
    xcb_randr_get_monitors_reply_t *r =
        xcb_randr_get_monitors_reply(b->c, xcb_randr_get_monitors(b->c, b->root, 1), NULL);
    if (!r)
        return;
    xcb_randr_monitor_info_iterator_t it = xcb_randr_get_monitors_monitors_iterator(r);
    for (; it.rem; xcb_randr_monitor_info_next(&it))
        if (named_ours(b, it.data->name))
            xcb_randr_delete_monitor(b->c, b->root, it.data->name);
    free(r);
}

/* RRSetMonitor (RandR 1.5, section 7.5). libxcb 1.15's wrapper aborts when the monitor has an output: sent by hand. */
struct set_monitor_request {
    uint8_t major, minor;
    uint16_t length; /* these three are filled in by libxcb */
    xcb_window_t window;
    xcb_randr_monitor_info_t info;
    xcb_randr_output_t output;
};

static int lay_monitor(struct backend *b, const struct display_monitor *m, uint32_t index,
    const xcb_randr_output_t *output)
{
    static const xcb_protocol_request_t request = {.count = 1,
        .ext = &xcb_randr_id,
        .opcode = XCB_RANDR_SET_MONITOR,
        .isvoid = 1};
    struct set_monitor_request r = {.window = b->root,
        .output = output ? *output : 0,
        .info = {.primary = m->primary,
            .nOutput = output ? 1 : 0,
            .x = (int16_t)m->x,
            .y = (int16_t)m->y,
            .width = (uint16_t)m->width,
            .height = (uint16_t)m->height,
            .width_in_millimeters = m->phys_width,
            .height_in_millimeters = m->phys_height}};
    char name[24];
    snprintf(name, sizeof name, MODE_PREFIX "%u", index);
    r.info.name = x11_atom(b, name);
    struct iovec iov[3] = {[2] = {&r, output ? sizeof r : offsetof(struct set_monitor_request, output)}};
    xcb_void_cookie_t cookie = {xcb_send_request(b->c, XCB_REQUEST_CHECKED, iov + 2, &request)};
    return x11_check(b, cookie, "set monitor");
}

static int set_single(struct backend *b, struct setup *s, const struct display_layout *l, uint32_t width,
    uint32_t height)
{
    struct display_monitor whole = {.width = width, .height = height, .primary = 1};
    struct output *o = &s->outputs[0];
    o->monitor = &whole;
    o->new_mode = mode_for(b, s, o, width, height);
    if (!o->new_mode)
        return -EIO;
    delete_our_monitors(b);
    int r = switch_outputs(b, s, l, width, height);
    for (uint32_t i = 0; i < l->nmonitors && l->nmonitors > 1 && r == 0; i++)
        r = lay_monitor(b, &l->monitors[i], i, i == 0 ? &o->id : NULL);
    return r;
}

static int set_outputs(struct backend *b, struct setup *s, const struct display_layout *l, uint32_t width,
    uint32_t height)
{
    for (uint32_t i = 0; i < l->nmonitors; i++) {
        struct output *o = &s->outputs[i];
        o->monitor = &l->monitors[i];
        o->new_mode = mode_for(b, s, o, o->monitor->width, o->monitor->height);
        if (!o->new_mode)
            return -EIO;
        set_mm(b, o);
    }
    return switch_outputs(b, s, l, width, height);
}

/* A mode per size that a client window ever had would add up. */
static void drop_old_modes(struct backend *b, struct setup *s)
{
    if (read_resources(b, s) < 0)
        return;
    const xcb_randr_mode_info_t *m = xcb_randr_get_screen_resources_current_modes(s->res);
    const uint8_t *name = xcb_randr_get_screen_resources_current_names(s->res);
    for (int i = 0; i < s->res->num_modes; name += m[i++].name_len) {
        bool used = m[i].name_len < strlen(MODE_PREFIX) || memcmp(name, MODE_PREFIX, strlen(MODE_PREFIX)) != 0;
        for (uint32_t o = 0; o < s->noutputs; o++)
            used = used || s->outputs[o].new_mode == m[i].id;
        for (uint32_t o = 0; o < s->noutputs && !used; o++)
            xcb_randr_delete_output_mode(b->c, s->outputs[o].id, m[i].id);
        if (!used)
            xcb_randr_destroy_mode(b->c, m[i].id);
    }
    x11_flush(b);
}

/* Too large for this server: one monitor, as large as it can be. */
static void clip_layout(struct display_layout *l, const struct setup *s)
{
    uint32_t width, height;
    layout_size(l, &width, &height);
    if (width <= s->max_width && height <= s->max_height)
        return;
    struct display_monitor m = *layout_primary(l->monitors, l->nmonitors);
    m.x = m.y = 0;
    m.primary = 1;
    m.width = m.width < s->max_width ? m.width : s->max_width;
    m.height = m.height < s->max_height ? m.height : s->max_height;
    *l = (struct display_layout){.nmonitors = 1, .monitors = {m}};
    log_warning("layout clipped", "asked=%ux%u limit=%ux%u", width, height, s->max_width, s->max_height);
}

int x11_set_layout(struct backend *b, const struct display_layout *want, struct display_layout *real)
{
    struct setup s;
    uint32_t width, height;
    *real = *want;
    int r = setup_read(b, &s);
    if (r < 0)
        goto out;
    clip_layout(real, &s);
    layout_size(real, &width, &height);
    r = s.noutputs > 1 && real->nmonitors <= s.noutputs ? set_outputs(b, &s, real, width, height)
                                                        : set_single(b, &s, real, width, height);
    drop_old_modes(b, &s);
out:
    free(s.res);
    if (r < 0) {
        log_error("layout refused", "by=X error=%d", -r);
        (void)x11_get_layout(b, real);
    }
    return r;
}

int x11_get_layout(struct backend *b, struct display_layout *real)
{
    *real = (struct display_layout){0};
    xcb_randr_get_monitors_reply_t *r =
        xcb_randr_get_monitors_reply(b->c, xcb_randr_get_monitors(b->c, b->root, 1), NULL);
    x11_replied(b);
    if (!r)
        return -EIO;
    xcb_randr_monitor_info_iterator_t it = xcb_randr_get_monitors_monitors_iterator(r);
    for (; it.rem && real->nmonitors < DISPLAY_MONITORS_MAX; xcb_randr_monitor_info_next(&it)) {
        const xcb_randr_monitor_info_t *m = it.data;
        real->monitors[real->nmonitors++] = (struct display_monitor){.x = m->x,
            .y = m->y,
            .width = m->width,
            .height = m->height,
            .phys_width = m->width_in_millimeters,
            .phys_height = m->height_in_millimeters,
            .primary = m->primary};
    }
    free(r);
    if (!real->nmonitors)
        *real = (struct display_layout){.nmonitors = 1,
            .monitors = {{.width = b->width, .height = b->height, .primary = 1}}};
    return 0;
}
