/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/found.h"

#include "common/log.h"
#include "common/sockets.h"
#include "session/monitor/leader_end.h"
#include "session/monitor/reap.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), s = strlen(suffix);
    return n > s && strcmp(name + n - s, suffix) == 0;
}

/* Returns whether somebody listens there. */
static bool connect_leader(struct monitor *m, const char *path, int *count)
{
    struct ucred who;
    int fd = sockets_connect(path);
    if (fd == -ECONNREFUSED) {
        (void)unlink(path);
        return false;
    }
    if (fd < 0)
        return fd != -ENOENT; /* -EAGAIN and the like: alive, but we cannot reach it; leave it alone */
    if (sockets_peer(fd, &who) < 0 || who.uid != m->own_uid) {
        log_error("leader not trusted", "path=%s uid=%u", path, (unsigned)who.uid);
        close(fd);
        return true;
    }
    *count += leader_found(m, fd, who.pid, strtoull(strrchr(path, '/') + 1, NULL, 10)) != NULL;
    return true;
}

static void on_cleared(struct monitor *m, uint64_t session, bool clean)
{
    log_audit("logoff", "session=%" PRIu64 " user=- reason=%s", session,
        clean ? "leader-lost" : "leader-lost-not-cleared");
    (void)store_cookie_delete_session(m->store, session);
    reap_note_remove(m, session);
}

/* By the note at `path`. */
static void clear_by_note(struct monitor *m, const char *path)
{
    struct reap_note n;
    int r = reap_note_read(path, &n);
    if (r == -ENOENT)
        return;
    if (r < 0) {
        log_warning("session note broken", "path=%s: removed", path);
        (void)unlink(path);
        return;
    }
    log_warning("session lost", "session=%" PRIu64 ": its leader died unseen; clearing up", n.session);
    (void)store_session_seen(m->store, n.session);
    reap_start(m, &n, on_cleared);
}

void found_lost(struct monitor *m, uint64_t session)
{
    char name[64], path[256];
    snprintf(name, sizeof name, "leaders/%" PRIu64 ".session", session);
    if (config_run_path(&m->config, name, path, sizeof path) == 0)
        clear_by_note(m, path);
}

static void clear_dead(struct monitor *m, const char *dir, const char *name)
{
    char note[512], sock[520];
    snprintf(note, sizeof note, "%s/%s", dir, name);
    snprintf(sock, sizeof sock, "%.*s.sock", (int)(strlen(note) - strlen(".session")), note);
    if (access(sock, F_OK) != 0)
        clear_by_note(m, note);
}

int found_scan(struct monitor *m)
{
    char dir[256], path[512];
    struct dirent **list = NULL;
    int count = 0;
    int r = config_run_path(&m->config, "leaders", dir, sizeof dir);
    if (r < 0)
        return r;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return -errno;
    int n = scandir(dir, &list, NULL, alphasort);
    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name);
        if (has_suffix(list[i]->d_name, ".sock"))
            (void)connect_leader(m, path, &count);
    }
    for (int i = 0; i < n; i++) {
        if (has_suffix(list[i]->d_name, ".session"))
            clear_dead(m, dir, list[i]->d_name);
        free(list[i]);
    }
    free(list);
    return count;
}
