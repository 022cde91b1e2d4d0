/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/startup/reader.h"

#include "common/clock.h"
#include "common/process.h"
#include "session/startup/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ASK_MS 300  /* a shell that still works answers SIGTERM in 20 */
#define LOOK_MS 100 /* a stopped shell is noticed and continued within this */

struct reading { /* the state over all runs */
    const struct reader *r;
    struct startup_files files;
    enum shell_family family;
    const char *shell;
    int64_t end_ms;
    unsigned runs;
    char run[32];         /* the mark of the present one */
    struct snapshot *now; /* the newest that is known */
};
enum run_end { RUN_DONE, RUN_ENDED, RUN_HUNG, RUN_IMPOSSIBLE };
struct run { /* one shell */
    pid_t pid;
    int listen_fd, pid_fd, status;
    enum run_end end;
    size_t file; /* the last one begun */
    bool noted_exit, begun, gone;
    uint32_t line;
    char last_command[PROC_COMMAND_BYTES]; /* of a hanging one: what it waits for */
    struct snapshot begin;                 /* as the last file began; only for this the file is read again */
    struct snapshot last;                  /* the newest */
};

__attribute__((format(printf, 2, 3))) static void tell(const struct reading *g, const char *format, ...)
{
    char text[2 * STARTUP_PATH_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    g->r->trouble(g->r->user, text);
}

/* ---- one shell ---- */

static _Noreturn void be_shell(const struct reading *g, const char *const *argv, char *const *env, bool quiet)
{
    int null = open("/dev/null", O_RDWR);
    int out = quiet || g->r->out < 0 ? null : g->r->out;
    (void)setsid(); /* what kills its own process group kills nobody else */
    (void)prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0);
    if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(127);
    (void)syscall(SYS_close_range, 3U, ~0U, 0U);
    if (chdir(g->r->home) < 0 && chdir("/") < 0)
        _exit(127);
    execve(g->shell, (char *const *)(uintptr_t)argv, env);
    _exit(127);
}

static int start_shell(struct reading *g, struct run *u, size_t from, size_t to, bool careful)
{
    char name[8];
    const char *argv[8];
    u->pid_fd = -1;
    u->listen_fd = snapshot_listen(name);
    snprintf(g->run, sizeof g->run, "%d.%u", (int)getpid(), ++g->runs);
    struct shell_script q = {.family = g->family,
        .files = &g->files,
        .from = from,
        .to = to,
        .careful = careful,
        .note = g->r->note,
        .name = name,
        .run = g->run};
    char *script = u->listen_fd >= 0 ? shell_script(&q) : NULL;
    if (!script)
        return -ENOSYS;
    shell_command(g->family, g->shell, script, argv);
    char *none[] = {NULL};
    u->pid = fork();
    if (u->pid == 0)
        be_shell(g, argv, g->now->env.v ? g->now->env.v : none, careful);
    free(script);
    if (u->pid < 0)
        return -errno;
    u->pid_fd = (int)syscall(SYS_pidfd_open, u->pid, 0);
    return 0;
}

static void copy_snapshot(struct snapshot *to, const struct snapshot *from)
{
    snapshot_finish(to);
    *to = *from;
    to->env = (struct env_list){0};
    (void)env_put_all(&to->env, &from->env);
}

static void take_notes(struct run *u)
{
    struct snapshot s;
    int r;
    while ((r = snapshot_take(u->listen_fd, &s, NULL)) != -EAGAIN) {
        if (r < 0)
            continue;
        if (s.tag == NOTE_BEGIN) {
            u->begun = true;
            u->noted_exit = false;
            u->file = s.file;
            copy_snapshot(&u->begin, &s);
        }
        u->noted_exit = u->noted_exit || s.tag == NOTE_EXIT;
        u->line = s.tag == NOTE_LINE ? s.line : u->line;
        u->end = s.tag == NOTE_FINAL ? RUN_DONE : u->end;
        snapshot_finish(&u->last);
        u->last = s;
    }
}

/* Returns whether the shell is gone. */
static bool reap(struct run *u)
{
    pid_t pid = waitpid(u->pid, &u->status, WNOHANG | WUNTRACED);
    if (pid == u->pid && WIFSTOPPED(u->status)) {
        (void)process_signal(u->pid, SIGCONT);
        return false;
    }
    return pid == u->pid || (pid < 0 && errno == ECHILD);
}

static void watch_shell(struct run *u, int64_t deadline_ms)
{
    u->end = RUN_ENDED;
    while (!u->gone) {
        struct pollfd p[2] = {{.fd = u->listen_fd, .events = POLLIN}, {.fd = u->pid_fd, .events = POLLIN}};
        int64_t left = deadline_ms - clock_ms();
        if (left <= 0 && u->end != RUN_DONE) {
            u->end = RUN_HUNG;
            return;
        }
        (void)poll(p, 2, left > 0 && left < LOOK_MS ? (int)left : LOOK_MS);
        u->gone = reap(u);
        take_notes(u); /* after it: a note that was sent before the end is in the queue now */
    }
}

/* What hangs ends: the shell, and what it waits for. What it started in the background goes on. */
static void end_shell(struct run *u)
{
    pid_t chain[PROC_CHAIN_MAX];
    if (u->pid <= 0 || u->gone)
        return;
    size_t n = proc_waiting_chain(u->pid, chain);
    (void)process_signal(u->pid, SIGKILL);
    (void)waitpid(u->pid, &u->status, 0);
    while (n > 0)
        (void)process_signal(chain[--n], SIGKILL);
}

static bool same_env(const struct env_list *a, const struct env_list *b)
{
    bool same = a->n == b->n;
    for (size_t i = 0; i < a->n && same; i++)
        same = !strcmp(a->v[i], b->v[i]);
    return same;
}

/* A hanging shell that executed another program, or waits for one: that program was given all that was exported. */
static bool look_into_hanging(struct run *u, const struct snapshot *at_start)
{
    pid_t child;
    struct snapshot s;
    int r = proc_waiting_snapshot(u->pid, &child, &s);
    if (child > 0)
        proc_command(child, u->last_command);
    else if (proc_snapshot(u->pid, &s) == 0 && !same_env(&s.env, &at_start->env))
        r = 0;
    else
        snapshot_finish(&s);
    if (r < 0)
        return false;
    s.tag = NOTE_LINE;
    snapshot_finish(&u->last);
    u->last = s;
    return true;
}

/* A hanging shell hears SIGTERM between two commands, or when the copy of itself that it waits for is gone. */
static bool ask_hanging(struct run *u)
{
    pid_t chain[PROC_CHAIN_MAX];
    size_t n = proc_waiting_chain(u->pid, chain);
    (void)process_signal(u->pid, SIGTERM);
    (void)process_signal(u->pid, SIGCONT);
    while (n > 0)
        (void)process_signal(chain[--n], SIGKILL);
    watch_shell(u, clock_ms() + ASK_MS);
    u->end = RUN_HUNG;
    return u->noted_exit;
}

static void finish_run(struct run *u)
{
    if (u->listen_fd >= 0)
        close(u->listen_fd);
    if (u->pid_fd >= 0)
        close(u->pid_fd);
    snapshot_finish(&u->begin);
    snapshot_finish(&u->last);
}

static void adopt(struct reading *g, struct snapshot *s)
{
    if (s->tag == 0)
        return;
    snapshot_finish(g->now);
    *g->now = *s;
    *s = (struct snapshot){0};
}

/* ---- words ---- */

static void describe_end(const struct run *u, char *out, size_t cap)
{
    if (u->end == RUN_HUNG && u->last_command[0])
        snprintf(out, cap, "did not come to its end in time (it was at: %s)", u->last_command);
    else if (u->end == RUN_HUNG)
        snprintf(out, cap, "did not come to its end in time");
    else if (WIFSIGNALED(u->status))
        snprintf(out, cap, "ended the shell (signal %d, %s)", WTERMSIG(u->status), strsignal(WTERMSIG(u->status)));
    else
        snprintf(out, cap, "ended the shell (exit status %d)", WEXITSTATUS(u->status));
}

static void tell_end(const struct reading *g, const struct run *u, size_t file, uint32_t line, bool known)
{
    char how[PROC_COMMAND_BYTES + 64], where[24] = "";
    describe_end(u, how, sizeof how);
    if (line)
        snprintf(where, sizeof where, " (line %u)", line);
    tell(g, "The start-up file %s%s %s. %s", file < g->files.n ? g->files.v[file].path : g->shell, where, how,
        known ? "What it had exported is kept; what follows in it was not read."
              : "Nothing of it could be kept; the other files are read.");
}

/* ---- all files ---- */

static int64_t deadline(const struct reading *g, int ms)
{
    int64_t d = clock_ms() + ms;
    return d < g->end_ms ? d : g->end_ms;
}

/* The file that ended the shell and left no trace, once more, with a note before each command. */
static void read_carefully(struct reading *g, size_t file, const struct run *first)
{
    struct run u = {.pid = 0};
    int r = start_shell(g, &u, file, file + 1, true);
    if (r == 0) {
        watch_shell(&u, deadline(g, g->r->careful_ms));
        if (u.end == RUN_HUNG && (u.last.tag == 0 || u.last.tag == NOTE_BEGIN) && !look_into_hanging(&u, g->now))
            (void)ask_hanging(&u);
        end_shell(&u);
    }
    bool known = r == 0 && u.last.tag != 0;
    if (r < 0 || u.end != RUN_DONE)
        tell_end(g, r == 0 && first->end != RUN_HUNG ? &u : first, file, u.line, known);
    if (known)
        adopt(g, &u.last);
    finish_run(&u);
}

/* Files from `from` on in one shell. Returns the number of the next one to read. */
static size_t read_from(struct reading *g, size_t from)
{
    struct run u = {.file = from};
    char marker[64];
    size_t next = g->files.n;
    if (start_shell(g, &u, from, g->files.n, false) < 0) {
        tell(g, "%s could not be started: the start-up files are not read.", g->shell);
        finish_run(&u);
        return next;
    }
    watch_shell(&u, deadline(g, g->r->files_ms));
    bool caught = u.end == RUN_HUNG ? look_into_hanging(&u, g->now) || ask_hanging(&u) : u.noted_exit;
    if (u.end == RUN_HUNG)
        end_shell(&u);
    if (u.end == RUN_DONE) {
        adopt(g, &u.last);
    } else if (caught) {
        tell_end(g, &u, u.file, 0, true);
        adopt(g, &u.last);
        next = u.file + 1;
    } else {
        adopt(g, &u.begin);
        snprintf(marker, sizeof marker, "%s=%s.%zu", SHELL_MARKER, g->run, u.file);
        proc_kill_marked(marker); /* it is started again */
        read_carefully(g, u.file, &u);
        next = u.file + 1;
    }
    finish_run(&u);
    return next;
}

/* fish reads all by itself first. Only when that comes to no end, file by file. */
static void read_fish(struct reading *g)
{
    struct run u = {.pid = 0};
    if (start_shell(g, &u, 0, g->files.n, false) == 0)
        watch_shell(&u, deadline(g, g->r->files_ms));
    if (u.end == RUN_HUNG)
        (void)look_into_hanging(&u, g->now); /* its universal variables, and whatever came before */
    end_shell(&u);
    adopt(g, &u.last);
    for (size_t i = 0; i < g->files.n && u.end != RUN_DONE && clock_ms() < g->end_ms; i++)
        read_carefully(g, i, &u);
    finish_run(&u);
}

static void read_all(struct reading *g)
{
    if (g->files.n == 0)
        return;
    if (g->family == SHELL_FISH) {
        read_fish(g);
        return;
    }
    size_t next = 0;
    while (next < g->files.n && clock_ms() < g->end_ms)
        next = read_from(g, next);
    if (next < g->files.n)
        tell(g, "The start-up file %s was not read: those before it took too long.", g->files.v[next].path);
}

void reader_run(const struct reader *r, struct snapshot *s)
{
    struct reading *g = calloc(1, sizeof *g);
    if (!g)
        return;
    *g = (struct reading){.r = r,
        .family = shell_family_of(r->shell),
        .shell = r->shell,
        .end_ms = clock_ms() + r->total_ms,
        .now = s};
    if (g->family == SHELL_OTHER) {
        g->shell = "/bin/sh";
        g->family = SHELL_POSIX;
    }
    shell_files(shell_family_of(r->shell), r->root, r->home, &g->files);
    read_all(g);
    g->shell = "/bin/sh";
    g->family = SHELL_POSIX;
    shell_xprofiles(r->root, r->home, &g->files);
    read_all(g);
    env_unset(&s->env, SHELL_MARKER);
    free(g);
}
