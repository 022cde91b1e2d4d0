/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shutting a process in, after its libraries have read their files and before it reads a byte from outside. */
#ifndef ORIEL_COMMON_SANDBOX_H
#define ORIEL_COMMON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum sandbox_profile {
    SANDBOX_PEER,  /* no files, no new sockets, no processes; threads, memory that is never executable */
    SANDBOX_LOGON, /* as the peer, and makes memfds for its picture; reads below read_paths (fonts) */
    /* As the peer, makes memfds, and talks to the graphics and video devices that are open; for its drivers' sake it
     * may have threads already (all are shut in), and what is forbidden is an error, not the end */
    SANDBOX_ENCODER,
    /* As the peer, and accepts on its listening socket; reads below read_paths (keys, for a reload) */
    SANDBOX_KEYS,
};
struct sandbox {
    enum sandbox_profile profile;
    /* Chroot here when the process may (CAP_SYS_CHROOT); NULL or with read_paths: Landlock alone */
    const char *empty_root;
    bool require_empty_root; /* neither chroot nor Landlock worked: -EPERM instead of going on */
    /* Files and folders that stay readable through Landlock, NULL-terminated; absent ones are skipped. NULL: none, and
     * opening is refused by seccomp too. Where Landlock is not to be had nothing stays readable. */
    const char *const *read_paths;
    uint64_t address_space; /* RLIMIT_AS in bytes, 0 none; ignored in sanitizer builds */
    unsigned nofile;        /* RLIMIT_NOFILE */
    /* RLIMIT_NPROC, of all processes with this uid together; 0 none: others have the uid too */
    unsigned threads;
    /* For a check, not for service: what is forbidden is logged by its name before the process ends */
    bool explain;
};
/* Two halves, because some belong to a thread and some to all. Each returns 0, or negative errno with *what naming the
 * step; the caller must then exit.
 *
 * sandbox_enclose: call while the process has one thread (-EBUSY otherwise) and is not root (-EPERM). Empty root and
 * Landlock, all capabilities dropped, no_new_privs, non-dumpable, rlimits (FSIZE 0 where neither a memfd nor a log file
 * needs it, CORE 0). A thread takes these from the one that starts it, and nothing brings them to a thread that runs
 * already. In between a library may start threads: they are born inside. sandbox_filter: -EPERM before sandbox_enclose.
 * seccomp, on all threads at once: kill by default, openat and friends answered with EACCES. Logs the profile, and
 * "sanitizer" where the filter is wider. */
int sandbox_enclose(const struct sandbox *s, const char **what);
int sandbox_filter(const struct sandbox *s, const char **what);
/* Both, where no library wants a thread. */
int sandbox_enter(const struct sandbox *s, const char **what);

#endif
