/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory for what is typed: whole pages of their own, locked against swapping, left out of core dumps, gone in forked
 * children, wiped when freed. */
#ifndef ORIEL_SESSION_LOGON_VAULT_H
#define ORIEL_SESSION_LOGON_VAULT_H

#include <stddef.h>

/* `len` zeroed bytes, or NULL with errno. A refused lock (RLIMIT_MEMLOCK) is logged and not an error: the rest still
 * holds. */
void *vault_alloc(size_t len);
/* Wipe and give back. `len` as allocated. NULL is fine. */
void vault_free(void *p, size_t len);

#endif
