/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Request tables: what the other end of a link may say, in which state, how often. Refusal is the default: a message
 * without a row, in a state its row does not name, or said twice where once is meant, ends whoever said it.
 *
 * States are single bits. `late` names states in which the message may still have been under way when the monitor
 * changed the state (it crossed ours on the wire): it is dropped, without effect and without blame. */
#ifndef ORIEL_SESSION_MONITOR_TABLE_H
#define ORIEL_SESSION_MONITOR_TABLE_H

#include "common/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request {
    const struct wire_def *def;
    uint32_t allowed; /* bits of states in which the handler runs */
    uint32_t late;    /* bits of states in which it is dropped */
    bool once;        /* a second one is refused, in any state but a late one */
    /* `end` is the struct at the other end (struct monitor_peer, leader …). `fds` are the handler's: def->nfds of them.
     */
    void (*handler)(void *end, const void *msg, const int *fds);
};
struct request_table {
    const char *who; /* "peer", for the log */
    const struct request *rows;
    size_t nrows;
    const char *const *states; /* names by bit number */
    size_t nstates;
};
enum request_answer { REQUEST_RUN, REQUEST_LATE, REQUEST_REFUSED };

/* Judge a message. `said` holds one bit per row: which were said before; it is updated when the answer is REQUEST_RUN.
 * REFUSED: *why names the reason (static string). */
enum request_answer request_judge(const struct request_table *t, const struct wire_def *def, uint32_t state,
    uint32_t *said, const struct request **row, const char **why);
/* The name of a state, for logs. */
const char *request_state_name(const struct request_table *t, uint32_t state);

#endif
