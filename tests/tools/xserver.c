/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/tools/xserver.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define XORG "/usr/lib/xorg/Xorg" /* /usr/bin/Xorg may be a setuid wrapper */
#define XVFB "/usr/bin/Xvfb"
#define NOBODY 65534
#define START_MS 60000

static const char config[] =
    "Section \"ServerFlags\"\n Option \"AutoAddDevices\" \"false\"\n Option \"AutoEnableDevices\" \"false\"\n"
    " Option \"AutoAddGPU\" \"false\"\nEndSection\n"
    "Section \"Device\"\n Identifier \"d\"\n Driver \"dummy\"\n VideoRam 1048576\nEndSection\n"
    "Section \"Screen\"\n Identifier \"s\"\n Device \"d\"\n DefaultDepth 24\nEndSection\n";

static void path_in(const struct xserver *x, const char *name, char *out, size_t cap)
{
    snprintf(out, cap, "%s/%s", x->folder, name);
}

static int write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return -errno;
    size_t n = fwrite(data, 1, len, f);
    return fclose(f) == 0 && n == len ? 0 : -EIO;
}

static size_t put16(uint8_t *p, const void *data, size_t len)
{
    p[0] = (uint8_t)(len >> 8);
    p[1] = (uint8_t)len;
    memcpy(p + 2, data, len);
    return len + 2;
}

/* One Xauthority record for any display: family "wild" (65535), empty address and number. */
static int write_cookie(const char *path)
{
    uint8_t record[64] = {0xff, 0xff}, cookie[16];
    if (getrandom(cookie, sizeof cookie, 0) != sizeof cookie)
        return -EIO;
    size_t n = 2;
    n += put16(record + n, "", 0);
    n += put16(record + n, "", 0);
    n += put16(record + n, "MIT-MAGIC-COOKIE-1", 18);
    n += put16(record + n, cookie, sizeof cookie);
    return write_file(path, record, n);
}

static void child(const struct xserver *x, int displayfd)
{
    char conf[96], log[96], auth[96], fd[16];
    path_in(x, "xorg.conf", conf, sizeof conf);
    path_in(x, "log", log, sizeof log);
    path_in(x, "auth", auth, sizeof auth);
    snprintf(fd, sizeof fd, "%d", displayfd);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getuid() == 0 && (setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
        _exit(126);
    char out[96];
    path_in(x, "output", out, sizeof out);
    int o = open(out, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(o, 1);
    dup2(o, 2);
    if (x->kind == XSERVER_XORG)
        execl(XORG, "Xorg", "-config", conf, "-logfile", log, "-auth", auth, "-displayfd", fd, "-noreset", "-nolisten",
            "tcp", "-novtswitch", "-sharevts", (char *)NULL);
    else
        execl(XVFB, "Xvfb", "-auth", auth, "-displayfd", fd, "-noreset", "-nolisten", "tcp", "-screen", "0",
            "3840x2160x24", (char *)NULL);
    _exit(127);
}

static int read_number(struct xserver *x, int fd)
{
    char text[16] = "";
    size_t n = 0;
    while (n < sizeof text - 1 && !memchr(text, '\n', n)) {
        struct pollfd p = {fd, POLLIN, 0};
        if (poll(&p, 1, START_MS) <= 0)
            return -EIO;
        ssize_t r = read(fd, text + n, sizeof text - 1 - n);
        if (r <= 0)
            return -EIO;
        n += (size_t)r;
    }
    snprintf(x->display, sizeof x->display, ":%ld", strtol(text, NULL, 10));
    return 0;
}

static int prepare(struct xserver *x)
{
    char path[96];
    snprintf(x->folder, sizeof x->folder, "/tmp/oriel-x-XXXXXX");
    if (!mkdtemp(x->folder))
        return -errno;
    path_in(x, "xorg.conf", path, sizeof path);
    int r = write_file(path, config, strlen(config));
    if (r < 0)
        return r;
    path_in(x, "auth", path, sizeof path);
    r = write_cookie(path);
    if (r < 0 || getuid() != 0)
        return r;
    return chown(path, NOBODY, NOBODY) < 0 || chown(x->folder, NOBODY, NOBODY) < 0 ? -errno : 0;
}

int xserver_start(struct xserver *x, enum xserver_kind kind)
{
    *x = (struct xserver){.kind = kind, .pid = -1};
    if (access(kind == XSERVER_XORG ? XORG : XVFB, X_OK) < 0)
        return -ENOENT;
    int p[2], r = prepare(x);
    if (r < 0 || pipe(p) < 0)
        return r < 0 ? r : -errno;
    x->pid = fork();
    if (x->pid == 0)
        child(x, p[1]);
    close(p[1]);
    r = read_number(x, p[0]);
    close(p[0]);
    if (r < 0) {
        fprintf(stderr, "the X server did not start: see %s\n", x->folder);
        return r;
    }
    char auth[96];
    path_in(x, "auth", auth, sizeof auth);
    setenv("DISPLAY", x->display, 1);
    setenv("XAUTHORITY", auth, 1);
    return 0;
}

void xserver_stop(struct xserver *x)
{
    static const char *const names[] = {"xorg.conf", "log", "auth", "output", "log.old"};
    if (x->pid > 0) {
        kill(x->pid, SIGTERM);
        (void)waitpid(x->pid, NULL, 0);
    }
    x->pid = -1;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[96];
        path_in(x, names[i], path, sizeof path);
        (void)unlink(path);
    }
    (void)rmdir(x->folder);
}
