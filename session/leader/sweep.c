/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/sweep.h"

#include "session/user_manager.h"

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

/* More than a host of any size runs; beyond it the rest waits for the next round */
#define PROCESSES_MAX 65536
#define STATUS_MAX 65536 /* a kilobyte, and the groups: directories hand out hundreds */
/* The kernel allows more; our variable stands among the first, set at the start */
#define ENVIRON_MAX (256 * 1024)

struct process {
    pid_t pid, parent;
    uid_t uid; /* the real one */
    bool ours;
    bool lost; /* killed, and only the kernel still knows it */
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

/* The number after a line's name; 0: there is none. */
static unsigned long long number(const char *status, const char *name, int base)
{
    const char *line = strstr(status, name);
    return line ? strtoull(line + strlen(name), NULL, base) : 0;
}

/* From its status, and not from its stat: that waits for a process which is about to be another program
 * (exec_update_lock), and this one may hang there in its user's home, when it closes a file. Whoever looked at it would
 * hang with it, other users' leaders, too. The owner of the /proc folder would be root for programs that may not be
 * traced, such as ssh-agent. Zombies are nobody. Lost is who has SIGKILL pending and is in the kernel, as on a file
 * server that hangs: no line of its program will ever run again. */
static bool read_process(pid_t pid, struct process *p)
{
    static char buf[STATUS_MAX];
    int n = read_file(pid, "status", buf, sizeof buf - 1);
    if (n <= 0)
        return false;
    buf[n] = 0;
    const char *state = strstr(buf, "\nState:\t");
    if (!state || !strstr(buf, "\nPPid:") || !strstr(buf, "\nUid:"))
        return false;
    char s = state[strlen("\nState:\t")];
    unsigned long long pending = number(buf, "\nSigPnd:", 16) | number(buf, "\nShdPnd:", 16);
    *p = (struct process){.pid = pid,
        .parent = (pid_t)number(buf, "\nPPid:", 10),
        .uid = (uid_t)number(buf, "\nUid:", 10),
        .lost = s == 'D' && (pending >> (SIGKILL - 1) & 1)};
    return s != 'Z' && s != 'X';
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

static bool has_key(const struct process *p, uid_t uid, const char *key)
{
    char want[128];
    int len = snprintf(want, sizeof want, "ORIEL_SESSION_KEY=%s", key);
    return p->uid == uid && len > 0 && (size_t)len < sizeof want && has_variable(p->pid, want, (size_t)len, true);
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

/* Through a pidfd, and only if it still is who the table says (an orphan has come to the leader): the number may have
 * gone to somebody else. */
static void signal_one(const struct sweep *s, const struct process *p, int sig)
{
    struct process now;
    int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (fd < 0)
        return;
    if (read_process(p->pid, &now) && now.uid == p->uid && (now.parent == p->parent || now.parent == s->leader))
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
        if (spared(s, p->pid) || p->lost || (!p->ours && (!s->key[0] || !has_key(p, s->uid, s->key))) ||
            is_manager_s(p->pid, s->uid))
            continue;
        count++;
        if (sig)
            signal_one(s, p, sig);
    }
    free(t.v);
    return r < 0 ? r : count;
}
