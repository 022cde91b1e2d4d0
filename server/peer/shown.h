/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One surface of the drawer, as it is shown: its buffer, the frame on loan, and its way into the engine. What the
 * drawer says of it is treated as hostile: what breaks a rule of session/proto/display.h is answered with the reason,
 * and the caller ends the link. Thread: the loop's. */
#ifndef ORIEL_SERVER_PEER_SHOWN_H
#define ORIEL_SERVER_PEER_SHOWN_H

#include "codecs/engine/engine.h"
#include "session/proto/display.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link;
struct peer;

/* announced ──display_buffer──▶ with buffer ──its layout is the client's──▶ in the engine
 * Hidden, or of another size: announced. Another layout: out of the engine until it is announced again. */
struct shown {
    struct display_surface is; /* as announced last */
    struct link *link;         /* to the drawer, borrowed */
    bool current;              /* announced under the layout that is real */
    bool in_engine;
    const uint8_t *px; /* its buffer, mapped read-only; NULL none */
    size_t size;
    uint32_t stride;
    bool on_loan; /* a frame came and was not given back */
    uint32_t loan;
    /* Not yet in the engine: of the frame on loan, and of the parts before it */
    struct engine_rect held[DISPLAY_RECTS_MAX + DISPLAY_COPIED_MAX * DISPLAY_PART_RECTS_MAX];
    size_t nheld;
    unsigned nparts;   /* that the drawer told of since the last frame */
    bool parts_taken;  /* they are in the engine */
    bool holds;        /* so nothing is shown before the frame */
    uint64_t parts_us; /* when the first of them came */
};

/* NULL: out of memory. */
struct shown *shown_create(struct peer *p, struct link *link, const struct display_surface *is);
/* It is gone: unmapped, and taken out of the engine. */
void shown_destroy(struct peer *p, struct shown *s);
/* It was announced again. */
void shown_change(struct peer *p, struct shown *s, const struct display_surface *is);
/* The layout is another one: the frame on loan goes back unread, and what is shown waits for the next announcement. */
void shown_outdated(struct peer *p, struct shown *s);
/* The client shows the layout: into the engine, with all of its pixels, if it is to be seen. */
void shown_open(struct peer *p, struct shown *s);
/* The frame on loan goes into the engine if there is room; until then the drawer gathers damage instead of drawing
 * frames that nobody will see. */
void shown_take(struct peer *p, struct shown *s);

/* What the drawer sends. They return the reason why it is refused, or NULL. */
/* `fd` stays the caller's. */
const char *shown_buffer(struct peer *p, struct shown *s, const struct display_buffer *b, int fd);
const char *shown_copied(struct peer *p, struct shown *s, const struct display_copied *m);
/* The caller calls pump_run afterwards. */
const char *shown_frame(struct peer *p, struct shown *s, const struct display_frame *f);

#endif
