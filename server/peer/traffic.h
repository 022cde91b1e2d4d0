/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The classes of what is sent to a client. They share one TCP stream, and what is of a higher class overtakes what is
 * of a lower one there. All that one channel sends is of one class: it arrives in the order in which it was written. */
#ifndef ORIEL_SERVER_PEER_TRAFFIC_H
#define ORIEL_SERVER_PEER_TRAFFIC_H

enum traffic_class {
    /* Nobody named a class: nothing overtakes it, and it overtakes nothing. Handshake, reactivation, last words */
    TRAFFIC_ORDERED,
    TRAFFIC_CONTROL, /* pointer, keyboard lights, signs of life */
    TRAFFIC_SOUND,
    TRAFFIC_PICTURE,
    TRAFFIC_BULK, /* files and what else has time */
    TRAFFIC_CLASSES
};

#endif
