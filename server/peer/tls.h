/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peer's TLS policy. Chain and key come from oriel-keys (common/keys_client.h). */
#ifndef ORIEL_SERVER_PEER_TLS_H
#define ORIEL_SERVER_PEER_TLS_H

#include "common/keys_client.h"

/* `minimum`: index of the option tls.minimum (0: TLS 1.2, 1: TLS 1.3). The key signs while `keys` lives.
 * NULL: failed, logged. Free with SSL_CTX_free. */
SSL_CTX *tls_context_new(const struct keys_client *keys, int minimum);

#endif
