/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A world for whole sessions: private mount, PID, network and IPC namespaces with an account of their own, and the
 * monitor's and a client's part played. Checks inside fail the running cmocka test. */
#ifndef ORIEL_TESTS_LEADER_RIG_H
#define ORIEL_TESTS_LEADER_RIG_H

#include "session/leader/conv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define USER "orieltest"
#define UID 7001
#define HOME "/home/" USER
#define SECRET "Marker-7f3a9c51e2d84b06"
#define SKIP_STATUS 77
#define WAIT_MS 8000
#define RIGHT "authenticate off Password:\nauthenticate expect " SECRET "\nopen_session env FROM_PAM=yes\n"
#define XTERM "xterm -geometry 400x200+0+0 -bg '#123456' -fg '#123456' +sb"

extern int leader_link;     /* the monitor's end */
extern uint64_t session_id; /* of the session begun last */
extern uint8_t inbox[];     /* the message received last; 16-aligned */

/* Run `tests` in a new world. Returns the exit status; SKIP_STATUS without root. */
int rig_main(int (*tests)(void));
int rig_setup(void **state);
int rig_teardown(void **state); /* whatever the test left is killed and removed */

void put(const char *path, const char *text, mode_t mode);
const char *got(const char *path);      /* a file's content, "" when there is none */
const char *log_name(uint64_t session); /* of that session's log on this host */
/* Lines for the [display] and [session] sections of the leader's configuration. */
void write_config(const char *display, const char *session);
void set_pam_service(const char *name); /* for the next write_config; rig_setup sets it back */
void use_agent(const char *program);

void spawn_leader(void);
void hang_up(void);
enum refuse_reason log_in(const char *secret);
/* The next message of this kind; others are passed over, leader_failed fails the test */
void *await(const struct wire_def *want);
void begin_with(const char *xsession, const struct display_open *open); /* log in and start; NULL: no ~/.xsession */
void begin(const char *xsession);                                       /* one monitor of 800x600 */
void begin_again(void);                                                 /* the same, with the home as it is */
int next_display(int sock, const struct wire_def **def, int *fds, int timeout_ms);
/* Attach as client `id` and see the pixel at x,y become `want`. Returns the display link. */
int attach_and_see_at(uint32_t id, int x, int y, uint32_t want);
int attach_and_see(uint32_t id, uint32_t want); /* at 100,100 */
bool memory_holds(pid_t pid, const char *needle);
bool somebody_is_on(void);
void nothing_is_left(void); /* of any session, within five seconds */
void log_off(void);
void expect_failure(const char *first, const char *second); /* leader_failed with both texts, then nothing is left */

#endif
