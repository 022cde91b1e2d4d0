/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-startup-note NAME TAG FILE LINE: a shell runs it while it reads start-up files; see snapshot.h. Small, for it
 * runs often. Says nothing and always succeeds: what the user's files do next must not depend on it. oriel-startup-note
 * NAME go: an Xsession script executes it in place of the desktop; it tells and becomes the desktop. */
#include "session/startup/snapshot.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int connect_to(const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(name);
    if (n == 0 || n > 7)
        return -1;
    memcpy(a.sun_path + 1, name, n);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, (socklen_t)(sizeof a.sun_family + 1 + n)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void send_all(int fd, const void *data, size_t len)
{
    const char *p = data;
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

static void await_taken(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    (void)shutdown(fd, SHUT_WR);
    (void)poll(&p, 1, NOTE_WAIT_MS);
}

static enum note_tag tag_of(const char *word)
{
    static const char *const words[] = {"begin", "line", "exit", "final", "go"};
    for (int i = 0; i < 5; i++)
        if (!strcmp(word, words[i]))
            return (enum note_tag)(i + 1);
    return 0;
}

/* The answer's environment, its text in one piece. NULL: none came, one's own serves. Both are never freed: the program
 * ends here. */
static char **read_answer(int fd)
{
    char *text = malloc(NOTE_ENV_MAX);
    size_t n = 0, count = 0;
    ssize_t got;
    while (
        text && n < NOTE_ENV_MAX && ((got = read(fd, text + n, NOTE_ENV_MAX - n)) > 0 || (got < 0 && errno == EINTR)))
        n += got > 0 ? (size_t)got : 0;
    if (!text || n == 0 || text[n - 1])
        return NULL;
    for (size_t i = 0; i < n; i++)
        count += text[i] == 0;
    char **env = calloc(count + 1, sizeof *env);
    for (size_t i = 0, at = 0; env && i < count; at += strlen(text + at) + 1)
        env[i++] = text + at;
    return env;
}

/* The descriptor that comes with the answer's first byte becomes standard output and error. */
static void take_output(int fd)
{
    char byte;
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec io = {&byte, 1};
    struct msghdr m = {.msg_iov = &io,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes};
    ssize_t n;
    while ((n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        ;
    struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&m) : NULL;
    int out;
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof out))
        return;
    memcpy(&out, CMSG_DATA(c), sizeof out);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
}

static _Noreturn void go(int fd, char **envp)
{
    const char *command = getenv(NOTE_COMMAND);
    if (fd >= 0)
        take_output(fd);
    char **env = fd >= 0 ? read_answer(fd) : NULL;
    char *const argv[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)(command ? command : ":"), NULL};
    (void)execve("/bin/sh", argv, env ? env : envp);
    _exit(127);
}

int main(int argc, char **argv, char **envp)
{
    char head[NOTE_HEAD_MAX];
    size_t bytes = 0;
    enum note_tag tag = argc >= 3 ? tag_of(argv[2]) : 0;
    if (!tag)
        return EXIT_SUCCESS;
    /* A limit of a few open files leaves room for one only when these go. */
    if (tag != NOTE_GO)
        (void)close(0);
    for (char **e = envp; *e; e++)
        bytes += strlen(*e) + 1;
    size_t n = bytes > NOTE_ENV_MAX
        ? 0
        : snapshot_encode_head(tag, argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0,
              argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0, (uint32_t)bytes, head, sizeof head);
    int fd = n ? connect_to(argv[1]) : -1;
    if (fd >= 0)
        send_all(fd, head, n);
    for (char **e = envp; fd >= 0 && *e; e++)
        send_all(fd, *e, strlen(*e) + 1);
    if (fd >= 0)
        await_taken(fd);
    if (tag == NOTE_GO)
        go(fd, envp);
    return EXIT_SUCCESS;
}
