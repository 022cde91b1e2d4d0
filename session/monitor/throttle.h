/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How often a password may be wrong. Three token buckets are asked for every attempt:
 *
 *   "192.0.2.0/24"        the source prefix: empty → refused
 *   "anna@192.0.2.0/24"   this user from that prefix: empty → refused; comes back half as fast
 *   "anna@*"              this user from anywhere: empty → the attempt waits THROTTLE_DELAY_MS, and is never refused,
 *                         so that nobody can lock anybody out from elsewhere
 *
 * An attempt is charged when it begins (parallel guesses do not outrun the answer) and refunded when the password was
 * right. Time is CLOCK_BOOTTIME: a stepped wall clock changes nothing; the state is kept over restarts of the monitor.
 * After a reboot buckets go on from what they were, as if no time had passed.
 * Thread: the loop's. */
#ifndef ORIEL_SESSION_MONITOR_THROTTLE_H
#define ORIEL_SESSION_MONITOR_THROTTLE_H

#include "session/store.h"

#include <stddef.h>
#include <stdint.h>

#define THROTTLE_DELAY_MS 2000
/* 30 MiB; then the fullest bucket makes room (it has the least to say) */
#define THROTTLE_BUCKETS_MAX 65536

struct throttle;
/* `burst` tokens come back in `seconds` */
struct throttle_limits {
    uint32_t burst, seconds;
};
/* Is asked at each step: a reload of the configuration takes effect at once. */
typedef uint64_t (*throttle_clock)(void);

/* `store` may be NULL (tests): nothing is kept. Loads what the store has. NULL: no memory. */
struct throttle *throttle_create(struct store *store, const char *boot, throttle_clock now_ms);
void throttle_destroy(struct throttle *t);

struct throttle_verdict {
    uint32_t wait_s;   /* not 0: refused; seconds until one attempt is free again */
    uint32_t delay_ms; /* wait so long before trying */
};
/* Ask for one attempt of `user` ("" unknown) from `prefix` and, when it is not refused, charge it. */
struct throttle_verdict throttle_begin(struct throttle *t, struct throttle_limits lim, const char *user,
    const char *prefix);
/* The credentials were right: give the charge back, and forget this user's mistakes from this prefix. */
void throttle_success(struct throttle *t, struct throttle_limits lim, const char *user, const char *prefix);
/* No password was judged: give the charge back. */
void throttle_refund(struct throttle *t, struct throttle_limits lim, const char *user, const char *prefix);

/* Every bucket that is not full, by key: tokens left and seconds until the next token (0: there is one). */
void throttle_each(struct throttle *t, struct throttle_limits lim,
    void (*each)(void *user, const char *key, double tokens, uint32_t wait_s), void *user);
/* Forget one key, or all (""). Returns how many buckets went. */
size_t throttle_clear(struct throttle *t, const char *key);

/* This boot's id, which gives times of CLOCK_BOOTTIME their meaning. */
void throttle_boot_id(char out[STORE_BOOT_BYTES]);

#endif
