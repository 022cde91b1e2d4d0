/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/monitor/offers.h"

#include "session/desktops.h"
#include "session/leader/env.h"

#include <stdio.h>
#include <string.h>

void offers_fill(struct logon_start *m)
{
    struct desktop_list list;
    struct env_list locale = {0};
    if (env_load_locale(&locale, "/etc/default/locale") < 0)
        (void)env_load_locale(&locale, "/etc/locale.conf");
    const char *messages = env_get(&locale, "LC_MESSAGES"), *lang = messages ? messages : env_get(&locale, "LANG");
    m->ndesktops = 0;
    if (desktop_list("", lang ? lang : "", &list) == 0 && list.n > 1)
        for (size_t i = 0; i < list.n; i++) {
            struct desktop_offer *o = &m->desktops[m->ndesktops++];
            memcpy(o->id, list.v[i].id, sizeof o->id);
            memcpy(o->name, list.v[i].name, sizeof o->name);
        }
    desktop_list_finish(&list);
    env_finish(&locale);
}

bool offers_has(const char *desktop)
{
    struct desktop_entry e;
    return !desktop[0] || !strcmp(desktop, DESKTOP_DEFAULT) || desktop_find("", desktop, "", &e) == 0;
}
