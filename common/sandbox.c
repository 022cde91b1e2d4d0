/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/sandbox.h"

#include "common/log.h"
#include "common/sandbox_filter.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MEMFD_MAX (1024ULL * 1024 * 1024) /* a logon screen of 16384x8192 pixels is half of it */
#define LOG_FILE_MAX (1024ULL * 1024 * 1024)

static const char *const profile_names[] = {
    [SANDBOX_PEER] = "peer", [SANDBOX_LOGON] = "logon", [SANDBOX_KEYS] = "keys", [SANDBOX_ENCODER] = "encoder"};

#ifdef ORIEL_SANITIZED
static int entered;
/* LeakSanitizer stops the world by means that the sandbox denies; leaks of this code are looked for in the unit tests.
 */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return entered;
}
#endif

/* Landlock and capabilities belong to a thread: one that runs already would stay outside. */
static bool alone(void)
{
    DIR *d = opendir("/proc/self/task");
    if (!d)
        return true; /* no /proc: the C library's threads cannot be counted */
    int n = 0;
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n == 1;
}

static bool empty_root(const char *path)
{
    struct stat st;
    if (!path || stat(path, &st) < 0 || st.st_uid != 0 || (st.st_mode & 022))
        return false;
    return chroot(path) == 0 && chdir("/") == 0;
}

/* ---- Landlock: the library has no wrappers; kernels differ in what they know, so the version is asked ---- */

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#define LANDLOCK_FS_V1 ((1ULL << 13) - 1)
#define LANDLOCK_FS_TRUNCATE (1ULL << 14)
#define LANDLOCK_FS_IOCTL_DEV (1ULL << 15)
#define LANDLOCK_NET_BIND_CONNECT_TCP 3ULL
#define LANDLOCK_SCOPE_ABSTRACT 1ULL

struct landlock_attr { /* the kernel takes any prefix whose unknown rest is zero */
    uint64_t fs, net, scoped;
};

static struct landlock_attr landlock_all(long abi)
{
    struct landlock_attr a = {LANDLOCK_FS_V1, 0, 0};
    if (abi >= 2)
        a.fs |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        a.fs |= LANDLOCK_FS_TRUNCATE;
    if (abi >= 4)
        a.net = LANDLOCK_NET_BIND_CONNECT_TCP;
    if (abi >= 5)
        a.fs |= LANDLOCK_FS_IOCTL_DEV;
    if (abi >= 6)
        a.scoped = LANDLOCK_SCOPE_ABSTRACT;
    return a;
}

static int landlock_readable(int ruleset, const char *path)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return 0;
    bool dir = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
            (dir ? LANDLOCK_ACCESS_FS_READ_DIR : 0),
        .parent_fd = fd};
    long r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int e = r < 0 ? -errno : 0;
    close(fd);
    return e;
}

/* Returns the ABI in force, 0 when the kernel has none, or negative errno. */
static int landlock(const char *const *read_paths)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi <= 0)
        return 0;
    struct landlock_attr a = landlock_all(abi);
    size_t size = abi >= 6 ? sizeof a : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    int fd = (int)syscall(SYS_landlock_create_ruleset, &a, size, 0);
    if (fd < 0)
        return -errno;
    int r = 0;
    for (; read_paths && *read_paths && r == 0; read_paths++)
        r = landlock_readable(fd, *read_paths);
    if (r == 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
        r = -errno;
    close(fd);
    return r < 0 ? r : (int)abi;
}

/* ---- the rest ---- */

static int drop_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        /* Only with CAP_SETPCAP; without it no_new_privs keeps it empty */
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || syscall(SYS_capset, &head, none) < 0)
        return -errno;
    return 0;
}

static int limit(int which, uint64_t value)
{
    struct rlimit now, l = {value, value};
    if (getrlimit(which, &now) < 0)
        return -errno;
    if (now.rlim_max < value)
        l = (struct rlimit){now.rlim_max, now.rlim_max};
    return setrlimit(which, &l) < 0 ? -errno : 0;
}

static uint64_t file_size_limit(const struct sandbox *s)
{
    struct stat st;
    if (s->profile == SANDBOX_LOGON || s->profile == SANDBOX_ENCODER)
        return MEMFD_MAX;
    bool errors = fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);
    bool output = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
    return errors || output ? LOG_FILE_MAX : 0;
}

static int limits(const struct sandbox *s)
{
    signal(SIGXFSZ, SIG_IGN); /* a full log is an error of write, not the end */
    int r = limit(RLIMIT_CORE, 0);
    if (r == 0)
        r = limit(RLIMIT_FSIZE, file_size_limit(s));
    if (r == 0 && s->nofile)
        r = limit(RLIMIT_NOFILE, s->nofile);
    if (r == 0 && s->threads)
        r = limit(RLIMIT_NPROC, s->threads);
#ifndef ORIEL_SANITIZED /* shadow memory alone is 20 TiB of address space */
    if (r == 0 && s->address_space)
        r = limit(RLIMIT_AS, s->address_space);
#endif
    return r;
}

/* What the first half found, for the second. */
static struct enclosure {
    bool done, rooted;
    int landlock; /* the ABI in force; 0 none */
} enclosure;

static int check_caller(const struct sandbox *s, const char **what)
{
    *what = "uid 0 never enters a sandbox";
    if (getuid() == 0 || geteuid() == 0)
        return -EPERM;
    *what = "other threads are running already";
    return s->profile != SANDBOX_ENCODER && !alone() ? -EBUSY : 0;
}

int sandbox_enclose(const struct sandbox *s, const char **what)
{
    int r = check_caller(s, what);
    if (r < 0)
        return r;
    *what = "no_new_privs";
    bool rooted = !s->read_paths && empty_root(s->empty_root);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
    *what = "Landlock";
    int abi = landlock(s->read_paths);
    if (abi < 0)
        return abi;
    *what = "neither an empty root nor Landlock is to be had (server.require_empty_root)";
    if (!rooted && abi == 0 && s->require_empty_root)
        return -EPERM;
    *what = "dropping capabilities";
    if ((r = drop_capabilities()) < 0)
        return r;
    *what = "resource limits";
    if ((r = limits(s)) < 0)
        return r;
    enclosure = (struct enclosure){true, rooted, abi};
    *what = NULL;
    return 0;
}

int sandbox_filter(const struct sandbox *s, const char **what)
{
    const char *filter = "full";
    *what = "the filter before the enclosure";
    if (!enclosure.done)
        return -EPERM;
#ifdef ORIEL_SANITIZED
    entered = 1;
    filter = "sanitizer";
#endif
    *what = "seccomp";
    int r = sandbox_filter_load(s->profile, s->read_paths && enclosure.landlock > 0, s->explain);
    if (r < 0)
        return r;
    *what = NULL;
    log_debug("sandbox entered", "profile=%s root=%s landlock=%d filter=%s", profile_names[s->profile],
        enclosure.rooted ? "empty" : "kept", enclosure.landlock, filter);
    return 0;
}

int sandbox_enter(const struct sandbox *s, const char **what)
{
    int r = sandbox_enclose(s, what);
    return r < 0 ? r : sandbox_filter(s, what);
}
