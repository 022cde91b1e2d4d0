/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An agent that is ready at once and then talks without end. For tests. */
#include "common/spawn.h"
#include "session/proto/leader.h"

int main(void)
{
    struct agent_ready ready = {0};
    struct agent_idle idle = {.seconds = 1};
    int r = wire_send(FD_AGENT_LEADER, &agent_ready_def, &ready, NULL);
    while (r == 0)
        r = wire_send(FD_AGENT_LEADER, &agent_idle_def, &idle, NULL);
    return 1;
}
