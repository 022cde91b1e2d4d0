/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Peer (or gateway worker) ↔ oriel-keys: RUN_DIR/keys/keys.sock. oriel-server connects once per peer and passes the
 * connected socket down; oriel-keys checks the connecting uid and allows KEYS_SIGNS_PER_LINK signatures on each. */
#ifndef ORIEL_COMMON_KEYS_PROTO_H
#define ORIEL_COMMON_KEYS_PROTO_H

#include "common/wire.h"

/* A connection has one handshake; afterwards, while libfreerdp parses, nothing is left to sign with */
#define KEYS_SIGNS_PER_LINK 1
/* Leaf and four intermediates with RSA-4096 keys are under 12 KiB of DER */
#define KEYS_CHAIN_BYTES 32768
#define KEYS_DIGEST_BYTES 512 /* an RSA-4096 block, already padded by OpenSSL */
#define KEYS_SIGNATURE_BYTES 512

/* Link → keys */
struct keys_get_chain {
    uint8_t unused;
};
enum keys_op { KEYS_RSA_RAW = 1, KEYS_ECDSA, KEYS_OP_MAX = KEYS_ECDSA };
struct keys_sign {
    uint8_t op; /* must match the key's type */
    uint32_t ndigest;
    uint8_t digest[KEYS_DIGEST_BYTES]; /* RSA_RAW: padded block of the modulus' size; ECDSA: the digest */
};
extern const struct wire_proto link_to_keys;
extern const struct wire_def keys_get_chain_def, keys_sign_def;

/* keys → link */
struct keys_chain {
    uint32_t nchain;
    uint8_t chain[KEYS_CHAIN_BYTES]; /* PEM certificates, leaf first */
};
struct keys_signature {
    uint8_t refused; /* 1: rate limit, wrong operation or size */
    uint32_t nsignature;
    uint8_t signature[KEYS_SIGNATURE_BYTES]; /* RSA: big-endian block; ECDSA: DER */
};
extern const struct wire_proto keys_to_link;
extern const struct wire_def keys_chain_def, keys_signature_def;

#endif
