/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/tls.h"

#include "common/log.h"

#include <openssl/err.h>
#include <stdbool.h>

/* Forward secrecy and authenticated encryption only; kRSA would ask the remote key to decrypt, which it does not do. */
#define SUITES_TLS12 "ECDHE+AESGCM:ECDHE+CHACHA20"
/* Curves only: a finite field of 8192 bits costs a hundred times as much (D(HE)at). The first name is unknown to
 * OpenSSL before 3.5. */
#define GROUPS "X25519:P-256:P-384:P-521:X448"
#define GROUPS_POST_QUANTUM "X25519MLKEM768:" GROUPS
#define READ_AHEAD_BYTES (32 * 1024) /* two records in one recv */

static bool set_groups(SSL_CTX *c)
{
    if (SSL_CTX_set1_groups_list(c, GROUPS_POST_QUANTUM) == 1)
        return true;
    ERR_clear_error();
    return SSL_CTX_set1_groups_list(c, GROUPS) == 1;
}

static bool apply_policy(SSL_CTX *c, int minimum)
{
    SSL_CTX_set_security_level(c, 2);
    SSL_CTX_set_options(c,
        SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
            SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(c, 1);
    SSL_CTX_set_default_read_buffer_len(c, READ_AHEAD_BYTES);
    return SSL_CTX_set_num_tickets(c, 0) == 1 && SSL_CTX_set_cipher_list(c, SUITES_TLS12) == 1 && set_groups(c) &&
        SSL_CTX_set_min_proto_version(c, minimum ? TLS1_3_VERSION : TLS1_2_VERSION) == 1;
}

SSL_CTX *tls_context_new(const struct keys_client *keys, int minimum)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    if (c && apply_policy(c, minimum) && keys_client_use(keys, c) == 0)
        return c;
    log_error("TLS context failed", "error=%s", ERR_reason_error_string(ERR_peek_last_error()));
    SSL_CTX_free(c);
    return NULL;
}
