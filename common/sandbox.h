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
    SANDBOX_LOGON,  /* as the peer; file opening is denied, not killed */
    SANDBOX_KEYS,   /* listening socket given; opens its key files (reload) */
};
struct sandbox {
    enum sandbox_profile profile;
    const char *empty_root;     /* chroot here when the process may; NULL: Landlock alone */
    bool require_empty_root;    /* neither chroot nor Landlock worked: -EPERM instead of going on */
    uint64_t address_space;     /* RLIMIT_AS in bytes, 0 none; ignored in sanitizer builds */
    unsigned nofile;            /* RLIMIT_NOFILE */
};
/* Enter: empty root and Landlock, all capabilities dropped, no_new_privs, non-dumpable, rlimits (FSIZE 0, NPROC where it does not
 * forbid threads, CORE 0), seccomp: kill by default, openat and friends answered with EACCES. Returns 0, or negative errno with
 * *what naming the step; the caller must then exit. Logs the profile it runs in, and "sanitizer" where the filter is wider. */
int sandbox_enter(const struct sandbox *s, const char **what);

#endif
