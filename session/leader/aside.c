/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/aside.h"

#include "common/clock.h"
#include "session/leader/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKING 1 /* a report; what work returned is 0 or negative */

struct aside {
    int sock;
    void *what;
    size_t bytes;
};

static void send_state(const struct aside *a, int32_t state, int fd)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec parts[2] = {{&state, sizeof state}, {a->what, a->bytes}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 2};
    if (fd >= 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    if (sendmsg(a->sock, &m, MSG_NOSIGNAL) < 0)
        _exit(1); /* nobody waits for it any more */
}

void aside_report(struct aside *a, int fd)
{
    send_state(a, WORKING, fd);
}

/* A child that hangs for good must hold nothing of the leader's: its sockets stand for the session. */
static void drop_descriptors(int *sock, const int *keep)
{
    static const int none[3] = {0, 1, 2};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (size_t i = 0; null >= 0 && i < 3; i++)
        (void)dup2(null, none[i]);
    unsigned from = 3;
    for (;;) { /* close what lies between those that stay, upwards */
        unsigned next = ~0U;
        if ((unsigned)*sock >= from)
            next = (unsigned)*sock;
        for (size_t i = 0; i < ASIDE_KEEP_MAX; i++)
            if (keep[i] > 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next)
                next = (unsigned)keep[i];
        if (next > from)
            (void)syscall(SYS_close_range, from, next == ~0U ? next : next - 1, 0);
        if (next == ~0U)
            return;
        from = next + 1;
    }
}

static _Noreturn void run(const struct aside_job *j, int sock, pid_t parent)
{
    struct aside a = {.sock = sock, .what = j->what, .bytes = j->bytes};
    (void)prctl(PR_SET_NAME, "oriel-aside", 0, 0, 0);
    drop_descriptors(&a.sock, j->keep);
    int r = j->who ? child_become(j->who) : 0;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != parent)
        _exit(1);
    if (r == 0)
        r = j->work(&a, j->what);
    send_state(&a, r > 0 ? 0 : r, -1);
    _exit(0);
}

/* The child's pid, and our end of the socket in *sock. */
static pid_t start(const struct aside_job *j, int *sock)
{
    int sv[2];
    pid_t parent = getpid();
    if (j->bytes > ASIDE_BYTES_MAX)
        return -EMSGSIZE;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid == 0)
        run(j, sv[1], parent);
    int e = errno;
    close(sv[1]);
    if (pid < 0) {
        close(sv[0]);
        return -e;
    }
    *sock = sv[0];
    return pid;
}

static void take_descriptor(struct msghdr *m, int *fd)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int got;
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof got))
        return;
    memcpy(&got, CMSG_DATA(c), sizeof got);
    if (!fd) {
        close(got);
        return;
    }
    if (*fd >= 0)
        close(*fd);
    *fd = got;
}

/* One message. WORKING, what work returned, or -ECHILD: the child is gone, or not in its senses. */
static int receive(const struct aside_job *j, int sock)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    int32_t state = 0;
    struct iovec parts[2] = {{&state, sizeof state}, {j->what, j->bytes}};
    struct msghdr m = {.msg_iov = parts,
        .msg_iovlen = 2,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n > 0)
        take_descriptor(&m, j->fd);
    return n == (ssize_t)(sizeof state + j->bytes) && state <= WORKING ? state : -ECHILD;
}

static int await(const struct aside_job *j, int sock)
{
    int64_t end = clock_ms() + j->total_ms, stalled = clock_ms() + j->stall_ms;
    for (;;) {
        struct pollfd p = {.fd = sock, .events = POLLIN};
        int64_t now = clock_ms(), until = end < stalled ? end : stalled;
        int n = until > now ? poll(&p, 1, (int)(until - now)) : 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0 && clock_ms() >= stalled)
            return -ETIMEDOUT;
        if (n == 0 && clock_ms() >= end)
            return -ETIME;
        if (n <= 0)
            continue;
        int r = receive(j, sock);
        if (r != WORKING)
            return r;
        stalled = clock_ms() + j->stall_ms;
    }
}

int aside_run(const struct aside_job *j)
{
    int sock = -1;
    if (j->fd)
        *j->fd = -1;
    pid_t pid = start(j, &sock);
    if (pid < 0)
        return pid;
    int r = await(j, sock);
    close(sock);
    child_end(pid, r == -ETIMEDOUT || r == -ETIME);
    return r;
}

int aside_start(const struct aside_job *j)
{
    int sock = -1;
    pid_t pid = start(j, &sock);
    return pid < 0 ? pid : sock;
}
