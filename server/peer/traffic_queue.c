/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/traffic_queue.h"

#include <errno.h>
#include <string.h>

struct traffic_unit {
    uint32_t left; /* bytes of it that wait */
    uint32_t traffic;
};

/* More than `ceiling` ends the connection: an honest client that stops reading never gets there, since senders stop at
 * `full`. */
static const struct {
    size_t full, ceiling;
} limits[TRAFFIC_CLASSES] = {
    /* A connection's handshake and a reactivation are some ten kilobytes, and nothing else writes here */
    [TRAFFIC_ORDERED] = {512 * 1024, 1024 * 1024},
    /* The largest pointer is 37 KiB; a drawer may bring some of them while the link is full */
    [TRAFFIC_CONTROL] = {64 * 1024, 1024 * 1024},
    /* 20 and 300 ms of uncompressed sound (44100 x 4 bytes a second) */
    [TRAFFIC_SOUND] = {3528, 52920},
    /* Frames are only begun below 512 KiB, and none is longer than 2 MiB (PACE_FRAME_MAX and one rectangle); a client
     * that has no graphics channel gets them with twice the overhead */
    [TRAFFIC_PICTURE] = {512 * 1024, 6 * 1024 * 1024},
    /* A slice ahead keeps the link busy (traffic_queue_full); one message of a device is 64 KiB at most, and each of
     * the 16 dynamic channels may have one that it had begun */
    [TRAFFIC_BULK] = {0, 1024 * 1024},
};

static size_t sum_of_ceilings(void)
{
    size_t sum = 0;
    for (int c = 0; c < TRAFFIC_CLASSES; c++)
        sum += limits[c].ceiling;
    return sum;
}

void traffic_queue_init(struct traffic_queue *q)
{
    *q = (struct traffic_queue){.begun = TRAFFIC_CLASSES};
    for (int c = 0; c < TRAFFIC_CLASSES; c++) {
        /* those of every class may come into the ordered queue */
        outq_init(&q->units[c].bytes, c == TRAFFIC_ORDERED ? sum_of_ceilings() : limits[c].ceiling);
        /* no unit is shorter than a byte */
        outq_init(&q->units[c].lengths, q->units[c].bytes.max * sizeof(struct traffic_unit));
    }
}

void traffic_queue_finish(struct traffic_queue *q)
{
    for (int c = 0; c < TRAFFIC_CLASSES; c++) {
        outq_finish(&q->units[c].bytes);
        outq_finish(&q->units[c].lengths);
    }
}

static struct traffic_unit unit_at(const struct traffic_units *u, size_t at)
{
    struct traffic_unit unit;
    memcpy(&unit, outq_front(&u->lengths) + at, sizeof unit);
    return unit;
}

/* Puts all of `from` behind what the ordered queue holds. */
static int put_in_order(struct traffic_queue *q, enum traffic_class from)
{
    struct traffic_units *to = &q->units[TRAFFIC_ORDERED], *u = &q->units[from];
    if (!u->bytes.len)
        return 0;
    int r = outq_add(&to->bytes, outq_front(&u->bytes), u->bytes.len);
    r = r < 0 ? r : outq_add(&to->lengths, outq_front(&u->lengths), u->lengths.len);
    outq_drop(&u->bytes, u->bytes.len);
    outq_drop(&u->lengths, u->lengths.len);
    return r;
}

static int put_all_in_order(struct traffic_queue *q)
{
    int r = 0;
    if (q->begun != TRAFFIC_CLASSES && q->begun != TRAFFIC_ORDERED) { /* the ordered queue is empty then */
        r = put_in_order(q, q->begun);
        q->begun = TRAFFIC_ORDERED;
    }
    for (int c = TRAFFIC_CONTROL; c < TRAFFIC_CLASSES && r == 0; c++)
        r = put_in_order(q, (enum traffic_class)c);
    return r;
}

void traffic_queue_begin(struct traffic_queue *q, enum traffic_class traffic)
{
    if (q->open)
        return;
    q->open = true;
    q->open_class = traffic;
    q->open_in = q->gate == TRAFFIC_IN_ORDER ? TRAFFIC_ORDERED : traffic;
    q->open_bytes = 0;
}

int traffic_queue_write(struct traffic_queue *q, enum traffic_class traffic, const uint8_t *data, size_t len)
{
    bool alone = !q->open;
    traffic_queue_begin(q, traffic);
    if (len > limits[q->open_class].ceiling - q->bytes[q->open_class])
        return -ENOBUFS;
    int r = 0;
    if (q->open_in == TRAFFIC_ORDERED && q->open_bytes == 0 && q->gate != TRAFFIC_SHUT)
        r = put_all_in_order(q);
    r = r < 0 ? r : outq_add(&q->units[q->open_in].bytes, data, len);
    if (r < 0)
        return r;
    q->open_bytes += len;
    q->bytes[q->open_class] += len;
    return alone ? traffic_queue_end(q) : 0;
}

int traffic_queue_end(struct traffic_queue *q)
{
    struct traffic_unit u = {.left = (uint32_t)q->open_bytes, .traffic = q->open_class};
    bool some = q->open && u.left;
    q->open = false;
    return some ? outq_add(&q->units[q->open_in].lengths, &u, sizeof u) : 0;
}

int traffic_queue_set_gate(struct traffic_queue *q, enum traffic_gate gate)
{
    if (q->gate == gate)
        return 0;
    q->gate = gate;
    return gate == TRAFFIC_OPEN ? 0 : put_all_in_order(q);
}

bool traffic_queue_full(const struct traffic_queue *q, enum traffic_class traffic, size_t slice)
{
    if (q->gate == TRAFFIC_SHUT && traffic != TRAFFIC_ORDERED)
        return true;
    return q->bytes[traffic] >= (traffic == TRAFFIC_BULK ? 2 * slice : limits[traffic].full);
}

/* The bytes of the first whole units that are of one class and fit into `most`, or the first unit's part. */
static size_t take(const struct traffic_units *u, size_t most, enum traffic_class *traffic)
{
    size_t len = 0;
    if (!u->lengths.len)
        return 0;
    struct traffic_unit first = unit_at(u, 0);
    *traffic = (enum traffic_class)first.traffic;
    for (size_t at = 0; at < u->lengths.len; at += sizeof first) {
        struct traffic_unit next = unit_at(u, at);
        if (next.traffic != first.traffic || len + next.left > most)
            break;
        len += next.left;
    }
    return len ? len : first.left < TRAFFIC_RECORD ? first.left : TRAFFIC_RECORD;
}

/* Bulk sends what the link has room for, or by its share a slice. */
static size_t most_of(enum traffic_class c, const struct traffic_bulk *bulk)
{
    size_t most = c != TRAFFIC_BULK              ? TRAFFIC_RECORD
        : bulk->most && bulk->most < bulk->slice ? bulk->most
                                                 : bulk->slice;
    return most < TRAFFIC_RECORD ? most : TRAFFIC_RECORD;
}

static void look_at_all(const struct traffic_queue *q, const struct traffic_bulk *bulk, struct schedule_look *look)
{
    enum traffic_class ignored;
    *look = (struct schedule_look){.bulk_held = bulk->most == 0};
    for (int c = TRAFFIC_CONTROL; c < TRAFFIC_CLASSES; c++)
        look->next[c] = take(&q->units[c], most_of((enum traffic_class)c, bulk), &ignored);
}

static enum traffic_class whose_turn(const struct traffic_queue *q, const struct schedule_look *look)
{
    if (q->begun < TRAFFIC_CLASSES)
        return q->begun;
    if (q->units[TRAFFIC_ORDERED].lengths.len)
        return TRAFFIC_ORDERED;
    return q->gate == TRAFFIC_SHUT ? TRAFFIC_CLASSES : schedule_pick(&q->schedule, look);
}

bool traffic_queue_next(const struct traffic_queue *q, const struct traffic_bulk *bulk, struct traffic_record *out)
{
    look_at_all(q, bulk, &out->look);
    enum traffic_class from = whose_turn(q, &out->look);
    if (from == TRAFFIC_CLASSES)
        return false;
    out->from = from;
    out->len = take(&q->units[from], most_of(from, bulk), &out->traffic);
    out->data = outq_front(&q->units[from].bytes);
    return out->len != 0;
}

void traffic_queue_taken(struct traffic_queue *q, const struct traffic_record *r)
{
    struct traffic_units *u = &q->units[r->from];
    size_t left = r->len;
    q->begun = TRAFFIC_CLASSES;
    while (left) {
        struct traffic_unit first = unit_at(u, 0);
        if (first.left > left) { /* longer than a record */
            first.left -= (uint32_t)left;
            outq_set_front(&u->lengths, &first, sizeof first);
            q->begun = r->from;
            break;
        }
        left -= first.left;
        outq_drop(&u->lengths, sizeof first);
    }
    outq_drop(&u->bytes, r->len);
    q->bytes[r->traffic] -= r->len;
    if (r->from != TRAFFIC_ORDERED)
        schedule_sent(&q->schedule, &r->look, r->from, r->len);
}

size_t traffic_queue_total(const struct traffic_queue *q)
{
    size_t sum = 0;
    for (int c = 0; c < TRAFFIC_CLASSES; c++)
        sum += q->bytes[c];
    return sum;
}
