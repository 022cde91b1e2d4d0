/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answering links: chain and signatures, nothing else. */
#ifndef ORIEL_COMMON_KEYS_SERVE_H
#define ORIEL_COMMON_KEYS_SERVE_H

#include "common/keys/pair.h"

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct keys_server;

/* `per_minute`: signatures, all links together; a burst of a tenth of it, at least ten, is let through at once.
 * `links_max`: links open at the same time. Takes a reference to the pair. NULL when memory is short. */
struct keys_server *keys_server_create(struct event_base *base, struct pair *pair, unsigned per_minute,
    unsigned links_max);
void keys_server_destroy(struct keys_server *s);
/* Serve one connected link (the server's now). 0; -EMFILE: too many, closed; or another negative errno, closed. */
int keys_server_add(struct keys_server *s, int fd);
/* Later links get this pair; earlier ones keep theirs. */
void keys_server_set_pair(struct keys_server *s, struct pair *pair);
void keys_server_set_rate(struct keys_server *s, unsigned per_minute);
size_t keys_server_links(const struct keys_server *s);

#endif
