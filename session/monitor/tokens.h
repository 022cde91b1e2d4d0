/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lets a client come back: the automatic reconnection cookie (MS-RDPBCGR 5.5), one use, kept only as a hash. And
 * what lets it show what it kept: the salt of its cache's keys. */
#ifndef ORIEL_SESSION_MONITOR_TOKENS_H
#define ORIEL_SESSION_MONITOR_TOKENS_H

#include "session/proto/peer.h"
#include "session/store.h"

#include <stddef.h>
#include <stdint.h>

/* A client that was cut yesterday types its password */
#define COOKIE_LIFE_MS (24ull * 3600 * 1000)
/* AUTH_RECONNECT_COOKIE: u32 logon id (LE), 16 byte security verifier */
#define COOKIE_SECRET_BYTES 20

/* HMAC-MD5(key = random, data = 32 zero bytes): what the client computes. Under TLS the client random of the handshake
 * that the standard hashes is 32 zero bytes (MS-RDPBCGR 5.5). Returns 0 or -EIO. */
int cookie_verifier(const uint8_t random[TOKEN_BYTES], uint8_t out[16]);
/* Mint one for `session` of `user`; any earlier one of that session is void. *out goes to the client and is stored
 * nowhere. */
int cookie_mint(struct store *s, uint64_t session, const char *user, const char *boot, uint64_t now_ms,
    struct peer_cookie *out);
/* Redeem: 0 and the session and user it was bound to; -EACCES: none such, used, expired, another boot's, or the
 * verifier is wrong. Shown once, it is gone, right or wrong. */
int cookie_redeem(struct store *s, const uint8_t *secret, size_t nsecret, const char *boot, uint64_t now_ms,
    struct store_cookie *out);

/* The secret that keys what clients of this user keep of this host: HMAC-SHA256 of the uid by the host's secret. 0, or
 * negative errno: there is none. */
int cache_salt(struct store *s, uint32_t uid, uint8_t out[CACHE_SALT_LENGTH]);

#endif
