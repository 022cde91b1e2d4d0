/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/schedule.h"

/* Percent of what leaves while the class waits. Control comes first anyhow. A film leaves bulk a tenth; sound and
 * pictures only need theirs where a drawer floods its client with pointers. */
static const unsigned share[TRAFFIC_CLASSES] = {[TRAFFIC_SOUND] = 25, [TRAFFIC_PICTURE] = 25, [TRAFFIC_BULK] = 10};

enum traffic_class schedule_pick(const struct schedule *s, const struct schedule_look *l)
{
    for (int c = TRAFFIC_CONTROL; c < TRAFFIC_CLASSES; c++)
        if (share[c] && l->next[c] && s->earned[c] >= l->next[c])
            return (enum traffic_class)c;
    for (int c = TRAFFIC_CONTROL; c < TRAFFIC_CLASSES; c++)
        if (l->next[c] && !(c == TRAFFIC_BULK && l->bulk_held))
            return (enum traffic_class)c;
    return TRAFFIC_CLASSES;
}

void schedule_sent(struct schedule *s, const struct schedule_look *l, enum traffic_class sender, size_t bytes)
{
    s->earned[sender] -= s->earned[sender] < bytes ? s->earned[sender] : bytes;
    for (int c = TRAFFIC_CONTROL; c < TRAFFIC_CLASSES; c++) {
        if (c != (int)sender && s->earned[c] < l->next[c])
            s->earned[c] += bytes * share[c] / (100 - share[c]);
    }
}
