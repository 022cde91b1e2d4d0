/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/logfile.h"

#include <errno.h>
#include <event2/event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

#define PAUSE_S 1 /* between two looks at a log that is being written */

struct logfile {
    int fd, notify;
    struct event *written, *pause;
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
    if (cut && write(fd, note, sizeof note - 1) > 0 && line && ++line < tail + n && write(fd, line, (size_t)(tail + n - line)) < 0)
        log_warning("session log", "not kept when it was cut: %s", strerror(errno));
    free(tail);
    return cut;
}

/* One event, then silence until the pause is over: a busy log wakes the leader once a second. */
static void watch(struct logfile *l)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", l->fd);
    if (inotify_add_watch(l->notify, path, IN_MODIFY | IN_ONESHOT) < 0)
        log_warning("session log not watched", "error=%s", strerror(errno));
}

static void on_written(int fd, short what, void *arg)
{
    (void)what;
    struct logfile *l = arg;
    struct timeval pause = {PAUSE_S, 0};
    char events[4096] __attribute__((aligned(8)));
    while (read(fd, events, sizeof events) > 0)
        ;
    (void)evtimer_add(l->pause, &pause);
}

static void on_pause_over(int fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct logfile *l = arg;
    watch(l);
    (void)logfile_cut(l->fd);
}

struct logfile *logfile_create(struct event_base *base, int fd)
{
    struct logfile *l = fd >= 0 ? calloc(1, sizeof *l) : NULL;
    if (!l)
        return NULL;
    l->fd = fd;
    l->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    l->written = l->notify >= 0 ? event_new(base, l->notify, EV_READ | EV_PERSIST, on_written, l) : NULL;
    l->pause = evtimer_new(base, on_pause_over, l);
    if (!l->written || !l->pause || event_add(l->written, NULL) < 0) {
        log_warning("session log not watched", "error=%s", strerror(errno));
        logfile_destroy(l);
        return NULL;
    }
    watch(l);
    return l;
}

void logfile_destroy(struct logfile *l)
{
    if (!l)
        return;
    if (l->written)
        event_free(l->written);
    if (l->pause)
        event_free(l->pause);
    if (l->notify >= 0)
        close(l->notify);
    free(l);
}
