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
