/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/tokens.h"

#include "common/secret.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

int cookie_verifier(const uint8_t random[TOKEN_BYTES], uint8_t out[16])
{
    static const uint8_t client_random[32];
    unsigned len = 0;
    if (!HMAC(EVP_md5(), random, TOKEN_BYTES, client_random, sizeof client_random, out, &len) || len != 16)
        return -EIO;
    return 0;
}

int cookie_mint(struct store *s, uint64_t session, const char *user, const char *boot, uint64_t now_ms,
    struct peer_cookie *out)
{
    struct store_cookie c = {.session = session, .expires_ms = now_ms + COOKIE_LIFE_MS};
    uint8_t verifier[16];
    *out = (struct peer_cookie){.nrandom = TOKEN_BYTES};
    secret_random(&out->logon_id, sizeof out->logon_id);
    secret_random(out->random, TOKEN_BYTES);
    int r = cookie_verifier(out->random, verifier);
    if (r < 0)
        return r;
    secret_sha256(verifier, sizeof verifier, c.hash);
    secret_wipe(verifier, sizeof verifier);
    c.logon_id = out->logon_id;
    snprintf(c.user, sizeof c.user, "%s", user);
    snprintf(c.boot, sizeof c.boot, "%s", boot);
    return store_cookie_put(s, &c);
}

int cookie_redeem(struct store *s, const uint8_t *secret, size_t nsecret, const char *boot, uint64_t now_ms,
    struct store_cookie *out)
{
    struct rd r;
    uint8_t hash[HASH_BYTES];
    rd_init(&r, secret, nsecret);
    uint32_t logon_id = rd_u32(&r);
    const uint8_t *verifier = rd_bytes(&r, 16);
    if (r.bad || r.left || !verifier)
        return -EACCES;
    int e = store_cookie_take(s, logon_id, out);
    if (e < 0)
        return e == -ENOENT ? -EACCES : e;
    secret_sha256(verifier, 16, hash);
    if (!secret_equal(hash, out->hash, sizeof hash) || strcmp(out->boot, boot) != 0 || now_ms >= out->expires_ms)
        return -EACCES;
    return 0;
}

int cache_salt(struct store *s, uint32_t uid, uint8_t out[CACHE_SALT_LENGTH])
{
    static const char purpose[] = "oriel cache keys"; /* and its end: what follows is the uid */
    uint8_t secret[STORE_SECRET_BYTES], mac[HASH_BYTES], text[sizeof purpose + 4];
    unsigned len = 0;
    int r = store_secret(s, secret);
    if (r < 0)
        return r;
    memcpy(text, purpose, sizeof purpose);
    for (unsigned i = 0; i < 4; i++)
        text[sizeof purpose + i] = (uint8_t)(uid >> 8 * i);
    bool ok = HMAC(EVP_sha256(), secret, sizeof secret, text, sizeof text, mac, &len) && len == sizeof mac;
    memcpy(out, mac, ok ? CACHE_SALT_LENGTH : 0);
    secret_wipe(secret, sizeof secret);
    secret_wipe(mac, sizeof mac);
    return ok ? 0 : -EIO;
}
