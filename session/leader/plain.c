/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/plain.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UMASK 022 /* systemd's for services, init's and login's; then pam_umask, then the shell */

static void as_scheduled(void)
{
    cpu_set_t cpus;
    struct sched_param p = {0};
    int policy = sched_getscheduler(1), nice = getpriority(PRIO_PROCESS, 1);
    if (policy >= 0 && sched_getparam(1, &p) == 0)
        (void)sched_setscheduler(0, policy, &p);
    (void)setpriority(PRIO_PROCESS, 0, nice);
    if (sched_getaffinity(1, sizeof cpus, &cpus) == 0)
        (void)sched_setaffinity(0, sizeof cpus, &cpus);
    long io = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 1);
    if (io >= 0)
        (void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, io);
}

void plain_start(void)
{
    as_scheduled();
    (void)prctl(PR_SET_TIMERSLACK, 50000, 0, 0, 0); /* ns: the kernel's default */
    (void)umask(UMASK);
}

const char *plain_oom_score(void)
{
    static char text[16];
    int fd = open("/proc/1/oom_score_adj", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    text[strcspn(text, "\n")] = 0;
    return text[0] ? text : "0";
}
