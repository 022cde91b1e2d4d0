/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The front end's side of session/proto/display.h: the link to who draws, the layout, which surfaces there are, input.
 * The drawer is oriel-agent or oriel-logon; what it sends is treated as hostile. Thread: the loop's. */
#ifndef ORIEL_SERVER_PEER_DISPLAY_LINK_H
#define ORIEL_SERVER_PEER_DISPLAY_LINK_H

#include "server/peer/front_end.h"
#include "session/proto/display.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct link;
struct peer;
struct shown;

struct display_link {
    struct link *link;                            /* NULL: nobody draws */
    uint8_t kind;                                 /* enum peer_display_kind */
    struct event *lost;                           /* running while a granted session has nobody who draws */
    struct display_monitors monitors;             /* the layout that is real; serial 0: none was told yet */
    struct shown *surfaces[DISPLAY_SURFACES_MAX]; /* those announced, in order */
    unsigned nsurfaces;
    struct display_input input; /* gathered in this turn of the loop */
    struct event *input_ev;
};

int display_link_init(struct peer *p);
void display_link_finish(struct peer *p);
/* A new drawer (`fd` is owned from now on); the old one is dropped. */
void display_link_attach(struct peer *p, int fd, uint8_t kind);
/* Nobody draws any more: what is shown stays. */
void display_link_detach(struct peer *p);
/* What the client told about itself, as the session and its drawer want it. */
void display_link_facts(const struct client_facts *facts, struct display_open *o);

#endif
