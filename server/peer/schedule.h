/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which class sends the next TLS record. The highest one that has something goes first, but each lower one is sure of a
 * part of what leaves while it waits, so that nobody starves. Pure. */
#ifndef ORIEL_SERVER_PEER_SCHEDULE_H
#define ORIEL_SERVER_PEER_SCHEDULE_H

#include "server/peer/traffic.h"

#include <stdbool.h>
#include <stddef.h>

/* All zero is a stream on which nothing was sent. */
struct schedule {
    /* In bytes: what others sent while this class waited earned it so much; enough for its next record is enough */
    size_t earned[TRAFFIC_CLASSES];
};
struct schedule_look {
    size_t next[TRAFFIC_CLASSES]; /* bytes of the record that each class would send; 0: it has none */
    bool bulk_held;               /* the link is full: bulk goes by what it earned alone */
};

/* TRAFFIC_CLASSES: none may send now. Never TRAFFIC_ORDERED, which is the caller's to look after. */
enum traffic_class schedule_pick(const struct schedule *s, const struct schedule_look *l);
/* The class picked sent so many bytes. */
void schedule_sent(struct schedule *s, const struct schedule_look *l, enum traffic_class sender, size_t bytes);

#endif
