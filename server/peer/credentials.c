/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/credentials.h"

#include "common/secret.h"

void credentials_wipe(struct credentials *c)
{
    secret_wipe(c->password, sizeof c->password);
    secret_wipe(c->verifier, sizeof c->verifier);
    c->npassword = 0;
    c->have_password = c->have_cookie = false;
}
