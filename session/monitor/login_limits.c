/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/login_limits.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/process.h"
#include "common/spawn.h"
#include "session/monitor/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ASK_MS 2000
/* 16 limits, two lines each, and the manager's other properties, its environment among them */
#define ANSWER_BYTES 65536

static const struct limit_name {
    const char *text;
    int which;
} names[] = {
    {"CPU", RLIMIT_CPU},
    {"FSIZE", RLIMIT_FSIZE},
    {"DATA", RLIMIT_DATA},
    {"STACK", RLIMIT_STACK},
    {"CORE", RLIMIT_CORE},
    {"RSS", RLIMIT_RSS},
    {"NOFILE", RLIMIT_NOFILE},
    {"AS", RLIMIT_AS},
    {"NPROC", RLIMIT_NPROC},
    {"MEMLOCK", RLIMIT_MEMLOCK},
    {"LOCKS", RLIMIT_LOCKS},
    {"SIGPENDING", RLIMIT_SIGPENDING},
    {"MSGQUEUE", RLIMIT_MSGQUEUE},
    {"NICE", RLIMIT_NICE},
    {"RTPRIO", RLIMIT_RTPRIO},
    {"RTTIME", RLIMIT_RTTIME},
};

static bool number(const char *text, rlim_t *out)
{
    char *end;
    if (strcmp(text, "infinity") == 0) {
        *out = RLIM_INFINITY;
        return true;
    }
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    *out = (rlim_t)v;
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

bool limits_take_line(struct limits *l, const char *line)
{
    static const char start[] = "DefaultLimit";
    const char *eq = strchr(line, '=');
    rlim_t value;
    if (!eq || strncmp(line, start, sizeof start - 1) != 0 || !number(eq + 1, &value))
        return false;
    const char *name = line + sizeof start - 1;
    size_t len = (size_t)(eq - name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i].text);
        if (strncmp(name, names[i].text, n) != 0)
            continue;
        struct rlimit *v = &l->v[names[i].which];
        if (len == n)
            v->rlim_max = value;
        else if (len == n + 4 && strncmp(name + n, "Soft", 4) == 0)
            v->rlim_cur = value;
        else
            continue;
        return true;
    }
    return false;
}

/* Everything that comes until the end of file or the deadline. Returns its length; less than all is as good as nothing.
 */
static ssize_t read_all(int fd, char *out, size_t cap)
{
    uint64_t deadline = clock_boottime_ms() + ASK_MS;
    size_t used = 0;
    for (;;) {
        uint64_t now = clock_boottime_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int r = now < deadline ? poll(&p, 1, (int)(deadline - now)) : 0;
        ssize_t n = r > 0 ? read(fd, out + used, cap - used) : -1;
        if (n == 0)
            return (ssize_t)used;
        if (n < 0 && (r == 0 || errno != EINTR))
            return -1;
        used += n > 0 ? (size_t)n : 0;
    }
}

/* What "systemctl show" says of the manager itself. */
static bool ask_systemd(char *answer, size_t cap)
{
    static const char *const argv[] = {"sh", "-c", "exec systemctl show >&3", NULL};
    int p[2];
    if (pipe2(p, O_CLOEXEC) < 0)
        return false;
    const struct spawn s = {.path = "/bin/sh",
        .argv = argv,
        .fds = &p[1],
        .nfds = 1,
        .uid = (uid_t)-1,
        .gid = (gid_t)-1,
        .new_session = 1,
        .death_signal = SIGKILL};
    pid_t pid = spawn_program(&s);
    close(p[1]);
    ssize_t n = pid > 0 ? read_all(p[0], answer, cap - 1) : -1;
    close(p[0]);
    if (pid > 0) {
        (void)process_signal(pid, SIGKILL); /* it has said everything, or never will */
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    answer[n > 0 ? n : 0] = 0;
    return n > 0;
}

static void take_process_1(struct limits *l)
{
    for (int i = 0; i < RLIM_NLIMITS; i++)
        (void)prlimit(1, i, NULL, &l->v[i]); /* not root: they stay ours */
    struct rlimit *files = &l->v[RLIMIT_NOFILE];
    if (files->rlim_cur > LIMITS_SOFT_FILES)
        files->rlim_cur = LIMITS_SOFT_FILES;
}

void limits_find(struct limits *l)
{
    static char answer[ANSWER_BYTES];
    char *rest = answer;
    bool told = false;
    for (int i = 0; i < RLIM_NLIMITS; i++)
        (void)getrlimit(i, &l->v[i]);
    if (access("/run/systemd/system", F_OK) < 0) { /* sd_booted(3) */
        take_process_1(l);
        return;
    }
    bool heard = ask_systemd(answer, sizeof answer);
    for (char *line; heard && (line = strsep(&rest, "\n"));)
        told = limits_take_line(l, line) || told;
    if (!told)
        log_warning("limits of logins",
            "systemctl show does not tell systemd's defaults: sessions get this service's own limits");
}
