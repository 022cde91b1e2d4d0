/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A certificate chain with its private key, as oriel-keys holds it: read from files, or made on the first start. */
#ifndef ORIEL_COMMON_KEYS_PAIR_H
#define ORIEL_COMMON_KEYS_PAIR_H

#include "common/keys_proto.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pair;

/* Read both files. NULL with `why` (512 bytes) naming the file and what is wrong with it: unreadable, no certificate,
 * an encrypted or unsupported key, a key that does not belong to the certificate, a chain over KEYS_CHAIN_BYTES. */
struct pair *pair_load(const char *certificate, const char *key, char *why, size_t cap);
/* Make a self-signed P-256 certificate for this host (SAN: its name and localhost; ten years) and write both files
 * whole or not at all, the key with mode 0600. P-256 because its signatures cost a twentieth of RSA-2048's and every
 * client that speaks TLS 1.2 takes them. 0 or negative errno with `why`. */
int pair_generate(const char *certificate, const char *key, char *why, size_t cap);
/* Such a pair that is written nowhere and trusted by nobody: for a check of this machine. NULL with `why`. */
struct pair *pair_temporary(char *why, size_t cap);
/* Counted: links that were given a chain keep its key until they close, so that a reload breaks no handshake. */
struct pair *pair_ref(struct pair *p);
void pair_unref(struct pair *p);
/* PEM, leaf first. */
const char *pair_chain(const struct pair *p, size_t *len);
/* One private operation. 0; -EINVAL: wrong operation or size for this key; -EIO: OpenSSL failed. */
int pair_sign(const struct pair *p, enum keys_op op, const uint8_t *digest, size_t len, uint8_t *out, uint32_t *outlen);
/* "SHA256:…" of the leaf, its subject and its last day, for the log. */
void pair_describe(const struct pair *p, char *fingerprint, size_t fcap, char *subject, size_t scap, char *until,
    size_t ucap);
/* Days until the leaf ends; negative: it has. */
int pair_days_left(const struct pair *p);

#endif
