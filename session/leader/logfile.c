/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/logfile.h"

#include "common/log.h"
#include "common/loop.h"
#include "session/leader/aside.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAUSE_S 1 /* between two looks at a log that is being written */

#define BEGIN_MS 2000 /* the file was opened a moment ago */

struct log_job {
    char path[2 * PATH_BYTES + 64];
    int notify;
};
struct logfile {
    struct event_base *base;
    const struct account *who;
    struct log_job job;
    int notify;
    struct event *written, *pause, *looked; /* looked: a child is at work */
};

int logfile_cut(int fd)
{
    static const char note[] = "[earlier lines were dropped here: a session's log is kept below 4 MiB]\n";
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size <= (off_t)LOGFILE_BYTES_MAX)
        return 0;
    char *tail = malloc(LOGFILE_KEEP_BYTES);
    ssize_t n = tail ? pread(fd, tail, LOGFILE_KEEP_BYTES, st.st_size - (off_t)LOGFILE_KEEP_BYTES) : 0;
    const char *line = n > 0 ? memchr(tail, '\n', (size_t)n) : NULL;
    bool cut = ftruncate(fd, 0) == 0; /* who writes appends: no hole comes of it */
    if (cut && write(fd, note, sizeof note - 1) > 0 && line && ++line < tail + n &&
        write(fd, line, (size_t)(tail + n - line)) < 0)
        log_warning("session log", "not kept when it was cut: %s", strerror(errno));
    free(tail);
    return cut;
}

/* In the child: one event, then silence until the pause is over, so that a busy log wakes the leader once a second. */
static int watch_and_cut(const struct log_job *j, int notify)
{
    struct stat st;
    int fd = open(j->path, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    char self[32];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    int r = fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)                ? -EPERM
        : inotify_add_watch(notify, self, IN_MODIFY | IN_ONESHOT) < 0 ? -errno
                                                                      : 0;
    if (r == 0)
        (void)logfile_cut(fd);
    close(fd);
    return r;
}

static int begin_watch(struct aside *a, void *what)
{
    int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    int r = notify < 0 ? -errno : watch_and_cut(what, notify);
    if (r == 0)
        aside_report(a, notify);
    return r;
}

static int go_on(struct aside *a, void *what)
{
    struct log_job *j = what;
    return watch_and_cut(j, j->notify);
}

static void on_written(int fd, short what, void *arg)
{
    struct logfile *l = arg;
    char events[4096] __attribute__((aligned(8)));
    while (read(fd, events, sizeof events) > 0)
        ;
    (void)loop_arm_s(l->pause, PAUSE_S);
}

/* The child has ended. */
static void on_looked(int fd, short what, void *arg)
{
    struct logfile *l = arg;
    char end[ASIDE_BYTES_MAX / 8];
    if (read(fd, end, sizeof end) > 0)
        return;
    event_free(l->looked);
    l->looked = NULL;
    close(fd);
}

static void on_pause_over(int fd, short what, void *arg)
{
    struct logfile *l = arg;
    if (l->looked)
        return; /* the last one hangs: so would this */
    const struct aside_job job = {.who = l->who,
        .work = go_on,
        .what = &l->job,
        .bytes = sizeof l->job,
        .keep = {l->job.notify}};
    int ended = aside_start(&job);
    l->looked = ended >= 0 ? event_new(l->base, ended, EV_READ | EV_PERSIST, on_looked, l) : NULL;
    if (l->looked && event_add(l->looked, NULL) == 0)
        return;
    log_warning("session log not watched", "%s", ended < 0 ? strerror(-ended) : "no memory");
    if (ended >= 0)
        close(ended);
}

struct logfile *logfile_create(struct event_base *base, const struct account *who, const char *path)
{
    struct logfile *l = path[0] ? calloc(1, sizeof *l) : NULL;
    if (!l)
        return NULL;
    *l = (struct logfile){.base = base, .who = who};
    snprintf(l->job.path, sizeof l->job.path, "%s", path);
    const struct aside_job job = {.who = who,
        .work = begin_watch,
        .what = &l->job,
        .bytes = sizeof l->job,
        .fd = &l->notify,
        .stall_ms = BEGIN_MS,
        .total_ms = BEGIN_MS};
    int r = aside_run(&job);
    l->job.notify = l->notify;
    l->written = l->notify >= 0 ? event_new(base, l->notify, EV_READ | EV_PERSIST, on_written, l) : NULL;
    l->pause = evtimer_new(base, on_pause_over, l);
    if (!l->written || !l->pause || event_add(l->written, NULL) < 0) {
        log_warning("session log not watched", "error=%s", strerror(r < 0 ? -r : ENOMEM));
        logfile_destroy(l);
        return NULL;
    }
    return l;
}

void logfile_destroy(struct logfile *l)
{
    if (!l)
        return;
    if (l->looked) {
        close(event_get_fd(l->looked));
        event_free(l->looked);
    }
    if (l->written)
        event_free(l->written);
    if (l->pause)
        event_free(l->pause);
    if (l->notify >= 0)
        close(l->notify);
    free(l);
}
