/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A home on FUSE that goes wrong when a test says so. `badhome BACKING CONTROL MOUNTPOINT` shows the folder BACKING at
 * MOUNTPOINT, closed to everybody but who runs it (root, too), and stays in the foreground. Before each call it reads
 * the file CONTROL, a word:
 *
 *   fine      as if it were not there (also without the file)
 *   open      opening, making and listing hang
 *   stat      everything hangs
 *   full      what makes or writes something gives ENOSPC
 *   readonly  the same with EROFS
 *   closed    everything gives EACCES
 *   expired   everything gives EKEYEXPIRED, as a server that wants a ticket says it
 *   unread    opening and making give EACCES, whatever the modes say: names are known, and the ticket has expired
 *   slow      each call takes a second
 *   gone      it ends, without a word
 *
 * What hangs is not answered, so the kernel does not even let SIGKILL through to who waits, until CONTROL says
 * something else. */
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum kind { LOOK, OPEN, WRITE };
static int backing;
static const char *control;

static void word(char *out, size_t cap)
{
    int fd = open(control, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, out, cap - 1);
    out[n > 0 ? n : 0] = 0;
    out[strcspn(out, "\n")] = 0;
    if (fd >= 0)
        close(fd);
}

/* Somebody waits: CONTROL.hangs appears. */
static void note_hanging(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s.hangs", control);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

/* 0, or the error that the call is to give. */
static int obey(enum kind kind)
{
    char w[16];
    for (;;) {
        word(w, sizeof w);
        bool hangs = !strcmp(w, "stat") || (!strcmp(w, "open") && kind != LOOK);
        if (!hangs)
            break;
        note_hanging();
        usleep(50000);
    }
    if (!strcmp(w, "gone"))
        _exit(0);
    if (!strcmp(w, "slow"))
        usleep(1000000);
    if (!strcmp(w, "closed"))
        return -EACCES;
    if (!strcmp(w, "expired"))
        return -EKEYEXPIRED;
    if (!strcmp(w, "unread") && kind != LOOK)
        return -EACCES;
    if (kind == WRITE && (!strcmp(w, "full") || !strcmp(w, "readonly")))
        return w[0] == 'f' ? -ENOSPC : -EROFS;
    return 0;
}

static const char *below(const char *path)
{
    return path[1] ? path + 1 : ".";
}

#define CALL(kind, expression)                \
    do {                                      \
        int wrong = obey(kind);               \
        if (wrong)                            \
            return wrong;                     \
        return (expression) < 0 ? -errno : 0; \
    } while (0)

static int do_getattr(const char *p, struct stat *st, struct fuse_file_info *i)
{
    CALL(LOOK, fstatat(backing, below(p), st, AT_SYMLINK_NOFOLLOW));
}
static int do_mkdir(const char *p, mode_t m)
{
    CALL(WRITE, mkdirat(backing, below(p), m));
}
static int do_unlink(const char *p)
{
    CALL(WRITE, unlinkat(backing, below(p), 0));
}
static int do_rmdir(const char *p)
{
    CALL(WRITE, unlinkat(backing, below(p), AT_REMOVEDIR));
}
static int do_symlink(const char *to, const char *p)
{
    CALL(WRITE, symlinkat(to, backing, below(p)));
}
static int do_link(const char *from, const char *p)
{
    CALL(WRITE, linkat(backing, below(from), backing, below(p), 0));
}
static int do_rename(const char *p, const char *q, unsigned flags)
{
    CALL(WRITE, renameat2(backing, below(p), backing, below(q), flags));
}
static int do_chmod(const char *p, mode_t m, struct fuse_file_info *i)
{
    CALL(WRITE, fchmodat(backing, below(p), m, 0));
}
static int do_truncate(const char *p, off_t size, struct fuse_file_info *i)
{
    int wrong = obey(WRITE);
    if (wrong)
        return wrong;
    int fd = i ? (int)i->fh : openat(backing, below(p), O_WRONLY | O_CLOEXEC);
    int r = fd < 0 || ftruncate(fd, size) < 0 ? -errno : 0;
    if (!i && fd >= 0)
        close(fd);
    return r;
}
static int do_utimens(const char *p, const struct timespec t[2], struct fuse_file_info *i)
{
    CALL(WRITE, utimensat(backing, below(p), t, AT_SYMLINK_NOFOLLOW));
}
static int do_statfs(const char *p, struct statvfs *st)
{
    CALL(LOOK, fstatvfs(backing, st));
}
static int do_readlink(const char *p, char *out, size_t cap)
{
    int wrong = obey(LOOK);
    ssize_t n = wrong ? 0 : readlinkat(backing, below(p), out, cap - 1);
    if (n < 0)
        return -errno;
    out[n] = 0;
    return wrong;
}

static int open_file(const char *p, struct fuse_file_info *i, int flags, mode_t m)
{
    int fd = openat(backing, below(p), flags | O_CLOEXEC, m);
    if (fd < 0)
        return -errno;
    i->fh = (uint64_t)fd;
    return 0;
}
static int do_open(const char *p, struct fuse_file_info *i)
{
    int wrong = obey(OPEN);
    return wrong ? wrong : open_file(p, i, i->flags & ~(O_CREAT | O_EXCL), 0);
}
static int do_create(const char *p, mode_t m, struct fuse_file_info *i)
{
    char w[16];
    int wrong = obey(OPEN);
    word(w, sizeof w);
    if (!wrong && !strcmp(w, "readonly")) /* a full disk has room for a name in a folder */
        wrong = -EROFS;
    return wrong ? wrong : open_file(p, i, i->flags, m);
}
static int do_read(const char *p, char *out, size_t n, off_t at, struct fuse_file_info *i)
{
    int wrong = obey(LOOK);
    ssize_t r = wrong ? 0 : pread((int)i->fh, out, n, at);
    return wrong ? wrong : r < 0 ? -errno : (int)r;
}
static int do_write(const char *p, const char *in, size_t n, off_t at, struct fuse_file_info *i)
{
    int wrong = obey(WRITE);
    ssize_t r = wrong ? 0 : i->flags & O_APPEND ? write((int)i->fh, in, n) : pwrite((int)i->fh, in, n, at);
    return wrong ? wrong : r < 0 ? -errno : (int)r;
}
static int do_flush(const char *p, struct fuse_file_info *i)
{
    return obey(LOOK);
}
static int do_release(const char *p, struct fuse_file_info *i)
{
    close((int)i->fh);
    return 0;
}
static int do_opendir(const char *p, struct fuse_file_info *i)
{
    return obey(OPEN);
}
static int do_readdir(const char *p, void *buf, fuse_fill_dir_t fill, off_t at, struct fuse_file_info *i,
    enum fuse_readdir_flags f)
{
    int wrong = obey(LOOK);
    int fd = wrong ? -1 : openat(backing, below(p), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return wrong ? wrong : -errno;
    for (struct dirent *e; (e = readdir(d));)
        if (fill(buf, e->d_name, NULL, 0, 0))
            break;
    closedir(d);
    return 0;
}

static const struct fuse_operations operations = {.getattr = do_getattr,
    .mkdir = do_mkdir,
    .unlink = do_unlink,
    .rmdir = do_rmdir,
    .symlink = do_symlink,
    .link = do_link,
    .rename = do_rename,
    .chmod = do_chmod,
    .truncate = do_truncate,
    .utimens = do_utimens,
    .statfs = do_statfs,
    .readlink = do_readlink,
    .open = do_open,
    .create = do_create,
    .read = do_read,
    .write = do_write,
    .flush = do_flush,
    .release = do_release,
    .opendir = do_opendir,
    .readdir = do_readdir};

int main(int argc, char **argv)
{
    if (argc != 4 || (backing = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0) {
        fprintf(stderr, "badhome BACKING CONTROL MOUNTPOINT\n");
        return 1;
    }
    control = argv[2];
    umask(0);
    char *args[] = {argv[0], (char *)"-f", (char *)"-o",
        (char *)"default_permissions,fsname=badhome,max_idle_threads=100", argv[3], NULL};
    return fuse_main(5, args, &operations, NULL);
}
