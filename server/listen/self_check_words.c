/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/listen/self_check.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* What stands in the peer's log, and what it means. The steps are those of sandbox.c and peer/main.c. */
static const struct {
    const char *mark, *words;
} known[] = {
    {"other threads are running already",
        "Something starts a thread in oriel-peer before its sandbox is closed; that thread would stay outside.\n"
        "Look for a library that is loaded into every program: /etc/ld.so.preload, or a module that "
        "/etc/ssl/openssl.cnf names. Remove it there."},
    {"neither an empty root nor Landlock is to be had",
        "This machine gives oriel-peer neither an empty root (chroot) nor Landlock.\n"
        "Start the service with CAP_SYS_CHROOT, as Oriel's own unit does, or on a kernel with Landlock "
        "(CONFIG_SECURITY_LANDLOCK, and\n"
        "\"landlock\" among lsm=). Or accept a weaker sandbox: server.require_empty_root = no."},
    {"step=\"seccomp\"",
        "The kernel, or what Oriel runs in (a container?), takes no system call filter.\n"
        "Use a kernel with CONFIG_SECCOMP_FILTER, and let the container's own filter allow seccomp(2)."},
    {"step=\"Landlock\"",
        "Landlock is there, but refuses: a filter around Oriel may allow only a part of its calls "
        "(landlock_create_ruleset, landlock_add_rule,\n"
        "landlock_restrict_self). Allow all of them, or none."},
    {"step=\"no_new_privs\"", "prctl(2) is forbidden to oriel-peer by a filter around Oriel. Allow it there."},
    {"step=\"dropping capabilities\"",
        "oriel-peer cannot give its capabilities up: a filter around Oriel forbids capset(2) or prctl(2). Allow them "
        "there."},
    {"step=\"the library's context in an empty root\"",
        "The installed libfreerdp cannot make its context inside the sandbox: it wants a file, or more memory than "
        "server.peer_memory gives.\n"
        "Try another version of libfreerdp (3.10, 3.15 and 3.33 were tried), or a larger server.peer_memory."},
};

/* Bounded writing, one piece after the other. */
struct text {
    char *out;
    size_t cap, len;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = t->len < t->cap ? vsnprintf(t->out + t->len, t->cap - t->len, format, args) : 0;
    va_end(args);
    t->len += n > 0 ? (size_t)n : 0;
}

/* From `mark` to the end of its line, or to a blank where it is one word. */
static bool value_after(const char *said, const char *mark, bool word, char *out, size_t cap)
{
    const char *at = strstr(said, mark);
    if (!at)
        return false;
    at += strlen(mark);
    (void)snprintf(out, cap, "%.*s", (int)strcspn(at, word ? " \n" : "\n"), at);
    return true;
}

/* The last lines, for who has to look further. */
static void add_own_words(struct text *t, const char *said)
{
    size_t at = strlen(said);
    for (int lines = 0; at > 0 && lines < 5; lines++)
        for (at--; at > 0 && said[at - 1] != '\n'; at--)
            ;
    if (!said[at])
        return;
    add(t, "What oriel-peer said last:\n");
    for (size_t len; said[at]; at += len + (said[at + len] == '\n')) {
        len = strcspn(&said[at], "\n");
        add(t, "  %.*s\n", (int)len, &said[at]);
    }
}

static enum self_check explain_spawn(struct text *t, int error)
{
    add(t, "oriel-peer cannot be started: %s.\n", strerror(-error));
    if (error == -EPERM)
        add(t,
            "It gets a uid of its own, which needs CAP_SETUID, CAP_SETGID and CAP_SYS_CHROOT: call `oriel "
            "--self-check` as root, and keep "
            "the lines AmbientCapabilities and CapabilityBoundingSet of oriel-server.service.\n");
    else if (error == -ENOENT)
        add(t, "Its program, or the loader that it names, is missing: install Oriel anew.\n");
    return error == -EAGAIN || error == -ENOMEM ? SELF_CHECK_UNDECIDED : SELF_CHECK_HINDERED;
}

static bool explain_library(struct text *t, const char *said)
{
    char line[256];
    if (!value_after(said, "error while loading shared libraries: ", false, line, sizeof line) &&
        !value_after(said, "symbol lookup error: ", false, line, sizeof line))
        return false;
    add(t, "A library that oriel-peer needs is missing or of another version: %s.\n", line);
    add(t,
        "Install it (Debian: apt-get install libfreerdp3-3 libwinpr3-3, of one version), or build Oriel anew against "
        "what is installed.\n");
    return true;
}

static bool explain_filter(struct text *t, const struct self_check_end *e)
{
    char name[64];
    if (value_after(e->said, "system call forbidden name=", true, name, sizeof name) ||
        value_after(e->said, "system call forbidden\" name=", true, name, sizeof name)) {
        add(t, "The filter of oriel-peer forbids the system call %s, which an installed library makes.\n", name);
        add(t,
            "Install libraries that Oriel was tried with (libfreerdp 3.10, 3.15 or 3.33), or take away what is loaded "
            "into every program\n"
            "(/etc/ld.so.preload). If neither helps, report this line and the versions of libfreerdp, OpenSSL and the "
            "C library.\n");
        return true;
    }
    if (!e->over || !WIFSIGNALED(e->status) || WTERMSIG(e->status) != SIGSYS)
        return false;
    add(t,
        "A filter around Oriel ended oriel-peer because of a system call that it forbids: SystemCallFilter= in a "
        "drop-in of\n"
        "oriel-server.service, or the seccomp profile of the container. The kernel's log names the call (journalctl "
        "-k, \"type=1326\");\n"
        "allow it there. Oriel has a stricter filter of its own.\n");
    return true;
}

static bool explain_step(struct text *t, const char *said)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strstr(said, known[i].mark)) {
            add(t, "%s\n", known[i].words);
            return true;
        }
    return false;
}

enum self_check self_check_explain(const struct self_check_end *e, char *out, size_t cap)
{
    struct text t = {out, cap, 0};
    enum self_check verdict = SELF_CHECK_HINDERED;
    out[0] = 0;
    if (e->spawn_error < 0)
        return explain_spawn(&t, e->spawn_error);
    if (explain_library(&t, e->said) || explain_filter(&t, e) || explain_step(&t, e->said)) {
        add_own_words(&t, e->said);
        return SELF_CHECK_HINDERED;
    }
    if (!e->over) {
        add(&t, "oriel-peer did not get through its handshakes in time. The machine may be busy: try again.\n");
        verdict = SELF_CHECK_UNDECIDED;
    } else if (WIFSIGNALED(e->status)) {
        add(&t, "oriel-peer crashed (signal %d, %s) with the installed libraries.\n", WTERMSIG(e->status),
            strsignal(WTERMSIG(e->status)));
        verdict = WTERMSIG(e->status) == SIGKILL ? SELF_CHECK_UNDECIDED : SELF_CHECK_HINDERED;
    } else {
        add(&t, "oriel-peer ended with status %d before it had served.\n", WEXITSTATUS(e->status));
    }
    add_own_words(&t, e->said);
    return verdict;
}

/* The value behind "\nNAME:\t". */
static void field(const char *status, const char *name, char *out, size_t cap)
{
    char mark[32];
    (void)snprintf(mark, sizeof mark, "\n%s:\t", name);
    if (!value_after(status, mark, false, out, cap))
        (void)snprintf(out, cap, "?");
}

bool self_check_thread(const char *status, uid_t uid, char *why, size_t cap)
{
    char ids[64], value[64];
    (void)snprintf(ids, sizeof ids, "%u\t%u\t%u\t%u", uid, uid, uid, uid);
    const struct {
        const char *name, *wanted;
    } wanted[] = {
        {"Uid", ids},
        {"Gid", ids},
        {"CapPrm", "0000000000000000"},
        {"CapEff", "0000000000000000"},
        {"CapAmb", "0000000000000000"},
        {"CapInh", "0000000000000000"},
        {"NoNewPrivs", "1"},
        {"Seccomp", "2"},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        field(status, wanted[i].name, value, sizeof value);
        if (strcmp(value, wanted[i].wanted) != 0) {
            (void)snprintf(why, cap, "%s is %s, not %s", wanted[i].name, value, wanted[i].wanted);
            return false;
        }
    }
    return true;
}

void self_check_praise(const char *said, unsigned threads, char *out, size_t cap)
{
    struct text t = {out, cap, 0};
    char root[16] = "?", abi[16] = "?";
    (void)value_after(said, " root=", true, root, sizeof root);
    (void)value_after(said, " landlock=", true, abi, sizeof abi);
    add(&t, "self-check passed: %u thread%s, all inside; ", threads, threads == 1 ? "" : "s");
    add(&t, strcmp(root, "empty") == 0 ? "empty root" : "no empty root (chroot was refused), Landlock stands for it");
    if (strcmp(abi, "0") == 0)
        add(&t, "; no Landlock in this kernel, the empty root stands for it");
    else
        add(&t, "; Landlock %s", abi);
}
