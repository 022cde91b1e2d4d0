/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real oriel-monitor in a folder of its own, with the test as its server, its peers and its administrator.
 * Everything fails the test by itself; waits are bounded by RIG_WAIT_MS. */
#ifndef ORIEL_TESTS_SESSION_RIG_H
#define ORIEL_TESTS_SESSION_RIG_H

#include "session/proto/control.h"
#include "session/proto/leader.h"
#include "session/proto/logon.h"
#include "session/proto/peer.h"
#include "session/proto/server.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define RIG_WAIT_MS 15000

struct rig {
    char dir[64];
    char conf[96];
    pid_t monitor;
    int server; /* link as oriel-server */
    uint64_t next_peer;
    const char *client_name; /* of the next client; NULL: "thin" */
};
struct rig_peer {
    uint64_t id;
    int fd;
};

/* `options`: lines for the configuration file ("[login]\nattempts = 2\n"), beside the paths. */
void rig_start(struct rig *r, const char *options);
/* Log off what runs, stop the monitor, remove the folder. */
void rig_stop(struct rig *r);
void rig_write_config(struct rig *r, const char *options);
/* kill -9 and start again; the server link is new, too. */
void rig_restart(struct rig *r);

/* A new peer from `address`, hello said. */
struct rig_peer rig_connect(struct rig *r, const char *address);
/* Announce a peer again (a fresh link after a restart), hello said. */
struct rig_peer rig_reconnect(struct rig *r, uint64_t id, const char *address);
void rig_auth(struct rig_peer *p, enum auth_method method, const char *user, const void *secret, size_t nsecret);
/* With a password and a domain beside the name. */
void rig_auth_domain(struct rig_peer *p, const char *domain, const char *user, const char *password);
/* The next message, which must be `want`; *fd (may be NULL) gets its descriptor. Returns a static copy. */
const void *rig_expect(int link, const struct wire_proto *proto, const struct wire_def *want, int *fd);
#define rig_peer_expect(p, name, fdp) ((const struct name *)rig_expect((p)->fd, &monitor_to_peer, &name##_def, fdp))
/* The link is closed within the wait, whatever still comes before. */
void rig_expect_closed(int link);
/* The server is told to kill that peer. */
void rig_expect_kill(struct rig *r, uint64_t peer);
/* Read one text datagram of a fake display, whose beginning must be `want`. Returns it (static). */
const char *rig_expect_text(int display, const char *want);
void rig_type(int display, const char *text);

/* START or ATTACH with the password "right": returns the display link, keeps verdict and cookie (both may be NULL). */
int rig_login(struct rig *r, struct rig_peer *p, const char *user, enum peer_verdict_kind kind, struct peer_verdict *v,
    struct peer_cookie *c);
/* Verdict REFUSE with this reason. */
void rig_expect_refused(struct rig_peer *p, enum refuse_reason reason);
void rig_expect_end(struct rig_peer *p, enum end_cause cause);

/* One request as orielctl: the code of control_done; rows or text are kept. */
struct rig_answer {
    int code;
    char text[65536];
    struct control_session rows[16];
    size_t nrows;
};
int rig_control(struct rig *r, const struct wire_def *def, const void *msg, struct rig_answer *a);
/* Wait until session `id` is in `state` (0: gone) with so many clients; returns its row. */
const struct control_session *rig_wait_session(struct rig *r, uint64_t id, enum session_state state, uint32_t nclients);

#endif
