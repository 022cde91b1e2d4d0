/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shutting a process in, after its libraries have read their files and before it reads a byte from outside. */
#ifndef ORIEL_COMMON_SANDBOX_H
#define ORIEL_COMMON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum sandbox_profile {
    SANDBOX_PEER,   /* no files, no new sockets, no processes; threads, memory that is never executable */
    SANDBOX_LOGON,  /* as the peer, and makes memfds for its picture; reads below read_paths (fonts) */
    SANDBOX_ENCODER, /* as the peer, makes memfds, and talks to the graphics and video devices that are open; for its drivers' sake it may
                        have threads already (all are shut in), and what is forbidden is an error, not the end */
    SANDBOX_KEYS,   /* as the peer, and accepts on its listening socket; reads below read_paths (keys, for a reload) */
};
struct sandbox {
    enum sandbox_profile profile;
    const char *empty_root;     /* chroot here when the process may (CAP_SYS_CHROOT); NULL or with read_paths: Landlock alone */
    bool require_empty_root;    /* neither chroot nor Landlock worked: -EPERM instead of going on */
    /* Files and folders that stay readable through Landlock, NULL-terminated; absent ones are skipped. NULL: none, and opening is
     * refused by seccomp too. Where Landlock is not to be had nothing stays readable. */
    const char *const *read_paths;
    uint64_t address_space;     /* RLIMIT_AS in bytes, 0 none; ignored in sanitizer builds */
    unsigned nofile;            /* RLIMIT_NOFILE */
    unsigned threads;           /* RLIMIT_NPROC, of all processes with this uid together; 0 none: others have the uid too */
};
/* Call while the process has one thread (-EBUSY otherwise) and is not root (-EPERM).
 * Enter: empty root and Landlock, all capabilities dropped, no_new_privs, non-dumpable, rlimits (FSIZE 0 where neither a
 * memfd nor a log file needs it, CORE 0), seccomp: kill by default, openat and friends answered with EACCES. Returns 0, or
 * negative errno with *what naming the step; the caller must then exit. Logs the profile it runs in, and "sanitizer" where the filter is wider. */
int sandbox_enter(const struct sandbox *s, const char **what);

#endif
