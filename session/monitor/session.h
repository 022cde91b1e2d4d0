/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of sessions. Its truth is what the leaders say. */
#ifndef ORIEL_SESSION_MONITOR_SESSION_H
#define ORIEL_SESSION_MONITOR_SESSION_H

#include "session/monitor/monitor.h"
#include "session/proto/control.h"
#include "session/proto/leader.h"
#include "session/proto/peer.h"

/* From leader_start to leader_hello: a cold disk and a slow PAM session module */
#define START_LIMIT_MS 90000
/* A leader's logoff may take logoff_grace and this; then the monitor does it by force */
#define END_SLACK_MS 15000

/* One client of a session. `peer` is NULL while its peer has not resumed after a restart, and for viewers. */
struct attachment {
    struct lifetime life;
    TAILQ_ENTRY(attachment) entry;
    uint32_t id;
    uint8_t role;
    struct monitor_peer *peer;
    struct control_end *viewer;
    uint8_t hash[HASH_BYTES]; /* SHA-256 of the peer_resume token */
    bool shown;               /* the leader was told; its display is handed over */
    bool reshow;              /* its display is gone: it gets the next one, unless its peer goes, too */
    uint8_t reshown;          /* how often that happened */
    uint32_t services_lost;   /* set of services whose processes died: they get new links in a moment */
    uint8_t service_restarts[SERVICE_MAX + 1]; /* how often that happened, by enum service */
    char address[ADDRESS_BYTES], client_name[CLIENT_NAME_BYTES];
    uint32_t width, height, nmonitors;
};
struct session {
    struct lifetime life;
    LIST_ENTRY(session) entry;
    struct monitor *m;
    uint64_t id;
    enum session_state state;
    /* STARTING: an older session of this user is still ENDING; leader_start waits for that */
    bool deferred;
    char user[USER_BYTES];
    uint32_t uid, gid;
    uint64_t since;
    char key[2 * TOKEN_BYTES + 1];
    struct leader *leader;
    uint32_t display;
    char xauthority[PATH_BYTES];
    int32_t leader_pid, display_pid, agent_pid, desktop_pid;
    TAILQ_HEAD(, attachment) attachments; /* the oldest first */
    uint32_t nattachments, next_client;   /* at most CLIENTS_MAX; the next one's id */
    struct env_entry *env;
    uint32_t nenv;
    struct leader_start *start; /* STARTING */
    enum end_cause ending;      /* ENDING: why */
    struct event *timer;        /* STARTING: start limit; DETACHED: disconnected limit; ENDING: end limit */
    struct event *reshow;
    uint32_t served; /* set of services that its leader serves */
    struct event *services_again;
};

struct session *session_find(struct monitor *m, uint64_t id);
/* The session a login of this uid belongs to: not an ENDING one. */
struct session *session_of_uid(struct monitor *m, uint32_t uid);
size_t session_count(struct monitor *m);

/* VERDICT_START: `l` becomes the leader of a new session with `p` as its first client. 0, or -errno and nothing
 * happened. */
int session_start(struct leader *l, struct monitor_peer *p, const struct leader_verdict *v);
/* VERDICT_ATTACH: earlier control clients are replaced. */
int session_attach(struct session *s, struct monitor_peer *p);
/* A peer on a fresh link claims a place. 0; -ENOENT: no such session or client; -EACCES: the token is wrong. */
int session_resume(struct monitor *m, struct monitor_peer *p, const struct peer_resume *r);
/* A view-only client for orielctl; *fd is the front end's end, the caller's. */
int session_view(struct session *s, struct control_end *viewer, uint32_t *client, int *fd);
/* The client's process has gone, or left. `keep`: keep its place for peer_resume. Cuts p->session. */
void session_peer_left(struct monitor_peer *p, enum end_cause cause, bool keep);
void session_viewer_left(struct monitor *m, struct control_end *viewer);
/* Detach client `id`, 0 all; their peers are told `cause`. Returns how many. */
unsigned session_disconnect(struct session *s, uint32_t id, enum end_cause cause);
void session_logoff(struct session *s, enum end_cause cause);
void session_status(struct monitor_peer *p, uint32_t width, uint32_t height, uint32_t nmonitors);
/* The configuration changed. */
void session_limits_changed(struct monitor *m);

/* From the leader. */
void session_on_hello(struct leader *l, const struct leader_hello *h);
void session_on_failed(struct session *s, const char *text);        /* it has not begun: forget it at once */
void session_on_leader_failed(struct session *s, const char *text); /* its leader clears up, then says leader_ended */
void session_on_client_state(struct session *s, const struct leader_client *c);
void session_on_client_gone(struct session *s, uint32_t client, enum end_cause cause);
void session_on_service_gone(struct session *s, uint32_t client, unsigned service, bool for_good);
void session_on_idle(struct session *s);
void session_on_ended(struct session *s, enum end_cause cause, const char *text);
void session_on_leader_lost(struct session *s, const char *why);
/* Free everything without telling anybody: the monitor exits. */
void session_forget_all(struct monitor *m);

#endif
