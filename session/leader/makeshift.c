/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/makeshift.h"

#include "common/log.h"
#include "session/leader/child.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REMOVE_MS 1000

static bool is_the_users(const char *path, uid_t uid)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid && (st.st_mode & 077) == 0;
}

void makeshift_begin(struct makeshift *m, pam_handle_t *pamh, const struct account *who)
{
    char variable[96], path[64];
    *m = (struct makeshift){0};
    snprintf(path, sizeof path, "/run/user/%u", (unsigned)who->uid);
    if (!is_the_users(path, who->uid)) {
        snprintf(path, sizeof path, "/run/oriel-change.XXXXXX"); /* /run: no user can make names there */
        if (!mkdtemp(path) || lchown(path, who->uid, who->gid) < 0) {
            log_warning("no folder for a password change", "%s; a keyring keeps the old password", strerror(errno));
            return;
        }
        snprintf(m->made, sizeof m->made, "%s", path);
    }
    snprintf(variable, sizeof variable, "XDG_RUNTIME_DIR=%s", path);
    (void)pam_putenv(pamh, variable);
}

void makeshift_end(struct makeshift *m, pam_handle_t *pamh, const struct account *who)
{
    (void)pam_putenv(pamh, "XDG_RUNTIME_DIR"); /* without "=": taken out */
    if (!m->made[0])
        return;
    (void)child_remove_tree(who, m->made, REMOVE_MS); /* what is in it; the folder itself is root's to remove */
    (void)rmdir(m->made);
    m->made[0] = 0;
}
