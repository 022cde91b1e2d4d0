/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the monitor must not forget: a secret of this host, throttle state, reconnect cookies (only their hashes), the
 * session counter. SQLite, STATE_DIR/monitor.db, opened by the monitor alone. Running sessions are never read from it:
 * their leaders are asked. Thread: the loop's. A store that cannot be written is logged by the caller and refuses
 * logins that need it (fail closed). */
#ifndef ORIEL_SESSION_STORE_H
#define ORIEL_SESSION_STORE_H

#include <stdbool.h>
#include <stdint.h>

#define STORE_KEY_BYTES 384 /* "user@prefix" */
#define STORE_BOOT_BYTES 40 /* /proc/sys/kernel/random/boot_id: a UUID */

struct store;
struct store_bucket {
    char key[STORE_KEY_BYTES];
    double tokens;
    uint64_t at_ms;              /* CLOCK_BOOTTIME ms when `tokens` was true … */
    char boot[STORE_BOOT_BYTES]; /* … in this boot */
};
struct store_cookie {
    uint32_t logon_id;
    uint64_t session;
    char user[256];
    uint8_t hash[32];    /* SHA-256 of the security verifier the client will show */
    uint64_t expires_ms; /* CLOCK_BOOTTIME, in the boot that minted it */
    char boot[STORE_BOOT_BYTES];
};

/* Open or create; a file that is no database is moved aside (".broken") and a new one begun. NULL: *err is negative
 * errno. */
struct store *store_open(const char *path, int *err);
void store_close(struct store *s);
/* The next session id, never given out before, also not before a crash. 0: the store cannot say. */
uint64_t store_next_session(struct store *s);
/* No id up to and including `session` will be given out: sessions that were found alive count, whatever the database
 * says. */
int store_session_seen(struct store *s, uint64_t session);

#define STORE_SECRET_BYTES 32
/* This host's secret: random, made when it is first asked for, the same from then on. 0 or negative errno. */
int store_secret(struct store *s, uint8_t out[STORE_SECRET_BYTES]);

int store_bucket_put(struct store *s, const struct store_bucket *b);
int store_bucket_delete(struct store *s, const char *key); /* NULL: all */
/* Call `each` for every bucket. */
int store_buckets(struct store *s, void (*each)(void *user, const struct store_bucket *b), void *user);

/* Replaces the session's earlier cookie. */
int store_cookie_put(struct store *s, const struct store_cookie *c);
/* Take: the record is deleted before it is returned (one use). 0, -ENOENT, or another negative errno (then nobody gets
 * it). */
int store_cookie_take(struct store *s, uint32_t logon_id, struct store_cookie *out);
int store_cookie_delete_session(struct store *s, uint64_t session);
/* Delete all of other boots and all that expired. */
int store_cookie_prune(struct store *s, const char *boot, uint64_t now_ms);

#endif
