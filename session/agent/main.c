/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-agent [--config FILE | --config-fd N]: link to the leader at descriptor 3, DISPLAY and XAUTHORITY in the
 * environment. */
#include "common/config.h"
#include "common/log.h"
#include "common/spawn.h"
#include "session/agent/agent_run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int load(struct config *c, int argc, char **argv, struct config_error *err)
{
    config_defaults(c);
    if (argc == 1)
        return 0;
    if (argc == 3 && strcmp(argv[1], "--config") == 0)
        return config_load(c, argv[2], err);
    if (argc == 3 && strcmp(argv[1], "--config-fd") == 0) {
        char *end;
        long fd = strtol(argv[2], &end, 10);
        if (*end == 0 && fd >= 0 && fd < 1024)
            return config_from_fd(c, (int)fd, err);
    }
    snprintf(err->text, sizeof err->text, "usage: oriel-agent [--config FILE | --config-fd N]");
    return -1;
}

int main(int argc, char **argv)
{
    static struct config config;
    struct config_error err = {0};
    log_init("oriel-agent", LOG_LEVEL_INFO);
    const char *key = getenv("ORIEL_SESSION_ID");
    if (key)
        log_set_session(key);
    if (load(&config, argc, argv, &err) < 0) {
        log_error("configuration refused", "file=%s line=%u text=%s", err.file, err.line, err.text);
        return AGENT_EXIT_USAGE;
    }
    log_set_level((enum log_level)(config.log_level + LOG_LEVEL_ERROR));
    signal(SIGPIPE, SIG_IGN); /* libxcb writes to a dead server without MSG_NOSIGNAL */
    return agent_run(&config, FD_AGENT_LEADER);
}
