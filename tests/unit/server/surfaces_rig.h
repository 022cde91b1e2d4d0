/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One process with the whole way of pictures: a display that the test draws, an agent, the peer's end of the display
 * link, its engine, and a client that keeps each surface apart and decodes as a real one does. */
#ifndef ORIEL_TESTS_UNIT_SERVER_SURFACES_RIG_H
#define ORIEL_TESTS_UNIT_SERVER_SURFACES_RIG_H

#include "server/peer/peer.h"
#include "tests/tools/backend_drawn.h"

#include <stdbool.h>
#include <stdint.h>

#define RIG_WIDTH 800
#define RIG_HEIGHT 600

struct rig_options {
    bool desktop;    /* the session has one */
    bool no_windows; /* the client has none */
    bool films;      /* H.264 may be used */
    bool played;     /* no agent: the test is the drawer, on rig_drawer() */
};

void rig_open(struct rig_options o);
void rig_close(void);
struct peer *rig_peer(void);
/* The drawer's end of the link, for a test that is one. */
int rig_drawer(void);
/* One turn of the loop, 10 ms at the longest. */
void rig_turn(void);
/* Turn until it is true; fails, naming `what`, after 60 s. */
void rig_until(bool (*is_true)(void), const char *what);
/* The client drops the link and comes back, as after a lost connection. */
void rig_reattach(void);
/* The client's graphics channel is opened anew. */
void rig_reopen_channel(void);
/* The client reads nothing any more, or again. */
void rig_stop_client(bool stopped);
/* Every visible surface of the display is at the client as it was drawn, and no other surface is there. */
bool rig_exact(void);
/* How many pixels of one are not; all of them where it is not there. */
size_t rig_wrong(uint32_t surface);
/* ResetGraphics that the client got; and what the front end was told of windows. */
unsigned rig_resets(void);
unsigned rig_windows_told(void);
unsigned rig_windows_gone(void);
/* What was logged since the last call. */
const char *rig_log(void);

#endif
