/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-logon itself, in its sandbox, between a monitor and a front end that this test plays. argv[1]: the program. */
#include "common/link.h"
#include "common/spawn.h"
#include "session/proto/display.h"
#include "session/proto/logon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <security/_pam_types.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_UID 600099998 /* nobody has it; root never enters a sandbox */
#define PATIENCE_MS 20000

static const char *program;

struct host {
    pid_t pid;
    int monitor, display;
    uint8_t *pixels;
    size_t len;
    struct display_monitors monitors;
    struct display_surface buffer; /* as announced */
    uint32_t stride;
    uint32_t frames;
    struct display_frame frame;
    uint32_t card_top; /* of the last frame, taken while it was on loan: after that the drawer paints on */
    struct display_cursor cursor;
    uint8_t leds;
    bool has_leds;
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static struct host begin(bool with_display)
{
    struct host h = {0};
    int m[2], d[2];
    assert_int_equal(link_pair(m), 0);
    assert_int_equal(link_pair(d), 0);
    const char *argv[] = {"oriel-logon", NULL};
    int fds[] = {m[1], with_display ? d[1] : -1};
    struct spawn s = {.path = program, .argv = argv, .fds = fds, .nfds = 2, .uid = (uid_t)-1, .death_signal = SIGKILL};
    if (geteuid() == 0) {
        s.uid = TEST_UID;
        s.gid = TEST_UID;
    }
    h.pid = spawn_program(&s);
    assert_true(h.pid > 0);
    close(m[1]);
    close(d[1]);
    h.monitor = m[0];
    h.display = d[0];
    return h;
}

static int end(struct host *h)
{
    int status;
    if (h->pixels)
        munmap(h->pixels, h->len);
    if (h->monitor >= 0)
        close(h->monitor);
    if (h->display >= 0)
        close(h->display);
    assert_int_equal(waitpid(h->pid, &status, 0), h->pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void to_monitor_side(struct host *h, const struct wire_def *def, const void *m)
{
    assert_int_equal(wire_send(h->monitor, def, m, NULL), 0);
}

static void to_display(struct host *h, const struct wire_def *def, const void *m)
{
    assert_int_equal(wire_send(h->display, def, m, NULL), 0);
}

static uint32_t pixel(const struct host *h, uint32_t x, uint32_t y)
{
    uint32_t v;
    memcpy(&v, h->pixels + (size_t)y * h->stride + (size_t)x * 4, 4);
    return v & 0xffffff;
}

/* The first row of the card below (w / 2, 0). */
static uint32_t card_top(const struct host *h)
{
    uint32_t y = 0;
    while (y < h->buffer.height && pixel(h, h->buffer.width / 2, y) != 0xffffff)
        y++;
    return y;
}

/* One message from the drawer; buffers and frames are taken in as a front end does. Returns its description. */
static const struct wire_def *drawer_message(struct host *h, int timeout)
{
    static uint8_t buf[65536 * 2] __attribute__((aligned(16)));
    const struct wire_def *def = NULL;
    int fds[WIRE_FDS_MAX];
    assert_true(wire_proto_max_size(&display_to_front) <= sizeof buf);
    if (wire_recv(h->display, &display_to_front, &def, buf, fds, timeout) < 0)
        return NULL;
    if (def == &display_monitors_def) {
        memcpy(&h->monitors, buf, sizeof h->monitors);
        assert_int_not_equal(h->monitors.serial, 0);
    } else if (def == &display_surface_def) {
        memcpy(&h->buffer, buf, sizeof h->buffer);
        assert_int_equal(h->buffer.layout, h->monitors.serial);
        assert_int_equal(h->buffer.kind, SURFACE_DESKTOP);
    } else if (def == &display_buffer_def) {
        struct stat st;
        h->stride = ((struct display_buffer *)buf)->stride;
        assert_int_equal(fcntl(fds[0], F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
        assert_int_equal(fstat(fds[0], &st), 0);
        assert_int_equal(st.st_size, (off_t)h->stride * h->buffer.height);
        if (h->pixels)
            munmap(h->pixels, h->len);
        h->len = (size_t)st.st_size;
        assert_true(mmap(NULL, h->len, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0) == MAP_FAILED);
        h->pixels = mmap(NULL, h->len, PROT_READ, MAP_SHARED, fds[0], 0);
        assert_true(h->pixels != MAP_FAILED);
        close(fds[0]);
    } else if (def == &display_frame_def) {
        memcpy(&h->frame, buf, sizeof h->frame);
        h->frames++;
        h->card_top = card_top(h);
    } else if (def == &display_cursor_def) {
        memcpy(&h->cursor, buf, sizeof h->cursor);
    } else if (def == &display_leds_def) {
        h->leds = ((struct display_leds *)buf)->locks;
        h->has_leds = true;
    }
    return def;
}

static void give_back(struct host *h)
{
    struct display_frame_done done = {.frame = h->frame.frame};
    to_display(h, &display_frame_done_def, &done);
}

/* Wait for a frame, check its rectangles, hand it back. */
static void await_frame(struct host *h)
{
    uint32_t before = h->frames;
    while (h->frames == before)
        assert_non_null(drawer_message(h, PATIENCE_MS));
    for (uint32_t i = 0; i < h->frame.nrects; i++) {
        struct display_rect r = h->frame.rects[i];
        assert_true(r.width > 0 && r.height > 0);
        assert_true(r.x + r.width <= (int)h->buffer.width && r.y + r.height <= (int)h->buffer.height);
    }
    give_back(h);
}

static void open_display(struct host *h, uint32_t w, uint32_t height)
{
    struct display_open m = {.nmonitors = 1, .keyboard_layout = 0x407, .keyboard_type = 4};
    m.monitors[0] = (struct display_monitor){.width = w, .height = height, .scale = 100, .primary = 1};
    to_display(h, &display_open_def, &m);
}

static void start(struct host *h, uint8_t mode, const char *user, const char *text)
{
    struct logon_start m = {.mode = mode};
    snprintf(m.user, sizeof m.user, "%s", user);
    snprintf(m.host, sizeof m.host, "host.example");
    snprintf(m.title, sizeof m.title, "A notice");
    snprintf(m.text, sizeof m.text, "%s", text);
    to_monitor_side(h, &logon_start_def, &m);
}

static void key(struct host *h, uint32_t code, uint8_t flags)
{
    struct display_input m = {.nevents = 2};
    m.events[0] = (struct display_event){.type = INPUT_KEY, .code = code, .flags = (uint8_t)(flags | INPUT_DOWN)};
    m.events[1] = (struct display_event){.type = INPUT_KEY, .code = code, .flags = flags};
    to_display(h, &display_input_def, &m);
}

#define SC_ENTER 0x1c
#define SC_TAB 0x0f

static void unicode(struct host *h, const char *ascii)
{
    for (; *ascii; ascii++) {
        struct display_input m = {.nevents = 1};
        m.events[0] = (struct display_event){.type = INPUT_UNICODE, .code = (unsigned char)*ascii, .flags = INPUT_DOWN};
        to_display(h, &display_input_def, &m);
    }
}

static const struct wire_def *monitor_message(struct host *h, void *out, size_t cap, int *fds)
{
    static uint8_t buf[65536 * 2] __attribute__((aligned(16)));
    const struct wire_def *def = NULL;
    int own[WIRE_FDS_MAX];
    double until = now_ms() + PATIENCE_MS;
    while (now_ms() < until) { /* keep handing frames back, or the drawer waits */
        struct pollfd p[2] = {{h->monitor, POLLIN, 0}, {h->display, POLLIN, 0}};
        poll(p, 2, 1000);
        if (p[1].revents & POLLIN && drawer_message(h, 0) == &display_frame_def)
            give_back(h);
        if (!p[0].revents)
            continue;
        if (wire_recv(h->monitor, &logon_to_monitor, &def, buf, fds ? fds : own, 0) < 0)
            return NULL;
        memcpy(out, buf, def->size < cap ? def->size : cap);
        return def;
    }
    return NULL;
}

/* Monitor and front end are two links: what was sent on one has had its effect when the card is another one. */
static void await_other_card(struct host *h, uint32_t top)
{
    while (h->card_top == top)
        await_frame(h);
}

/* ---- tests ---- */

static void first_frame_shows_the_card_soon(void **state)
{
    double t0 = now_ms();
    struct host h = begin(true);
    start(&h, LOGON_MODE_LOGON, "", "");
    open_display(&h, 1024, 768);
    await_frame(&h);
    print_message("start-up to first frame: %.0f ms\n", now_ms() - t0);
    assert_int_equal(pixel(&h, 0, 0), 0x22384d);
    assert_int_equal(pixel(&h, 512, 200), 0xffffff);
    assert_true(h.cursor.width > 0 || drawer_message(&h, 1000));
    assert_int_equal(end(&h), 0);
}

static void typed_name_and_password_reach_the_monitor_once(void **state)
{
    struct host h = begin(true);
    struct logon_submit m;
    start(&h, LOGON_MODE_LOGON, "", "");
    open_display(&h, 800, 600);
    await_frame(&h);
    unicode(&h, "anna");
    key(&h, SC_TAB, 0);
    unicode(&h, "secret");
    key(&h, 0x15, 0); /* the key right of T: z on a German keyboard */
    key(&h, SC_ENTER, 0);
    assert_ptr_equal(monitor_message(&h, &m, sizeof m, NULL), &logon_submit_def);
    assert_string_equal(m.user, "anna");
    assert_int_equal(m.nsecret, 7);
    assert_memory_equal(m.secret, "secretz", 7);
    assert_int_equal(end(&h), 0);
}

static void a_conversation_is_shown_and_answered(void **state)
{
    struct host h = begin(true);
    struct logon_submit submit;
    static struct logon_answers a;
    static struct logon_conv q;
    start(&h, LOGON_MODE_LOGON, "anna", "");
    open_display(&h, 800, 600);
    await_frame(&h);
    uint32_t top = h.card_top;
    key(&h, SC_ENTER, 0);
    assert_ptr_equal(monitor_message(&h, &submit, sizeof submit, NULL), &logon_submit_def);
    await_other_card(&h, top); /* "Signing in" */
    q.nprompts = 3;
    q.prompts[0].style = PAM_TEXT_INFO;
    snprintf(q.prompts[0].text, TEXT_BYTES, "Срок действия пароля истёк");
    q.prompts[1].style = PAM_PROMPT_ECHO_OFF;
    snprintf(q.prompts[1].text, TEXT_BYTES, "新しいパスワード: ");
    q.prompts[2].style = PAM_PROMPT_ECHO_ON;
    snprintf(q.prompts[2].text, TEXT_BYTES, "رمز التحقق");
    top = h.card_top;
    to_monitor_side(&h, &logon_conv_def, &q);
    await_other_card(&h, top);
    unicode(&h, "new");
    key(&h, SC_TAB, 0);
    unicode(&h, "123");
    key(&h, SC_ENTER, 0);
    assert_ptr_equal(monitor_message(&h, &a, sizeof a, NULL), &logon_answers_def);
    assert_int_equal(a.nanswers, 3);
    assert_string_equal(a.answers[0].text, "");
    assert_string_equal(a.answers[1].text, "new");
    assert_string_equal(a.answers[2].text, "123");
    assert_int_equal(end(&h), 0);
}

static void layouts_change_at_any_time(void **state)
{
    static const struct {
        uint32_t w, h;
    } sizes[] = {{200, 150}, {1080, 1920}, {3840, 2160}, {64, 64}, {1366, 768}};
    struct host h = begin(true);
    start(&h, LOGON_MODE_LOGON, "anna", "A banner");
    open_display(&h, 640, 480);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct display_layout m = {.nmonitors = 1};
        m.monitors[0] = (struct display_monitor){.width = sizes[i].w, .height = sizes[i].h, .scale = 200, .primary = 1};
        to_display(&h, &display_layout_def, &m);
        while (h.buffer.width != sizes[i].w || h.buffer.height != sizes[i].h)
            assert_non_null(drawer_message(&h, PATIENCE_MS));
        await_frame(&h);
        assert_int_equal(pixel(&h, sizes[i].w / 2, sizes[i].h / 2) == 0, 0);
    }
    assert_int_equal(end(&h), 0);
}

static void hostile_geometry_is_clamped(void **state)
{
    struct host h = begin(true);
    struct display_open m = {.nmonitors = 3};
    m.monitors[0] = (struct display_monitor){.x = INT32_MIN, .y = INT32_MAX, .width = 1, .height = 1, .scale = 500};
    m.monitors[1] = (struct display_monitor){.x = INT32_MAX, .y = INT32_MIN, .width = 32767, .height = 32767};
    m.monitors[2] = (struct display_monitor){.x = INT32_MIN, .y = INT32_MIN, .width = 300, .height = 200, .primary = 1};
    start(&h, LOGON_MODE_LOGON, "anna", "");
    to_display(&h, &display_open_def, &m);
    await_frame(&h);
    struct display_input in = {.nevents = 4};
    in.events[0] = (struct display_event){.type = INPUT_MOVE, .x = INT32_MIN, .y = INT32_MAX};
    in.events[1] =
        (struct display_event){.type = INPUT_BUTTON, .code = 1, .flags = INPUT_DOWN, .x = INT32_MAX, .y = INT32_MIN};
    in.events[2] = (struct display_event){.type = INPUT_WHEEL, .value = INT32_MIN};
    in.events[3] = (struct display_event){.type = INPUT_KEY, .code = 0x10ffff, .flags = 15};
    to_display(&h, &display_input_def, &in);
    struct display_refresh all = {.nrects = 1};
    all.rects[0] = (struct display_rect){32767, 32767, 32767, 32767};
    to_display(&h, &display_refresh_def, &all);
    all.nrects = 0;
    to_display(&h, &display_refresh_def, &all);
    await_frame(&h);
    assert_int_equal(end(&h), 0);
}

static void input_before_open_ends_it(void **state)
{
    struct host h = begin(true);
    start(&h, LOGON_MODE_LOGON, "anna", "");
    key(&h, SC_TAB, 0);
    assert_null(drawer_message(&h, PATIENCE_MS));
    assert_int_equal(end(&h), 3);
}

static void suppressed_output_sends_nothing_and_then_everything(void **state)
{
    struct host h = begin(true);
    struct display_suppress m = {1};
    start(&h, LOGON_MODE_LOGON, "anna", "");
    open_display(&h, 800, 600);
    await_frame(&h);
    while (drawer_message(&h, 300))
        give_back(&h);
    to_display(&h, &display_suppress_def, &m);
    uint32_t frames = h.frames;
    unicode(&h, "abc");
    while (drawer_message(&h, 300))
        ;
    assert_true(h.frames <= frames + 1); /* one may have been under way */
    give_back(&h);
    m.on = 0;
    to_display(&h, &display_suppress_def, &m);
    do
        await_frame(&h);
    while (h.frame.rects[0].width != 800 || h.frame.rects[0].height != 600);
    assert_int_equal(end(&h), 0);
}

static void a_frame_on_loan_is_not_touched(void **state)
{
    struct host h = begin(true);
    start(&h, LOGON_MODE_LOGON, "anna", "");
    open_display(&h, 400, 300);
    while (h.frames == 0)
        assert_non_null(drawer_message(&h, PATIENCE_MS));
    uint8_t *copy = malloc(h.len);
    memcpy(copy, h.pixels, h.len);
    unicode(&h, "abcdef");
    while (drawer_message(&h, 300))
        ;
    assert_int_equal(h.frames, 1);
    assert_memory_equal(copy, h.pixels, h.len);
    free(copy);
    give_back(&h);
    await_frame(&h);
    assert_true(h.frame.rects[0].height < 100); /* just the field */
    assert_int_equal(end(&h), 0);
}

static void a_notice_is_closed_by_its_button(void **state)
{
    struct host h = begin(true);
    struct logon_cancel m;
    start(&h, LOGON_MODE_NOTICE, "anna", "line 1\nline 2\n");
    open_display(&h, 800, 600);
    await_frame(&h);
    key(&h, SC_ENTER, 0);
    assert_ptr_equal(monitor_message(&h, &m, sizeof m, NULL), &logon_cancel_def);
    assert_int_equal(end(&h), 0);
}

static void a_rendered_notice_comes_as_a_sealed_picture(void **state)
{
    struct host h = begin(false);
    struct logon_rendered m;
    int fds[WIRE_FDS_MAX];
    struct stat st;
    start(&h, LOGON_MODE_RENDER, "", "The host restarts at 18:00.");
    assert_ptr_equal(monitor_message(&h, &m, sizeof m, fds), &logon_rendered_def);
    assert_int_equal(fstat(fds[0], &st), 0);
    assert_int_equal(st.st_size, (off_t)m.stride * m.height);
    assert_true(fcntl(fds[0], F_GET_SEALS) & F_SEAL_SHRINK);
    close(fds[0]);
    assert_int_equal(end(&h), 0);
}

static void it_exits_when_the_monitor_is_gone(void **state)
{
    struct host h = begin(true);
    start(&h, LOGON_MODE_LOGON, "anna", "");
    open_display(&h, 400, 300);
    await_frame(&h);
    close(h.monitor);
    h.monitor = -1;
    while (drawer_message(&h, PATIENCE_MS))
        ;
    assert_int_equal(end(&h), 0);
}

static bool contains(const char *file, const char *word)
{
    char line[256];
    bool found = false;
    FILE *f = fopen(file, "r");
    while (f && fgets(line, sizeof line, f))
        found |= strstr(line, word) != NULL;
    if (f)
        fclose(f);
    return found;
}

static void it_runs_in_its_sandbox(void **state)
{
    struct host h = begin(true);
    char path[64];
    start(&h, LOGON_MODE_LOGON, "anna", "");
    open_display(&h, 400, 300);
    await_frame(&h);
    snprintf(path, sizeof path, "/proc/%d/status", (int)h.pid);
    assert_true(contains(path, "Seccomp:\t2"));
    assert_true(contains(path, "NoNewPrivs:\t1"));
    assert_true(contains(path, "CapEff:\t0000000000000000"));
    assert_int_equal(end(&h), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_frame_shows_the_card_soon),
        cmocka_unit_test(typed_name_and_password_reach_the_monitor_once),
        cmocka_unit_test(a_conversation_is_shown_and_answered),
        cmocka_unit_test(layouts_change_at_any_time),
        cmocka_unit_test(hostile_geometry_is_clamped),
        cmocka_unit_test(input_before_open_ends_it),
        cmocka_unit_test(suppressed_output_sends_nothing_and_then_everything),
        cmocka_unit_test(a_frame_on_loan_is_not_touched),
        cmocka_unit_test(a_notice_is_closed_by_its_button),
        cmocka_unit_test(a_rendered_notice_comes_as_a_sealed_picture),
        cmocka_unit_test(it_exits_when_the_monitor_is_gone),
        cmocka_unit_test(it_runs_in_its_sandbox),
    };
    program = realpath(argc > 1 ? argv[1] : "oriel-logon", NULL);
    if (!program)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
