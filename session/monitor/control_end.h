/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monitor's end of one orielctl. */
#ifndef ORIEL_SESSION_MONITOR_CONTROL_END_H
#define ORIEL_SESSION_MONITOR_CONTROL_END_H

#include "session/monitor/monitor.h"
#include "session/monitor/table.h"
#include "session/proto/control.h"
#include "session/proto/logon.h"

struct link;
enum control_state { CONTROL_READY = 1, CONTROL_BUSY = 2, CONTROL_VIEWING = 4 };
#define CONTROL_STATES 3
struct control_end {
    struct lifetime life;
    LIST_ENTRY(control_end) entry;
    struct monitor *m;
    struct link *link;
    enum control_state state;
    uint32_t said;
    uid_t uid;        /* who asks, for the audit line */
    uint64_t session; /* BUSY: where the message goes */
};
extern const struct request_table control_table;

/* Exit codes of orielctl, as control_done carries them. */
enum control_code {
    CONTROL_OK = 0,
    CONTROL_FAILED = 1,
    CONTROL_USAGE = 2,
    CONTROL_NO_SUCH = 3,
    CONTROL_UNREACHABLE = 4
};

void control_accept(struct monitor *m, int fd, uid_t uid);
void control_destroy(struct control_end *c);
/* The drawing of a message is there (fd is borrowed), or failed (fd < 0). */
void control_rendered(struct control_end *c, const struct logon_rendered *r, int fd);
/* The session that is being viewed has gone. */
void control_view_ended(struct control_end *c);

#endif
