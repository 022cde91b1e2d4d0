/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/record.h"

#include "common/clock.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <utmpx.h>

/* A new record, with the display as its line: ":10". The fields are fixed arrays that need no terminator. */
static struct utmpx new_record(short type, unsigned display, pid_t leader)
{
    struct utmpx u = {.ut_type = type, .ut_pid = leader};
    char line[16], id[16];
    int64_t now = clock_wall_ms();
    u.ut_tv.tv_sec = (int32_t)(now / 1000);
    u.ut_tv.tv_usec = (int32_t)(now % 1000 * 1000);
    snprintf(line, sizeof line, ":%u", display);
    snprintf(id, sizeof id, "o%03x", display & 0xfff);
    memcpy(u.ut_line, line, strlen(line));
    memcpy(u.ut_id, id, sizeof u.ut_id);
    return u;
}

static void write_record(const struct utmpx *u)
{
    setutxent();
    (void)pututxline(u);
    endutxent();
    updwtmpx("/var/log/wtmp", u);
}

static void set_address(struct utmpx *u, const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        memcpy(u->ut_addr_v6, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, host, &v6) == 1)
        memcpy(u->ut_addr_v6, &v6, sizeof v6);
}

void record_login(const char *user, unsigned display, const char *host, pid_t leader)
{
    struct utmpx u = new_record(USER_PROCESS, display, leader);
    memcpy(u.ut_user, user, strnlen(user, sizeof u.ut_user));
    memcpy(u.ut_host, host, strnlen(host, sizeof u.ut_host));
    set_address(&u, host);
    write_record(&u);
}

void record_logout(unsigned display, pid_t leader)
{
    struct utmpx u = new_record(DEAD_PROCESS, display, leader);
    write_record(&u);
}
