/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/startup/proc.h"

#include "common/process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A whole file of /proc/PID, with a NUL after it. Owned by the caller; NULL when it cannot be read. */
static char *slurp(pid_t pid, const char *name, size_t *len)
{
    char path[64], *text = NULL, *more;
    size_t room = 0;
    ssize_t n;
    *len = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    do {
        if (*len + 4096 > room) {
            room = room ? 2 * room : 16384;
            more = room <= NOTE_ENV_MAX ? realloc(text, room) : NULL;
            if (!more)
                break;
            text = more;
        }
        n = read(fd, text + *len, room - *len - 1);
        *len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    close(fd);
    if (text)
        text[*len] = 0;
    return text;
}

static mode_t umask_of(pid_t pid)
{
    size_t len;
    char *status = slurp(pid, "status", &len), *at = status ? strstr(status, "\nUmask:") : NULL;
    mode_t mask = at ? (mode_t)strtoul(at + 7, NULL, 8) & 0777 : 022;
    free(status);
    return mask;
}

int proc_snapshot(pid_t pid, struct snapshot *s)
{
    size_t len;
    char *text = slurp(pid, "environ", &len);
    *s = (struct snapshot){0};
    if (!text || len == 0) { /* it is just being executed, or has ended */
        free(text);
        return -ESRCH;
    }
    for (const char *p = text; p < text + len; p += strlen(p) + 1)
        (void)env_put(&s->env, p);
    free(text);
    s->mask = umask_of(pid);
    s->has_limits = true;
    for (int i = 0; i < (int)RLIM_NLIMITS; i++)
        s->has_limits = s->has_limits && prlimit(pid, (__rlimit_resource_t)i, NULL, &s->limits[i]) == 0;
    return 0;
}

/* 0: none. */
static pid_t youngest_child(pid_t pid)
{
    char name[48];
    size_t len;
    snprintf(name, sizeof name, "task/%d/children", (int)pid); /* in the order of their start */
    char *list = slurp(pid, name, &len);
    pid_t youngest = 0;
    for (char *p = list; p && *p;) {
        char *end;
        long n = strtol(p, &end, 10);
        if (end == p)
            break;
        youngest = (pid_t)n;
        p = end + strspn(end, " \n");
    }
    free(list);
    return youngest;
}

bool proc_comm(pid_t pid, char out[PROC_COMM_BYTES])
{
    size_t len;
    char *text = slurp(pid, "comm", &len);
    snprintf(out, PROC_COMM_BYTES, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
    free(text);
    return out[0];
}

void proc_command(pid_t pid, char out[PROC_COMMAND_BYTES])
{
    size_t len;
    char *text = slurp(pid, "cmdline", &len);
    for (size_t i = 0; i + 1 < len; i++)
        if ((unsigned char)text[i] < 0x20)
            text[i] = ' ';
    snprintf(out, PROC_COMMAND_BYTES, "%s", text ? text : "");
    free(text);
}

bool proc_same_program(pid_t a, pid_t b)
{
    struct stat x, y;
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)a);
    bool known = stat(path, &x) == 0;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)b);
    return known && stat(path, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool is_marked(pid_t pid, const char *marker)
{
    size_t len;
    char *text = slurp(pid, "environ", &len);
    bool marked = false;
    for (const char *p = text; p && p < text + len && !marked; p += strlen(p) + 1)
        marked = !strcmp(p, marker);
    free(text);
    return marked;
}

void proc_kill_marked(const char *marker)
{
    DIR *d = opendir("/proc");
    struct stat st;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        pid_t pid = isdigit((unsigned char)e->d_name[0]) ? (pid_t)strtol(e->d_name, NULL, 10) : 0;
        if (pid > 1 && pid != getpid() && fstatat(dirfd(d), e->d_name, &st, 0) == 0 && st.st_uid == getuid() &&
            is_marked(pid, marker))
            (void)process_signal(pid, SIGKILL);
    }
    if (d)
        closedir(d);
}

size_t proc_waiting_chain(pid_t shell, pid_t chain[PROC_CHAIN_MAX])
{
    size_t n = 0;
    for (pid_t p = shell; n < PROC_CHAIN_MAX && (p = youngest_child(p)) > 0;)
        chain[n++] = p;
    return n;
}

int proc_waiting_snapshot(pid_t shell, pid_t *child, struct snapshot *s)
{
    pid_t chain[PROC_CHAIN_MAX], found = 0;
    size_t n = proc_waiting_chain(shell, chain);
    for (size_t i = 0; i < n && found == 0; i++)
        /* A copy of the shell has the shell's first environment */
        found = proc_same_program(chain[i], shell) ? 0 : chain[i];
    *child = found;
    return found ? proc_snapshot(found, s) : -ESRCH;
}
