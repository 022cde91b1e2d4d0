/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/peer.h"

#include "common/link.h"
#include "common/log.h"

#include <event2/event.h>

void peer_end(struct peer *p, enum end_cause cause, const char *text)
{
    if (p->ended)
        return;
    log_info("client ends", "cause=%d text=%s", cause, text ? text : "");
    p->ended = true;
    services_close_all(p);
    display_link_detach(p);
    p->ops->end(p->front, cause, text);
    if (p->exit_code == PEER_EXIT_OK && p->login.state != LOGIN_GRANTED)
        p->exit_code = PEER_EXIT_UNAUTHENTICATED;
    event_base_loopbreak(p->base);
}

void peer_gone(struct peer *p, enum peer_exit code, const char *why)
{
    if (p->ended)
        return;
    log_info("client gone", "reason=%s", why);
    p->ended = true;
    services_close_all(p);
    display_link_detach(p);
    if (code == PEER_EXIT_OK && p->login.state != LOGIN_GRANTED)
        code = PEER_EXIT_UNAUTHENTICATED;
    p->exit_code = code;
    event_base_loopbreak(p->base);
}

void peer_tell_server(struct peer *p, uint8_t phase)
{
    struct child_state m = {.phase = phase};
    if (p->server)
        (void)link_send(p->server, &child_state_def, &m, NULL);
}
