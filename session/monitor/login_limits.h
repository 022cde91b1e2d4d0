/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The resource limits that a login starts from: those that a login by ssh has on this host before PAM (pam_limits)
 * changes them, whatever limits this daemon was started with. */
#ifndef ORIEL_SESSION_MONITOR_LOGIN_LIMITS_H
#define ORIEL_SESSION_MONITOR_LOGIN_LIMITS_H

#include <stdbool.h>
#include <sys/resource.h>

/* RLIMIT_NOFILE of every login, by the kernel's and systemd's default: what select(2) can take */
#define LIMITS_SOFT_FILES 1024

struct limits {
    struct rlimit v[RLIM_NLIMITS];
};
/* With systemd as process 1: its defaults for services (systemd-system.conf, DefaultLimit…), which sshd has; asked for
 * once, within two seconds. Else those of process 1, which everything that a host starts inherits, but never more
 * descriptors than a login has: whoever starts containers and test machines raises that. */
void limits_find(struct limits *l);
/* One line "DefaultLimitNOFILESoft=1024" of `systemctl show`. False: it says nothing of a limit. */
bool limits_take_line(struct limits *l, const char *line);

#endif
