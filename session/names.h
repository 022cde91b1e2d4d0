/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people type as their name, and where they come from. For monitor and leader; nothing here asks the name service. */
#ifndef ORIEL_SESSION_NAMES_H
#define ORIEL_SESSION_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define PREFIX_BYTES 64 /* "2001:db8:1::/48" and room */

/* Make an account's name of "user", "DOMAIN\user" or "user@domain", with blanks around it. `exists` says whether an account has
 * that very name: domain-joined machines know "DOMAIN\user" or "user@domain" as names, and those win over the stripped form. NULL:
 * always strip. Returns 0;
 * -EINVAL: empty, over-long, or with characters that no account's name has (control characters, '/', ':', a leading '-').
 * Never says anything about whether the account exists. */
int name_normalise(const char *typed, bool (*exists)(const char *name), char *out, size_t cap);
/* The same without any domain being taken away: just the blanks. */
int name_trim(const char *typed, char *out, size_t cap);
/* The source prefix of a numeric address: /24 of IPv4 (also when mapped into IPv6), /48 of IPv6. Anything else: itself, as one source. */
void name_source_prefix(const char *address, char out[PREFIX_BYTES]);

#endif
