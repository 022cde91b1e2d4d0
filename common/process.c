/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/process.h"

#include <errno.h>
#include <signal.h>

int process_signal(pid_t pid, int sig)
{
    if (pid <= 0)
        return -ESRCH;
    return kill(pid, sig) < 0 ? -errno : 0;
}

int process_signal_group(pid_t leader, int sig)
{
    if (leader <= 1) /* -1 is everybody */
        return -ESRCH;
    return kill(-leader, sig) < 0 ? -errno : 0;
}
