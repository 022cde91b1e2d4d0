/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/sweep.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "session/user_manager.h"

#define PROCESSES_MAX 65536     /* more than a host of any size runs; beyond it the rest waits for the next round */
#define ENVIRON_MAX (256 * 1024) /* the kernel allows more; our variable stands among the first, set at the start */

struct process {
    pid_t pid, parent;
    unsigned long long started; /* clock ticks after boot: with the pid it names a process for good */
    bool ours, asleep;          /* asleep: in the kernel, where no signal reaches it */
};
struct table {
    struct process *v;
    size_t n, cap;
};

static int read_file(pid_t pid, const char *name, char *buf, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    size_t used = 0;
    ssize_t n;
    while (used < cap && (n = read(fd, buf + used, cap - used)) > 0)
        used += (size_t)n;
    close(fd);
    return (int)used;
}

/* "pid (name) S parent …"; the name may hold anything, so count from its last bracket. Zombies are nobody. */
static bool read_process(pid_t pid, struct process *p)
{
    char buf[1024], state;
    int n = read_file(pid, "stat", buf, sizeof buf - 1);
    if (n <= 0)
        return false;
    buf[n] = 0;
    const char *end = strrchr(buf, ')');
    *p = (struct process){.pid = pid};
    bool read = end && sscanf(end + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state, &p->parent,
                         &p->started) == 3;
    p->asleep = read && state == 'D';
    return read && state != 'Z' && state != 'X';
}

static bool add(struct table *t, const struct process *p)
{
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 256;
        struct process *v = cap > PROCESSES_MAX ? NULL : reallocarray(t->v, cap, sizeof *v);
        if (!v)
            return false;
        t->v = v;
        t->cap = cap;
    }
    t->v[t->n++] = *p;
    return true;
}

static int read_table(struct table *t)
{
    DIR *d = opendir("/proc");
    if (!d)
        return -errno;
    bool room = true;
    for (struct dirent *e; room && (e = readdir(d)) != NULL;) {
        struct process p;
        pid_t pid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)strtol(e->d_name, NULL, 10) : 0;
        if (pid > 1 && read_process(pid, &p))
            room = add(t, &p);
    }
    closedir(d);
    return 0;
}

/* Zombies are not in the table, but a zombie's children have been given to the subreaper: no gap in the tree. */
static void mark_descendants(struct table *t, pid_t leader)
{
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < t->n; i++) {
            if (t->v[i].ours)
                continue;
            bool child = t->v[i].parent == leader;
            for (size_t j = 0; !child && j < t->n; j++)
                child = t->v[j].ours && t->v[j].pid == t->v[i].parent;
            if (child)
                t->v[i].ours = more = true;
        }
    }
}

/* Killed, and only the kernel still knows it: a file server hangs that it was waiting for. No line of its program will ever run again. */
static bool is_lost(const struct process *p)
{
    char buf[2048];
    unsigned long long own = 0, shared = 0;
    int n = p->asleep ? read_file(p->pid, "status", buf, sizeof buf - 1) : 0;
    if (n <= 0)
        return false;
    buf[n] = 0;
    const char *a = strstr(buf, "\nSigPnd:"), *b = strstr(buf, "\nShdPnd:");
    return a && b && sscanf(a + 8, "%llx", &own) == 1 && sscanf(b + 8, "%llx", &shared) == 1 && ((own | shared) >> (SIGKILL - 1) & 1);
}

/* From its status: the owner of the /proc folder is root for programs that may not be traced, such as ssh-agent. */
static bool runs_as(pid_t pid, uid_t uid)
{
    char buf[2048];
    unsigned real;
    int n = read_file(pid, "status", buf, sizeof buf - 1);
    if (n <= 0)
        return false;
    buf[n] = 0;
    const char *line = strstr(buf, "\nUid:");
    return line && sscanf(line + 5, " %u", &real) == 1 && real == uid;
}

/* Is there a variable of which the first `len` bytes are these, and which has no more bytes, if it is to be `whole`? */
static bool has_variable(pid_t pid, const char *want, size_t len, bool whole)
{
    static char env[ENVIRON_MAX];
    int n = read_file(pid, "environ", env, sizeof env);
    for (const char *p = env, *end = env + n; p < end;) {
        size_t have = strnlen(p, (size_t)(end - p));
        if ((whole ? have == len : have >= len) && !memcmp(p, want, len))
            return true;
        p += have + 1;
    }
    return false;
}

static bool has_key(pid_t pid, uid_t uid, const char *key)
{
    char want[128];
    int len = snprintf(want, sizeof want, "ORIEL_SESSION_KEY=%s", key);
    return runs_as(pid, uid) && len > 0 && (size_t)len < sizeof want && has_variable(pid, want, (size_t)len, true);
}

bool sweep_has_any_key(pid_t pid)
{
    static const char name[] = "ORIEL_SESSION_KEY=";
    return has_variable(pid, name, sizeof name - 1, false);
}

static bool is_manager_s(pid_t pid, uid_t uid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d", (int)pid);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool yes = fd >= 0 && user_manager_runs(fd, uid);
    if (fd >= 0)
        close(fd);
    return yes;
}

static bool spared(const struct sweep *s, pid_t pid)
{
    bool yes = pid == s->leader || pid == getpid();
    for (int i = 0; i < SWEEP_SPARE_MAX; i++)
        yes = yes || (s->spare[i] && s->spare[i] == pid);
    return yes;
}

/* Through a pidfd, and only if it still is who the table says: the number may have gone to somebody else. */
static void signal_one(const struct process *p, int sig)
{
    struct process now;
    int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (fd < 0)
        return;
    if (read_process(p->pid, &now) && now.started == p->started)
        (void)syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
    close(fd);
}

int sweep_signal(const struct sweep *s, int sig)
{
    struct table t = {0};
    int count = 0, r = read_table(&t);
    if (r == 0 && s->leader)
        mark_descendants(&t, s->leader);
    for (size_t i = 0; r == 0 && i < t.n; i++) {
        struct process *p = &t.v[i];
        if (spared(s, p->pid) || (!p->ours && (!s->key[0] || !has_key(p->pid, s->uid, s->key))) || is_manager_s(p->pid, s->uid) ||
            is_lost(p))
            continue;
        count++;
        if (sig)
            signal_one(p, sig);
    }
    free(t.v);
    return r < 0 ? r : count;
}
