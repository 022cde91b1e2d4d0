/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What people and their clients give as a name, and where they come from. For monitor and leader; nothing here asks the
 * name service. */
#ifndef ORIEL_SESSION_NAMES_H
#define ORIEL_SESSION_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define PREFIX_BYTES 64 /* "2001:db8:1::/48" and room */
/* LOGIN_NAME_MAX, with its NUL; a domain is shorter: 253 bytes in DNS (RFC 1035, 2.3.4), 15 in NetBIOS */
#define NAME_BYTES 256

/* A name in its parts, as somebody gave it. */
struct name {
    char user[NAME_BYTES];   /* never empty, never with a backslash */
    char domain[NAME_BYTES]; /* "": none */
    bool at;                 /* it was given as user@domain */
};

/* Take "user", "DOMAIN\user" or "user@domain" apart, with blanks around it. `domain` is what came beside the name
 * (Client Info), "" when nothing did; it counts where the name has no domain of its own. "." means no domain. Returns
 * 0, or -EINVAL: empty, over-long, or with characters that no account's name has (control characters, '/', ':', a
 * leading '-'). Never says anything about whether the account exists. */
int name_parse(const char *typed, const char *domain, struct name *out);
/* The other way: the name in the form it was given in. -EINVAL: longer than `cap`. */
int name_text(const struct name *n, char *out, size_t cap);
/* Whether `domain` means the machine called `host`: its name in full, its first label, or what NetBIOS leaves of that
 * (15 bytes). Where `host` has only one label, any domain that begins with it and a dot. Upper and lower case are the
 * same. An empty one means none. */
bool name_is_machine(const char *domain, const char *host);
/* What attempts are counted by: the user without any domain, in lower case, so that no spelling of an account has a
 * count of its own. It is made of the text alone: whether there is such an account must not show in who is refused. */
void name_key(const char *user, char out[NAME_BYTES]);
/* The source prefix of a numeric address: /24 of IPv4 (also when mapped into IPv6), /48 of IPv6. Anything else: itself,
 * as one source. */
void name_source_prefix(const char *address, char out[PREFIX_BYTES]);

#endif
