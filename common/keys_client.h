/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TLS side of a link to oriel-keys: a certificate chain, and a private key that is not here.
 *
 * The EVP_PKEY holds the public numbers; each private operation asks the link and waits, with a deadline, for the
 * answer. It signs only: there is no decryption, so TLS must be limited to (EC)DHE suites, which OpenSSL's defaults at
 * security level 2 are once kRSA is excluded. Thread: any, one at a time. Works inside SANDBOX_PEER. */
#ifndef ORIEL_COMMON_KEYS_CLIENT_H
#define ORIEL_COMMON_KEYS_CLIENT_H

#include <openssl/ssl.h>

struct keys_client;

/* A signature takes a millisecond; five seconds say that oriel-keys is gone or drowned */
#define KEYS_WAIT_MS 5000

/* Ask `fd` (blocking or not, SOCK_SEQPACKET; now the object's) for the chain and build the key. On failure returns NULL
 * with *err a negative errno (-ETIMEDOUT, -EPIPE: refused or dead, -EPROTO, -EINVAL: not a certificate we can serve);
 * fd is closed. */
struct keys_client *keys_client_create(int fd, int wait_ms, int *err);
void keys_client_destroy(struct keys_client *k);
/* The chain as PEM, leaf first, NUL-terminated; lives as long as the object. */
const char *keys_client_chain(const struct keys_client *k);
/* The leaf and the key; borrowed. A context may hold the key longer than the object lives; then it signs no more. */
X509 *keys_client_certificate(const struct keys_client *k);
EVP_PKEY *keys_client_key(const struct keys_client *k);
/* Give leaf, chain and key to a context. 0 or -EINVAL. */
int keys_client_use(const struct keys_client *k, SSL_CTX *ctx);

#endif
