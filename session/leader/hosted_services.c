/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/hosted_services.h"

#include "common/log.h"
#include "common/process.h"
#include "common/spawn.h"
#include "session/leader/child.h"
#include "session/leader/keeper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char *name_of(unsigned service)
{
    const struct service_row *row = service_find(&services, service);
    return row ? row->name : "?";
}

static void say_gone(struct hosted_session *s, uint32_t client, unsigned service, bool for_good)
{
    struct leader_service_gone m = {.client = client, .service = (uint8_t)service, .for_good = for_good};
    monitor_say(s, &leader_service_gone_def, &m);
}

static void forget(struct hosted_session *s, uint32_t i)
{
    s->services[i] = s->services[--s->nservices];
}

/* Its process, if there is one, ends by itself when it can; it is reaped as anybody's child. */
static void end_process(const struct hosted_service *h)
{
    if (h->pid)
        (void)process_signal(h->pid, SIGTERM);
}

static bool has_client(const struct hosted_session *s, uint32_t client)
{
    for (uint32_t i = 0; i < s->nattachments; i++)
        if (s->attachments[i].info.client == client)
            return true;
    return false;
}

static pid_t start_program(struct hosted_session *s, const char *program, int fd)
{
    char path[PATH_BYTES * 4];
    const char *argv[] = {program, NULL};
    int r = spawn_sibling(s->cfg->paths_libexec_dir, program, path, sizeof path);
    struct child c = {.path = path,
        .argv = argv,
        .envp = s->env.v,
        .who = s->who,
        .fds = &fd,
        .nfds = 1,
        .out = -1,
        .directory = "/",
        .death_signal = SIGKILL};
    return r < 0 ? r : child_start(&c);
}

void hosted_services_start(struct hosted_session *s, const struct service_grant *g, int fd)
{
    const struct service_row *row = service_find(&services, g->service);
    for (uint32_t i = s->nservices; i-- > 0;)
        if (s->services[i].client == g->client && s->services[i].service == g->service) {
            end_process(&s->services[i]);
            forget(s, i);
        }
    if (!has_client(s, g->client) || s->nservices == HOSTED_SERVICES_MAX || s->phase > PHASE_RUNNING) {
        close(fd);
        return; /* the client, or the session, was on its way out */
    }
    bool can = row && row->host == SERVED_BY_PROGRAM;
    pid_t pid = can ? start_program(s, row->program, fd) : -ENOTSUP;
    close(fd);
    if (pid < 0) {
        log_error("service not started", "client=%u service=%s: %s", g->client, name_of(g->service), strerror(-pid));
        say_gone(s, g->client, g->service, true);
        return;
    }
    s->services[s->nservices++] = (struct hosted_service){.client = g->client, .service = g->service, .pid = pid};
}

bool hosted_services_ended(struct hosted_session *s, pid_t pid, int status)
{
    char how[96];
    for (uint32_t i = 0; i < s->nservices; i++) {
        struct hosted_service *h = &s->services[i];
        if (h->pid != pid)
            continue;
        session_describe_exit(status, how, sizeof how);
        log_info("service ended", "client=%u service=%s: %s", h->client, name_of(h->service), how);
        h->pid = 0;
        hosted_services_tell(s);
        return true;
    }
    return false;
}

void hosted_services_drop(struct hosted_session *s, uint32_t client)
{
    for (uint32_t i = s->nservices; i-- > 0;)
        if (s->services[i].client == client) {
            end_process(&s->services[i]);
            forget(s, i);
        }
}

void hosted_services_tell(struct hosted_session *s)
{
    for (uint32_t i = s->nservices; s->monitor && i-- > 0;)
        if (s->services[i].pid == 0) {
            struct hosted_service h = s->services[i];
            forget(s, i);
            say_gone(s, h.client, h.service, false);
        }
}
