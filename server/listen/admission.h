/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who may connect now: connections without a login are counted, overall and per source prefix (/24 of IPv4, /48 of
 * IPv6), and sources whose clients broke the protocol or crashed their peer wait for a while. Pure: time comes in as
 * seconds. */
#ifndef ORIEL_SERVER_LISTEN_ADMISSION_H
#define ORIEL_SERVER_LISTEN_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Prefixes remembered; the least recently seen without a connection is forgotten first */
#define ADMISSION_SOURCES 4096
#define ADMISSION_PENALTY_MAX 300 /* seconds a source can owe */
/* It waits while it owes more: one broken client does not shut out a whole network */
#define ADMISSION_PENALTY_LIMIT 60

struct admission;
struct admission_limits {
    unsigned clients, half_open, half_open_per_source;
};
enum admission_answer { ADMISSION_OK, ADMISSION_FULL, ADMISSION_HALF_OPEN, ADMISSION_SOURCE, ADMISSION_PENALTY };
struct admission_source; /* stays valid while a ticket on it is out */

struct admission *admission_create(void);
void admission_destroy(struct admission *a);
/* A connection came. On ADMISSION_OK it counts as half-open, *source is its ticket. */
enum admission_answer admission_enter(struct admission *a, const struct admission_limits *l,
    const struct sockaddr *from, int64_t now, struct admission_source **source);
/* It logged in. */
void admission_grant(struct admission *a, struct admission_source *s);
/* It is gone; `half_open`: it had not logged in. `penalty` seconds are put on its source. */
void admission_leave(struct admission *a, struct admission_source *s, bool half_open, unsigned penalty, int64_t now);
unsigned admission_clients(const struct admission *a);
unsigned admission_half_open(const struct admission *a);
const char *admission_text(enum admission_answer answer);

#endif
