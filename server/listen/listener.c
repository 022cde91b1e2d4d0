/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/clock.h"
#include "common/log.h"
#include "common/loop.h"
#include "server/listen/daemon.h"
#include "session/proto/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 512

static void on_refused_due(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;
    if (d->refused)
        log_warning("connections refused", "more=%u", d->refused);
    d->refused = 0;
}

static void refuse(struct daemon *d, const char *address, enum admission_answer why)
{
    if (evtimer_pending(d->refused_ev, NULL)) {
        d->refused++;
        return;
    }
    log_warning("connection refused", "address=%s reason=%s", address, admission_text(why));
    (void)loop_arm_s(d->refused_ev, 1);
}

static void set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof value);
}

static void tune(const struct daemon *d, int fd)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)d->config.server_tcp_user_timeout * 1000);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)d->config.server_tcp_user_timeout / 2 + 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int len, void *user)
{
    struct daemon *d = user;
    char address[ADDRESS_BYTES] = "", port[8] = "0";
    struct admission_limits limits = daemon_limits(d);
    struct admission_source *source = NULL;
    (void)getnameinfo(from, (socklen_t)len, address, sizeof address, port, sizeof port,
        NI_NUMERICHOST | NI_NUMERICSERV);
    enum admission_answer a = admission_enter(d->admission, &limits, from, clock_s(), &source);
    if (a != ADMISSION_OK) {
        refuse(d, address, a);
        close(fd);
        return;
    }
    tune(d, fd);
    connection_add(d, fd, PEER_FRONT_END_RDP, address, (uint16_t)strtoul(port, NULL, 10), source);
}

/* Out of descriptors or memory: libevent would spin. */
static void on_accept_error(struct evconnlistener *l, void *user)
{
    log_error("accept failed", "error=%s", strerror(errno));
    usleep(10000);
}

/* The account whose process listens on `port`, from the kernel's table: "" when it cannot be seen. */
static void holder_of(uint16_t port, char *out, size_t cap)
{
    static const char *const tables[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    char line[512];
    out[0] = 0;
    for (size_t i = 0; i < 2 && !out[0]; i++) {
        FILE *f = fopen(tables[i], "re");
        while (f && fgets(line, sizeof line, f)) {
            unsigned at = 0, state = 0, uid = 0;
            int n =
                sscanf(line, "%*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %u", &at, &state, &uid);
            if (n != 3 || at != port || state != 0x0a)
                continue;
            struct passwd *pw = getpwuid(uid);
            (void)snprintf(out, cap, "%s", pw ? pw->pw_name : "an unknown account");
        }
        if (f)
            fclose(f);
    }
}

static int open_socket(const struct addrinfo *ai, uint16_t port)
{
    struct sockaddr_storage ss = {0};
    memcpy(&ss, ai->ai_addr, ai->ai_addrlen);
    if (ss.ss_family == AF_INET)
        ((struct sockaddr_in *)&ss)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)&ss)->sin6_port = htons(port);
    int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (ai->ai_family == AF_INET6)
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (bind(fd, (struct sockaddr *)&ss, ai->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
        int e = -errno;
        close(fd);
        return e;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
        return 0;
    return ntohs(
        ss.ss_family == AF_INET ? ((struct sockaddr_in *)&ss)->sin_port : ((struct sockaddr_in6 *)&ss)->sin6_port);
}

static void say_failed(const struct daemon *d, const char *address, int err)
{
    char holder[128];
    if (err == -EADDRINUSE) {
        holder_of(d->port, holder, sizeof holder);
        log_error("port in use", "address=%s port=%u holder=%s advice=%s", address, d->port,
            holder[0] ? holder : "unknown", "stop it, or set server.port; `ss -ltnp` as root names the process");
    } else
        log_error("cannot listen", "address=%s port=%u error=%s", address, d->port, strerror(-err));
}

static int open_address(struct daemon *d, const char *address)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *ai = NULL;
    if (d->nlisteners == LISTENERS_MAX)
        return -E2BIG;
    if (getaddrinfo(address, NULL, &hints, &ai) != 0) {
        log_error("no such address", "server.listen=%s advice=%s", address, "numeric addresses only");
        return -EINVAL;
    }
    int fd = open_socket(ai, d->port);
    freeaddrinfo(ai);
    /* "127.0.0.1 ::1" is the default, and machines without IPv6 exist. */
    if ((fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT) && strchr(address, ':') && d->nlisteners) {
        log_warning("address left out", "address=%s error=%s", address, strerror(-fd));
        return 0;
    }
    if (fd < 0) {
        say_failed(d, address, fd);
        return fd;
    }
    d->port = port_of(fd);
    struct evconnlistener *l =
        evconnlistener_new(d->base, on_accept, d, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (!l) {
        close(fd);
        return -ENOMEM;
    }
    evconnlistener_set_error_cb(l, on_accept_error);
    d->listeners[d->nlisteners++] = l;
    log_info("listening", "address=%s port=%u", address, d->port);
    return 0;
}

/* For people and tests: with port 0 nobody else knows it. */
static int write_port(const struct daemon *d)
{
    char path[CONFIG_STRING_MAX];
    int r = config_run_path(&d->config, "port", path, sizeof path);
    FILE *f = r < 0 ? NULL : fopen(path, "we");
    if (!f) {
        log_warning("port not written", "path=%s error=%s", path, strerror(errno));
        return 0;
    }
    fprintf(f, "%u\n", d->port);
    return fclose(f) == 0 ? 0 : -errno;
}

int listeners_open(struct daemon *d)
{
    char list[CONFIG_STRING_MAX], *save = NULL;
    d->port = (uint16_t)d->config.server_port;
    d->refused_ev = evtimer_new(d->base, on_refused_due, d);
    if (!d->refused_ev)
        return -ENOMEM;
    (void)snprintf(list, sizeof list, "%s", d->config.server_listen);
    for (char *a = strtok_r(list, " \t", &save); a; a = strtok_r(NULL, " \t", &save)) {
        int r = open_address(d, a);
        if (r < 0)
            return r;
    }
    if (d->nlisteners == 0) {
        log_error("nothing to listen on", "server.listen=%s", d->config.server_listen);
        return -EINVAL;
    }
    return write_port(d);
}

void listeners_close(struct daemon *d)
{
    for (size_t i = 0; i < d->nlisteners; i++)
        evconnlistener_free(d->listeners[i]);
    d->nlisteners = 0;
    if (d->refused_ev)
        event_free(d->refused_ev);
    d->refused_ev = NULL;
}
