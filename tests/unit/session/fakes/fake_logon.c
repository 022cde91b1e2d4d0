/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A logon screen that draws nothing, for tests of the monitor. What the test writes into the display link is typed:
 *   "submit USER SECRET", "answer TEXT", "cancel", "break" (speaks out of turn), "flood" (says much that comes too
 * late, then speaks out of turn and is gone); what the monitor says comes back as text. */
#include "common/spawn.h"
#include "session/proto/logon.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static union {
    struct logon_start a;
    struct logon_conv b;
    struct logon_refused c;
    struct logon_done d;
    char align[16];
} msg __attribute__((aligned(16)));

static void show(const char *text)
{
    (void)!write(FD_LOGON_DISPLAY, text, strlen(text));
}

static int render(void)
{
    struct logon_rendered r = {.width = 4, .height = 2, .stride = 16};
    int fd = memfd_create("notice", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, 32) < 0)
        return 1;
    (void)wire_send(FD_LOGON_MONITOR, &logon_rendered_def, &r, &fd);
    return 0;
}

static int hear(void)
{
    char text[LOG_TAIL_BYTES + 1024];
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    if (wire_recv(FD_LOGON_MONITOR, &monitor_to_logon, &def, &msg, fds, -1) < 0)
        return -1;
    if (def == &logon_start_def) {
        if (msg.a.mode == LOGON_MODE_RENDER)
            return -1 - render();
        snprintf(text, sizeof text, "start mode=%d reason=%d user=%s title=%s text=%s", msg.a.mode, msg.a.reason,
            msg.a.user, msg.a.title, msg.a.text);
    } else if (def == &logon_conv_def) {
        snprintf(text, sizeof text, "conv %u %s", msg.b.nprompts, msg.b.prompts[0].text);
    } else if (def == &logon_refused_def) {
        snprintf(text, sizeof text, "refused reason=%d final=%d text=%s", msg.c.reason, msg.c.final, msg.c.text);
    } else {
        snprintf(text, sizeof text, "done");
    }
    show(text);
    return 0;
}

#define LATE 70 /* more than the monitor reads before it looks what else there is */
static int flood(void)
{
    static struct logon_submit s = {.user = "late"};
    for (int i = 0; i < LATE; i++)
        (void)wire_send(FD_LOGON_MONITOR, &logon_submit_def, &s, NULL);
    (void)render();
    return -1;
}

static int typed(void)
{
    static struct logon_submit s;
    static struct logon_answers a = {.nanswers = 1};
    char line[1024] = "", secret[256] = "";
    ssize_t n = read(FD_LOGON_DISPLAY, line, sizeof line - 1);
    if (n <= 0)
        return -1;
    struct logon_cancel c = {0};
    if (strcmp(line, "flood") == 0)
        return flood();
    if (strcmp(line, "cancel") == 0)
        return wire_send(FD_LOGON_MONITOR, &logon_cancel_def, &c, NULL);
    if (sscanf(line, "submit %255s %255s", s.user, secret) >= 1) {
        s.nsecret = (uint32_t)strlen(secret);
        memcpy(s.secret, secret, s.nsecret);
        return wire_send(FD_LOGON_MONITOR, &logon_submit_def, &s, NULL);
    }
    if (sscanf(line, "answer %255s", a.answers[0].text) == 1)
        return wire_send(FD_LOGON_MONITOR, &logon_answers_def, &a, NULL);
    return render();
}

int main(void)
{
    alarm(120);
    for (;;) {
        struct pollfd p[2] = {{FD_LOGON_MONITOR, POLLIN, 0}, {FD_LOGON_DISPLAY, POLLIN, 0}};
        if (poll(p, 2, -1) < 0)
            return 1;
        if (p[0].revents && hear() < 0)
            return 0;
        if (p[1].revents & (POLLIN | POLLHUP) && typed() < 0)
            return 0;
    }
}
