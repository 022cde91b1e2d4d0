/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real X server for a test, on a free display number, with a cookie; as an unprivileged user when the test runs as
 * root. */
#ifndef ORIEL_TESTS_TOOLS_XSERVER_H
#define ORIEL_TESTS_TOOLS_XSERVER_H

#include <stdbool.h>
#include <sys/types.h>

enum xserver_kind { XSERVER_XVFB, XSERVER_XORG };
struct xserver {
    enum xserver_kind kind;
    pid_t pid;
    char display[16]; /* ":17" */
    char folder[64];  /* private: configuration, log, cookie */
};

/* Start one and wait until it takes clients; sets DISPLAY and XAUTHORITY. 0; -ENOENT: not installed; -EIO: did not
 * start. */
int xserver_start(struct xserver *x, enum xserver_kind kind);
void xserver_stop(struct xserver *x);

#endif
