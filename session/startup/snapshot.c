/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/startup/snapshot.h"

#include "common/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

void snapshot_finish(struct snapshot *s)
{
    env_finish(&s->env);
    *s = (struct snapshot){0};
}

static mode_t own_umask(void)
{
    mode_t m = umask(022);
    (void)umask(m);
    return m;
}

size_t snapshot_encode_head(enum note_tag tag, uint32_t file, uint32_t line, uint32_t env_bytes, void *out, size_t cap)
{
    struct wr w;
    struct rlimit l;
    wr_init(&w, out, cap);
    wr_u32(&w, NOTE_MAGIC);
    wr_u8(&w, (uint8_t)tag);
    wr_u32(&w, file);
    wr_u32(&w, line);
    wr_u32(&w, own_umask());
    wr_u32(&w, RLIM_NLIMITS);
    for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
        l = (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
        (void)getrlimit((__rlimit_resource_t)i, &l);
        wr_u64(&w, l.rlim_cur);
        wr_u64(&w, l.rlim_max);
    }
    wr_u32(&w, env_bytes);
    return w.bad ? 0 : w.len;
}

static void decode_env(struct rd *r, uint32_t bytes, struct snapshot *s)
{
    const char *text = (const char *)rd_bytes(r, bytes);
    if (!text || bytes > NOTE_ENV_MAX || (bytes && text[bytes - 1])) {
        r->bad = true;
        return;
    }
    for (const char *p = text; p < text + bytes; p += strlen(p) + 1)
        (void)env_put(&s->env, p); /* what has no name is no variable; what is too many is left out */
}

int snapshot_decode(const void *data, size_t len, struct snapshot *s)
{
    struct rd r;
    *s = (struct snapshot){0};
    rd_init(&r, data, len);
    uint32_t magic = rd_u32(&r);
    uint8_t tag = rd_u8(&r);
    s->tag = (enum note_tag)tag;
    s->file = rd_u32(&r);
    s->line = rd_u32(&r);
    s->mask = rd_u32(&r) & 0777;
    uint32_t n = rd_u32(&r);
    if (r.bad || magic != NOTE_MAGIC || tag < NOTE_BEGIN || tag > NOTE_TAG_MAX || n != RLIM_NLIMITS)
        r.bad = true;
    for (uint32_t i = 0; i < n && !r.bad; i++) {
        s->limits[i].rlim_cur = rd_u64(&r);
        s->limits[i].rlim_max = rd_u64(&r);
    }
    s->has_limits = !r.bad;
    if (!r.bad)
        decode_env(&r, rd_u32(&r), s);
    if (!r.bad && r.left == 0)
        return 0;
    snapshot_finish(s);
    return -EPROTO;
}

int snapshot_listen(char name[8])
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    socklen_t len = sizeof a.sun_family;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int r = bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 64) < 0 ? -errno : 0;
    len = sizeof a;
    if (r == 0 && getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        r = -errno;
    size_t n = len - sizeof a.sun_family; /* a NUL, then the letters */
    if (r == 0 && (n < 2 || n > 8))
        r = -EADDRNOTAVAIL;
    if (r < 0) {
        close(fd);
        return r;
    }
    memcpy(name, a.sun_path + 1, n - 1);
    name[n - 1] = 0;
    return fd;
}

static bool is_ours(int fd)
{
    struct ucred c;
    socklen_t len = sizeof c;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &len) == 0 && c.uid == getuid();
}

static ssize_t read_all(int fd, uint8_t *buf, size_t cap)
{
    size_t n = 0;
    while (n < cap) {
        ssize_t r = read(fd, buf + n, cap - n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? -errno : (ssize_t)n;
        n += (size_t)r;
    }
    return -EMSGSIZE;
}

int snapshot_take(int fd, struct snapshot *s, int *answer)
{
    struct timeval wait = {NOTE_WAIT_MS / 1000, 0};
    int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC), r = -EAGAIN;
    if (answer)
        *answer = -1;
    if (c < 0)
        return -EAGAIN;
    uint8_t *buf = is_ours(c) ? malloc(NOTE_HEAD_MAX + NOTE_ENV_MAX) : NULL;
    if (buf) {
        (void)setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
        (void)setsockopt(c, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
        ssize_t n = read_all(c, buf, NOTE_HEAD_MAX + NOTE_ENV_MAX);
        r = n < 0 ? -EPROTO : snapshot_decode(buf, (size_t)n, s);
    }
    free(buf);
    if (r == 0 && answer && s->tag == NOTE_GO)
        *answer = c;
    else
        close(c);
    return r;
}

static int send_descriptor(int answer, int fd)
{
    char byte = 0;
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof fd)];
    } control = {0};
    struct iovec io = {&byte, 1};
    struct msghdr m = {.msg_iov = &io,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes};
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    return sendmsg(answer, &m, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

void snapshot_answer(int answer, int output, const struct env_list *env)
{
    int r = send_descriptor(answer, output);
    for (size_t i = 0; i < env->n && r == 0; i++)
        if (send(answer, env->v[i], strlen(env->v[i]) + 1, MSG_NOSIGNAL) < 0)
            break;
    close(answer);
}
