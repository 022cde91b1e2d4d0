/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A leader without PAM and without a display, for tests of the monitor. Who it is asked for decides what it does:
 *   password "right" is right; "locked" has an invalid account, "lapses" when it comes back by cookie;
 *   "outsider" is in no allowed group; "otp" is asked for the code 123456; "dies" ends before its verdict;
 *   "liar" speaks out of turn; "fails" cannot start a session; "forger" gives a wrong key in its hello; "root0" has uid
 * 0; "old" serves nothing but the display; "sleeps" never answers; "slow" never gets its display up; "stubborn" does
 * not log off; "alias" is another name of "anna"; anybody in WERK is known as WERK\name, where only "anna" has a
 * password, "werk". */
#include "common/config.h"
#include "common/sockets.h"
#include "common/spawn.h"
#include "session/proto/leader.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIFETIME_S 120 /* nothing of a test outlives it by more */

static struct config config;
static int monitor = FD_LEADER_MONITOR, listener = -1;
static struct leader_auth who;
static struct leader_hello hello;
static int displays[CLIENTS_MAX];
static int service_link = -1; /* the last one that was granted */
static struct service_grant service;
static union {
    struct leader_auth a;
    struct leader_answers b;
    struct leader_refresh c;
    struct leader_start d;
    struct leader_attach e;
    struct leader_detach f;
    struct leader_logoff g;
    struct leader_notice h;
    struct leader_service i;
    char align[16];
} msg __attribute__((aligned(16)));

static uint32_t uid_of(const char *user)
{
    uint32_t uid = 200000;
    if (strcmp(user, "root0") == 0)
        return 0;
    if (strcmp(user, "daemon") == 0)
        return 1; /* an account every system has, with a group of its own: Debian's base-passwd */
    for (; *user; user++)
        uid = uid * 31 % 1000003 + (unsigned char)*user;
    return uid + 200000;
}

static void say(const struct wire_def *def, const void *m)
{
    if (monitor >= 0)
        (void)wire_send(monitor, def, m, NULL);
}

static const struct wire_def *hear(int *fd)
{
    const struct wire_def *def = NULL;
    int fds[WIRE_FDS_MAX] = {-1, -1, -1, -1};
    int r = wire_recv(monitor, &monitor_to_leader, &def, &msg, fds, -1);
    *fd = fds[0];
    return r < 0 ? NULL : def;
}

static void verdict(enum refuse_reason reason, const char *text)
{
    struct leader_verdict v = {.reason = (uint8_t)reason, .uid = uid_of(who.user), .gid = uid_of(who.user)};
    snprintf(v.user, sizeof v.user, "%.200s", who.user);
    snprintf(v.text, sizeof v.text, "%s", text);
    say(&leader_verdict_def, &v);
}

static bool ask_code(void)
{
    int fd;
    struct leader_conv c = {.nprompts = 1, .prompts = {{.style = 1, .text = "Code: "}}};
    say(&leader_conv_def, &c);
    const struct wire_def *def = hear(&fd);
    if (def != &leader_answers_def || msg.b.nanswers != 1)
        exit(1);
    return strcmp(msg.b.answers[0].text, "123456") == 0;
}

static void authenticate(void)
{
    bool werk = strncmp(who.user, "WERK\\", 5) == 0;
    bool right = who.trusted || (who.nsecret == 5 && memcmp(who.secret, "right", 5) == 0 && !werk) ||
        (werk && who.nsecret == 4 && memcmp(who.secret, "werk", 4) == 0 && strcmp(who.user, "WERK\\anna") == 0);
    if (strcmp(who.user, "dies") == 0)
        exit(1);
    if (strcmp(who.user, "sleeps") == 0)
        exit(hear(&(int){0}) != NULL);
    if (strcmp(who.user, "liar") == 0)
        say(&leader_hello_def, &hello);
    if (right && strcmp(who.user, "otp") == 0 && !who.trusted) {
        if (!who.interactive) {
            verdict(REFUSE_CONVERSATION, "");
            return;
        }
        right = ask_code();
    }
    if (right && strcmp(who.user, "outsider") == 0)
        verdict(REFUSE_POLICY, "never shown");
    else if (right && (strcmp(who.user, "locked") == 0 || (strcmp(who.user, "lapses") == 0 && who.trusted)))
        verdict(REFUSE_ACCOUNT, "The account has expired.");
    else
        verdict(right ? REFUSE_NONE : REFUSE_CREDENTIALS, "never shown");
}

static void become_leader(void)
{
    char name[64], path[256];
    if (strcmp(who.user, "fails") == 0) {
        struct leader_failed f = {.text = "Xorg: no screens found"};
        say(&leader_failed_def, &f);
        exit(1);
    }
    if (strcmp(who.user, "slow") == 0)
        exit(hear(&(int){0}) != &leader_logoff_def);
    snprintf(name, sizeof name, "leaders/%llu.sock", (unsigned long long)msg.d.session);
    if (config_run_path(&config, name, path, sizeof path) < 0 ||
        (listener = sockets_listen(path, 0600, (gid_t)-1, 4)) < 0)
        exit(1);
    hello = (struct leader_hello){.session = msg.d.session,
        .uid = uid_of(who.user),
        .gid = uid_of(who.user),
        .since = 1700000000,
        .display = 4000,
        .leader_pid = getpid(),
        .services = strcmp(who.user, "old") == 0 ? SERVICE_BIT(SERVICE_DISPLAY) : UINT32_MAX,
        .nenv = 1,
        .env = {{"KRB5CCNAME=FILE:/tmp/none"}}};
    snprintf(hello.user, sizeof hello.user, "%.200s", who.user);
    snprintf(hello.key, sizeof hello.key, "%s",
        strcmp(who.user, "forger") == 0 ? "00000000000000000000000000000000" : msg.d.key);
    snprintf(hello.xauthority, sizeof hello.xauthority, "/run/user/x/Xauthority");
    say(&leader_hello_def, &hello);
}

static void drop_client(uint32_t i)
{
    close(displays[i]);
    hello.nclients--;
    memmove(&hello.clients[i], &hello.clients[i + 1], (hello.nclients - i) * sizeof hello.clients[0]);
    memmove(&displays[i], &displays[i + 1], (hello.nclients - i) * sizeof displays[0]);
}

static void attach(const struct leader_attach *a, int fd)
{
    char greeting[64];
    struct leader_client_state s = {
        .client =
            {.client = a->client, .role = a->role, .width = 800, .height = 600, .nmonitors = 1, .nhash = a->nhash}};
    memcpy(s.client.token_hash, a->token_hash, a->nhash);
    snprintf(s.client.address, sizeof s.client.address, "%s", a->address);
    snprintf(s.client.client_name, sizeof s.client.client_name, "%s", a->client_name);
    if (hello.nclients == CLIENTS_MAX)
        exit(1);
    displays[hello.nclients] = fd;
    hello.clients[hello.nclients++] = s.client;
    int n = snprintf(greeting, sizeof greeting, "session %llu", (unsigned long long)hello.session);
    (void)!write(fd, greeting, (size_t)n);
    say(&leader_client_state_def, &s);
}

static void serve_client(const struct service_grant *g, int fd)
{
    char greeting[64];
    if (service_link >= 0)
        close(service_link);
    service_link = fd;
    service = *g;
    int n = snprintf(greeting, sizeof greeting, "service %u client %u", g->service, g->client);
    (void)!write(fd, greeting, (size_t)n);
}

static void end_service(bool for_good)
{
    struct leader_service_gone g = {.client = service.client, .service = service.service, .for_good = for_good};
    if (service_link >= 0)
        close(service_link);
    service_link = -1;
    say(&leader_service_gone_def, &g);
}

static void obey(void)
{
    int fd;
    struct leader_ended ended = {.cause = END_NONE};
    const struct wire_def *def = hear(&fd);
    if (!def) {
        close(monitor);
        monitor = -1;
    } else if (def == &leader_attach_def) {
        attach(&msg.e, fd);
    } else if (def == &leader_detach_def) {
        for (uint32_t i = 0; i < hello.nclients; i++)
            if (hello.clients[i].client == msg.f.client)
                drop_client(i);
    } else if (def == &leader_service_def) {
        serve_client(&msg.i.grant, fd);
    } else if (def == &leader_notice_def) {
        close(fd);
        for (uint32_t i = 0; i < hello.nclients; i++)
            (void)!write(displays[i], "notice", 6);
    } else if (def == &leader_logoff_def && strcmp(who.user, "stubborn") == 0) {
        return;
    } else if (def == &leader_logoff_def) {
        ended.cause = msg.g.cause;
        say(&leader_ended_def, &ended);
        exit(0);
    } else {
        exit(1);
    }
}

static void look_at_displays(const struct pollfd *p)
{
    for (uint32_t i = hello.nclients; i-- > 0;) {
        if (!p[i].revents)
            continue;
        struct leader_client_gone g = {.client = hello.clients[i].client};
        char text[16] = "";
        ssize_t n = read(displays[i], text, sizeof text - 1);
        if (n > 0 && strcmp(text, "logoff") == 0) {
            struct leader_ended e = {.cause = END_USER_LOGOFF};
            say(&leader_ended_def, &e);
            exit(0);
        }
        if (n > 0 && strcmp(text, "idle") == 0) {
            struct leader_idle idle = {.seconds = 1};
            say(&leader_idle_def, &idle);
        }
        if (n > 0 && strncmp(text, "die", 3) == 0)
            end_service(strcmp(text, "die for good") == 0);
        if (n > 0)
            continue;
        drop_client(i);
        say(&leader_client_gone_def, &g);
    }
}

static void serve(void)
{
    for (;;) {
        struct pollfd p[2 + CLIENTS_MAX] = {{listener, POLLIN, 0}, {monitor, POLLIN, 0}};
        uint32_t n = hello.nclients;
        for (uint32_t i = 0; i < n; i++)
            p[2 + i] = (struct pollfd){displays[i], POLLIN, 0};
        if (poll(p, 2 + n, -1) < 0)
            exit(1);
        look_at_displays(p + 2);
        if (p[1].revents)
            obey();
        if (p[0].revents) {
            struct ucred other;
            monitor = sockets_accept(listener, &other);
            say(&leader_hello_def, &hello);
        }
    }
}

static void be_called(const char *name)
{
    int fd;
    struct leader_name n = {0};
    snprintf(n.user, sizeof n.user, "%s", name);
    say(&leader_name_def, &n);
    if (hear(&fd) != &leader_go_def)
        exit(1);
    snprintf(who.user, sizeof who.user, "%s", name);
}

int main(int argc, char **argv)
{
    struct config_error err;
    int fd;
    alarm(LIFETIME_S);
    signal(SIGPIPE, SIG_IGN);
    if (argc != 3 || config_load(&config, argv[2], &err) < 0 || hear(&fd) != &leader_auth_def)
        return 1;
    who = msg.a;
    if (strncmp(who.user, "CORP\\", 5) == 0) /* as the name service of a machine that knows no such domain */
        memmove(who.user, who.user + 5, sizeof who.user - 5);
    if (strcmp(who.user, "alias") == 0)
        be_called("anna");
    authenticate();
    const struct wire_def *def = hear(&fd);
    if (def == &leader_refresh_def) {
        struct leader_refreshed r = {0};
        say(&leader_refreshed_def, &r);
        return 0;
    }
    if (def != &leader_start_def)
        return 0;
    become_leader();
    serve();
}
