/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What waits to be encrypted: a queue for each class, and one in which all is in order.
 *
 * A unit is what must stay in one piece on the stream: a PDU, or all fragments of a fast-path update. A record holds
 * whole units of one class; only a unit that is longer than a record takes several, and nothing comes between these.
 *
 * An ordered unit puts what waits in the classes before itself, in front of it. So the ordered queue always leaves
 * first, and what the classes hold was written after all of it. Pure.
 */
#ifndef ORIEL_SERVER_PEER_TRAFFIC_QUEUE_H
#define ORIEL_SERVER_PEER_TRAFFIC_QUEUE_H

#include "server/peer/outq.h"
#include "server/peer/schedule.h"

#include <stdbool.h>
#include <stdint.h>

#define TRAFFIC_RECORD 16384u /* RFC 8446 5.1: no TLS record holds more */

enum traffic_gate {
    TRAFFIC_IN_ORDER, /* classes count for nothing: before the login nothing may be overtaken */
    TRAFFIC_OPEN,
    TRAFFIC_SHUT, /* only what is ordered leaves, the rest waits: the client is being reactivated */
};
struct traffic_units {
    struct outq bytes;
    struct outq lengths; /* of the whole units among `bytes`: struct traffic_unit */
};
struct traffic_queue {
    enum traffic_gate gate;
    struct traffic_units units[TRAFFIC_CLASSES];
    size_t bytes[TRAFFIC_CLASSES]; /* by the class that was named, wherever they wait */
    struct schedule schedule;
    enum traffic_class begun; /* has sent a part of its first unit: nobody else may send. TRAFFIC_CLASSES: nobody has */
    bool open;                /* a unit is being written: */
    enum traffic_class open_class, open_in;
    size_t open_bytes;
};
struct traffic_record {
    enum traffic_class traffic; /* whose it is */
    const uint8_t *data;
    size_t len;
    /* the queue's own */
    enum traffic_class from;
    struct schedule_look look;
};
/* What the link has room for. */
struct traffic_bulk {
    size_t most;  /* bytes of bulk that the link takes now; 0: it is full */
    size_t slice; /* no record of bulk is longer, one unit apart */
};

void traffic_queue_init(struct traffic_queue *q);
void traffic_queue_finish(struct traffic_queue *q);
/* What is written until traffic_queue_end is one unit, of the class named first. A unit that is begun already goes on.
 */
void traffic_queue_begin(struct traffic_queue *q, enum traffic_class traffic);
/* Outside of a unit: a unit of its own. Returns 0, -ENOBUFS (over the class's ceiling), -ENOMEM; after an error the
 * queue is only good for traffic_queue_finish. */
int traffic_queue_write(struct traffic_queue *q, enum traffic_class traffic, const uint8_t *data, size_t len);
int traffic_queue_end(struct traffic_queue *q);
/* Returns 0 or -ENOMEM, as above. */
int traffic_queue_set_gate(struct traffic_queue *q, enum traffic_gate gate);
/* Is as much of the class waiting as its sender should write ahead? `slice` as in traffic_bulk. */
bool traffic_queue_full(const struct traffic_queue *q, enum traffic_class traffic, size_t slice);
/* The next record; its bytes are valid until the queue is called again. False: nothing may leave now. */
bool traffic_queue_next(const struct traffic_queue *q, const struct traffic_bulk *bulk, struct traffic_record *out);
void traffic_queue_taken(struct traffic_queue *q, const struct traffic_record *r);
/* What waits of a class, and of all. */
static inline size_t traffic_queue_bytes(const struct traffic_queue *q, enum traffic_class traffic)
{
    return q->bytes[traffic];
}
size_t traffic_queue_total(const struct traffic_queue *q);

#endif
