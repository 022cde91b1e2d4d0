/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting Oriel's own programs with exactly the descriptors they are meant to have. */
#ifndef ORIEL_COMMON_SPAWN_H
#define ORIEL_COMMON_SPAWN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Where each program finds what its parent hands it; 0-2 are standard streams. Absent ones are closed. */
#define FD_PEER_CLIENT 3 /* oriel-peer: the client's TCP socket (or the door's stream) */
#define FD_PEER_SERVER 4 /*   link to oriel-server */
#define FD_PEER_KEYS 5   /*   link to oriel-keys */
/* Memfd with the configuration. The links to oriel-monitor and oriel-encoder come later, by message */
#define FD_PEER_CONFIG 6
#define FD_ENCODER_PEER 3   /* oriel-encoder */
#define FD_LEADER_MONITOR 3 /* oriel-leader */
#define FD_AGENT_LEADER 3   /* oriel-agent */
#define FD_STARTUP_LEADER 3 /* oriel-startup */
#define FD_STARTUP_CONFIG 4 /*   memfd with the configuration */
#define FD_STARTUP_GATE 5   /*   a pipe: its end says that the desktop may be started */
#define FD_LOGON_MONITOR 3  /* oriel-logon */
#define FD_LOGON_DISPLAY 4

struct spawn {
    const char *path;        /* absolute */
    const char *const *argv; /* argv[0] included, NULL-terminated */
    const char *const *envp; /* NULL: an environment of PATH and LANG only */
    /* fds[i] becomes descriptor 3 + i; -1 leaves it closed. The parent's copies stay open */
    const int *fds;
    size_t nfds;
    uid_t uid; /* (uid_t)-1: unchanged */
    gid_t gid;
    const char *user;      /* with uid: initgroups for this name; NULL: no supplementary groups */
    int death_signal;      /* 0 or a signal the child gets when its parent dies */
    int new_session;       /* setsid */
    int detach;            /* fork twice: not the caller's child (its pid is still returned) */
    uint64_t ambient_caps; /* bits 1 << CAP_x that survive the change of uid and the exec; 0: none */
    /* RLIM_NLIMITS of them, by their number; as far as the kernel lets. NULL: the caller's */
    const struct rlimit *limits;
    const char *directory; /* working directory, NULL "/" */
};
/* Returns the pid, or negative errno, also when the exec itself failed. */
pid_t spawn_program(const struct spawn *s);
/* The folder of the running program (or `override` when not ""), then `name`: "/usr/libexec/oriel/oriel-peer". 0 or
 * -errno. */
int spawn_sibling(const char *override, const char *name, char *out, size_t cap);

#endif
