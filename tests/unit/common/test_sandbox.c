/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each act runs in a child of its own that really enters the sandbox. A forbidden act must fail or kill; an allowed one
 * must work. */
#include "common/log.h"
#include "common/sandbox.h"
#include "common/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_UID 600099999
#define THREADS_MAX 32
#define ACT_REFUSED 10
#define ACT_DONE 11
#define ENTER_FAILED 12

static char empty[] = "/tmp/oriel-empty-XXXXXX";
static char readable[] = "/tmp/oriel-readable-XXXXXX";
static pid_t sibling; /* a process of the same uid: nothing may happen to it */
static int listener = -1, memfd = -1;

typedef bool (*act_fn)(void); /* true: it worked */

#define MAILBOX_LEN 24 /* its first byte is 0: an abstract name */
static struct sockaddr_un mailbox = {.sun_family = AF_UNIX};
static int mailboxes[2] = {-1, -1}; /* anybody may send datagrams here: a path and an abstract name */

static bool with_chroot; /* enter as oriel-peer does, with CAP_SYS_CHROOT; else Landlock alone */

static int become_user(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    uint32_t bit = with_chroot ? 1U << CAP_SYS_CHROOT : 0;
    struct __user_cap_data_struct caps[2] = {{bit, bit, 0}, {0, 0, 0}};
    if (geteuid() != 0)
        return 0;
    if (prctl(PR_SET_KEEPCAPS, with_chroot, 0, 0, 0) < 0 || setgid(TEST_UID) < 0 || setuid(TEST_UID) < 0)
        return -errno;
    return syscall(SYS_capset, &head, caps) < 0 ? -errno : 0;
}

/* Who tries an act: newer libraries have a thread before the filter is there, encoders have some after it. */
static enum { ON_MAIN, ON_THREAD_BETWEEN, ON_THREAD_AFTER } actor;
static bool filter_too = true; /* false: the first half alone */
static sem_t go;

static void *wait_and_act(void *arg)
{
    act_fn act = *(act_fn *)arg;
    while (sem_wait(&go) != 0)
        ;
    _exit(act() ? ACT_DONE : ACT_REFUSED);
}

static int enter(enum sandbox_profile profile, const char *const *read_paths, act_fn *on_thread)
{
    pthread_t t;
    const char *what = "";
    struct sandbox s = {.profile = profile,
        .empty_root = empty,
        .require_empty_root = true,
        .address_space = 1 << 30,
        .nofile = 64,
        .threads = THREADS_MAX,
        .read_paths = read_paths};
    sem_init(&go, 0, 0);
    if (become_user() < 0)
        return -EPERM;
    int r = sandbox_enclose(&s, &what);
    if (r == 0 && actor == ON_THREAD_BETWEEN && on_thread)
        r = -pthread_create(&t, NULL, wait_and_act, on_thread);
    if (r == 0 && filter_too)
        r = sandbox_filter(&s, &what);
    if (r == 0 && actor == ON_THREAD_AFTER && on_thread)
        r = -pthread_create(&t, NULL, wait_and_act, on_thread);
    if (r < 0)
        fprintf(stderr, "sandbox: %s: %s\n", what ? what : "thread", strerror(-r));
    return r;
}

static int in_sandbox(enum sandbox_profile profile, const char *const *read_paths, act_fn act)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (enter(profile, read_paths, &act) < 0)
            _exit(ENTER_FAILED);
        if (actor != ON_MAIN) {
            sem_post(&go);
            for (;;)
                pause();
        }
        _exit(act() ? ACT_DONE : ACT_REFUSED);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* ---- forbidden ---- */

static bool act_open(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0;
}
static bool act_openat_write(void)
{
    return openat(AT_FDCWD, "/tmp/oriel-was-here", O_WRONLY | O_CREAT, 0600) >= 0;
}
static bool act_open_proc_mem(void)
{
    return open("/proc/self/mem", O_RDWR) >= 0;
}
static bool act_stat(void)
{
    struct stat st;
    return stat("/etc/passwd", &st) == 0;
}
static bool act_readlink(void)
{
    char b[64];
    return readlink("/proc/self/exe", b, sizeof b) > 0;
}
static bool act_unlink(void)
{
    return unlink(readable) == 0 || unlinkat(AT_FDCWD, readable, AT_REMOVEDIR) == 0;
}
static bool act_mkdir(void)
{
    return mkdir("/tmp/oriel-was-here", 0700) == 0;
}
static bool act_chmod(void)
{
    return chmod(readable, 0777) == 0;
}
static bool act_rename(void)
{
    return rename(readable, "/tmp/oriel-was-here") == 0;
}
static bool act_symlink(void)
{
    return symlink("/etc/passwd", "/tmp/oriel-was-here") == 0;
}
static bool act_exec(void)
{
    execl("/bin/true", "true", NULL);
    return false;
}
static bool act_execveat(void)
{
    char *none[] = {NULL};
    return syscall(SYS_execveat, memfd, "", none, none, AT_EMPTY_PATH) == 0;
}
static bool act_fork(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0;
}
static bool act_vfork(void)
{
    return syscall(SYS_vfork) >= 0;
}
static bool act_clone3(void)
{
    struct {
        uint64_t a[8];
    } args = {{0}};
    return syscall(SYS_clone3, &args, sizeof args) >= 0;
}
static bool act_tcp(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}
static bool act_udp6(void)
{
    return socket(AF_INET6, SOCK_DGRAM, 0) >= 0;
}
static bool act_unix(void)
{
    return socket(AF_UNIX, SOCK_SEQPACKET, 0) >= 0;
}
static bool act_netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}
static bool act_packet(void)
{
    return socket(AF_PACKET, SOCK_RAW, 0) >= 0;
}
static bool act_pair_inet(void)
{
    int sv[2];
    return socketpair(AF_INET, SOCK_STREAM, 0, sv) == 0;
}
static bool act_pair_datagrams(void)
{
    int sv[2];
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) == 0;
}
/* Datagrams by another name */
static bool act_pair_raw(void)
{
    int sv[2];
    return socketpair(AF_UNIX, SOCK_RAW | SOCK_CLOEXEC, 0, sv) == 0;
}
static bool send_to(const struct sockaddr_un *a, socklen_t len)
{
    int sv[2];
    return socketpair(AF_UNIX, SOCK_DGRAM, 0, sv) == 0 &&
        sendto(sv[0], "x", 1, 0, (const struct sockaddr *)a, len) == 1;
}
static bool act_send_to_a_path(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/mailbox", readable);
    return send_to(&a, sizeof a);
}
static bool act_send_to_a_name(void)
{
    return send_to(&mailbox, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + MAILBOX_LEN));
}
static bool act_accept(void)
{
    return accept(listener, NULL, NULL) >= 0;
}
static bool act_connect(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    return connect(listener, (struct sockaddr *)&a, sizeof a) == 0;
}
static bool act_listen(void)
{
    return listen(listener, 1) == 0;
}
static bool act_kill_sibling(void)
{
    return kill(sibling, SIGTERM) == 0;
}
static bool act_signal_zero(void)
{
    return kill(sibling, 0) == 0;
}
static bool act_tgkill_sibling(void)
{
    return syscall(SYS_tgkill, sibling, sibling, SIGTERM) == 0;
}
static bool act_sigqueue(void)
{
    union sigval v = {0};
    return sigqueue(sibling, SIGTERM, v) == 0;
}
static bool act_pidfd(void)
{
    return syscall(SYS_pidfd_open, sibling, 0) >= 0;
}
static bool act_ptrace(void)
{
    return ptrace(PTRACE_ATTACH, sibling, NULL, NULL) == 0;
}
static bool act_ptrace_me(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}
static bool act_vm_writev(void)
{
    char b[8] = "";
    struct iovec io = {b, sizeof b};
    return syscall(SYS_process_vm_writev, sibling, &io, 1, &io, 1, 0) >= 0;
}
static bool act_exec_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}
static bool act_make_executable(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED && mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0;
}
static bool act_memfd(void)
{
    return memfd_create("x", 0) >= 0;
}
static bool act_setuid(void)
{
    return setuid(0) == 0;
}
static bool act_setresuid(void)
{
    return syscall(SYS_setresuid, TEST_UID + 1, TEST_UID + 1, TEST_UID + 1) == 0;
}
static bool act_setgroups(void)
{
    gid_t g = 0;
    return syscall(SYS_setgroups, 1, &g) == 0;
}
static bool act_chroot(void)
{
    return chroot("/") == 0;
}
static bool act_mount(void)
{
    return mount("none", "/tmp", "tmpfs", 0, NULL) == 0;
}
static bool act_unshare(void)
{
    return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */) == 0;
}
static bool act_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 && prctl(PR_GET_DUMPABLE) == 1;
}
static bool act_setrlimit(void)
{
    struct rlimit l;
    getrlimit(RLIMIT_NOFILE, &l);
    l.rlim_cur = l.rlim_max = l.rlim_max + 100;
    return setrlimit(RLIMIT_NOFILE, &l) == 0;
}
static bool act_limit_sibling(void)
{
    struct rlimit l = {1, 1};
    return prlimit(sibling, RLIMIT_NOFILE, &l, NULL) == 0;
}
static bool act_bpf(void)
{
    union bpf_attr a;
    memset(&a, 0, sizeof a);
    return syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof a) >= 0;
}
static bool act_perf(void)
{
    char a[128] = "";
    return syscall(SYS_perf_event_open, a, 0, -1, -1, 0) >= 0;
}
static bool act_userfaultfd(void)
{
    return syscall(SYS_userfaultfd, 0) >= 0;
}
static bool act_io_uring(void)
{
    char a[256] = "";
    return syscall(SYS_io_uring_setup, 8, a) >= 0;
}
static bool act_keyring(void)
{
    return syscall(SYS_add_key, "user", "x", "y", 1, -3) >= 0;
}
static bool act_shm(void)
{
    return shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600) >= 0;
}
static bool act_mqueue(void)
{
    return syscall(SYS_mq_open, "/x", O_CREAT | O_RDWR, 0600, NULL) >= 0;
}
static bool act_tiocsti(void)
{
    char c = 'x';
    return ioctl(0, TIOCSTI, &c) == 0;
}
static bool act_module(void)
{
    return syscall(SYS_init_module, "", 0, "") == 0;
}
static bool act_settime(void)
{
    struct timespec t = {0, 0};
    return clock_settime(CLOCK_REALTIME, &t) == 0;
}
static bool act_sethostname(void)
{
    return sethostname("x", 1) == 0;
}
static bool act_inotify(void)
{
    return syscall(SYS_inotify_init1, 0) >= 0;
}
static bool act_name_to_handle(void)
{
    char b[256] = "";
    int m;
    return syscall(SYS_name_to_handle_at, AT_FDCWD, "/", b, &m, 0) == 0;
}
static bool act_setns(void)
{
    return syscall(SYS_setns, memfd, 0) == 0;
}
static bool act_write_big_file(void)
{
    char b[16] = "0123456789abcde";
    return pwrite(memfd, b, sizeof b, 3LL << 30) > 0;
}

/* Not formatted: clang-format takes {#name for a directive. */
/* clang-format off */
#define ACT(name) {#name, act_##name}
/* clang-format on */
static const struct {
    const char *name;
    act_fn act;
} forbidden[] = {ACT(open), ACT(openat_write), ACT(open_proc_mem), ACT(stat), ACT(readlink), ACT(unlink), ACT(mkdir),
    ACT(chmod), ACT(rename), ACT(symlink), ACT(exec), ACT(execveat), ACT(fork), ACT(vfork), ACT(clone3), ACT(tcp),
    ACT(udp6), ACT(unix), ACT(netlink), ACT(packet), ACT(pair_inet), ACT(pair_datagrams), ACT(pair_raw),
    ACT(send_to_a_path), ACT(send_to_a_name), ACT(accept), ACT(connect), ACT(listen), ACT(kill_sibling),
    ACT(signal_zero), ACT(tgkill_sibling), ACT(sigqueue), ACT(pidfd), ACT(ptrace), ACT(ptrace_me), ACT(vm_writev),
    ACT(exec_memory), ACT(make_executable), ACT(memfd), ACT(setuid), ACT(setresuid), ACT(setgroups), ACT(chroot),
    ACT(mount), ACT(unshare), ACT(dumpable), ACT(setrlimit), ACT(limit_sibling), ACT(bpf), ACT(perf), ACT(userfaultfd),
    ACT(io_uring), ACT(keyring), ACT(shm), ACT(mqueue), ACT(tiocsti), ACT(module), ACT(settime), ACT(sethostname),
    ACT(inotify), ACT(name_to_handle), ACT(setns), ACT(write_big_file)};

static bool sanitizer_allows(const char *name)
{
#ifdef ORIEL_SANITIZED
    return strcmp(name, "dumpable") == 0;
#else
    return false;
#endif
}

/* It makes memfds; they are files of any size. */
static bool encoder_may(enum sandbox_profile profile, const char *name)
{
    return profile == SANDBOX_ENCODER && (strcmp(name, "memfd") == 0 || strcmp(name, "write_big_file") == 0);
}

static void nothing_was_delivered(void)
{
    char c;
    for (int i = 0; i < 2; i++)
        assert_int_equal(recv(mailboxes[i], &c, 1, MSG_DONTWAIT), -1);
}

static void try_all_forbidden(enum sandbox_profile profile)
{
    unsigned worked = 0;
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
        int status = in_sandbox(profile, NULL, forbidden[i].act);
        bool refused = WIFEXITED(status) && WEXITSTATUS(status) == ACT_REFUSED;
        bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
        if (!refused && !killed && !sanitizer_allows(forbidden[i].name) && !encoder_may(profile, forbidden[i].name)) {
            print_error("%s: status 0x%x\n", forbidden[i].name, (unsigned)status);
            worked++;
        }
    }
    assert_int_equal(worked, 0);
    assert_int_equal(kill(sibling, 0), 0);
    assert_int_equal(access("/tmp/oriel-was-here", F_OK), -1);
    nothing_was_delivered();
}

static void no_forbidden_act_works_in_a_peer_with_an_empty_root(void **state)
{
    with_chroot = true;
    try_all_forbidden(SANDBOX_PEER);
}

static void no_forbidden_act_works_in_a_peer_with_landlock_alone(void **state)
{
    with_chroot = false;
    try_all_forbidden(SANDBOX_PEER);
}

static void none_works_on_a_thread_that_a_library_started_before_the_filter(void **state)
{
    with_chroot = true;
    actor = ON_THREAD_BETWEEN;
    try_all_forbidden(SANDBOX_PEER);
    actor = ON_MAIN;
}

static void none_works_on_a_thread_that_started_after_it(void **state)
{
    with_chroot = true;
    actor = ON_THREAD_AFTER;
    try_all_forbidden(SANDBOX_PEER);
    actor = ON_MAIN;
}

static void such_a_thread_is_born_without_rights(void **state)
{
    static const act_fn acts[] = {act_open, act_stat, act_setuid, act_setresuid, act_setgroups, act_chroot, act_mount,
        act_sethostname, act_setrlimit};
    with_chroot = true;
    filter_too = false;
    actor = ON_THREAD_BETWEEN;
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
        int status = in_sandbox(SANDBOX_PEER, NULL, acts[i]);
        if (status != ACT_REFUSED << 8)
            fail_msg("act %zu: status 0x%x", i, (unsigned)status);
    }
    filter_too = true;
    actor = ON_MAIN;
}

static void none_works_in_an_encoder_but_what_its_pictures_need(void **state)
{
    with_chroot = false;
    try_all_forbidden(SANDBOX_ENCODER);
}

/* ---- allowed ---- */

static void *thread_main(void *arg)
{
    *(int *)arg = 42;
    return NULL;
}
static bool act_threads(void)
{
    pthread_t t;
    int v = 0;
    return pthread_create(&t, NULL, thread_main, &v) == 0 && pthread_join(t, NULL) == 0 && v == 42;
}
static bool act_memory(void)
{
    size_t n = 8 << 20;
    char *p = malloc(n);
    if (!p)
        return false;
    memset(p, 1, n);
    p = realloc(p, 2 * n);
    free(p);
    void *q = mmap(NULL, 4096, PROT_READ, MAP_SHARED, memfd, 0);
    return q != MAP_FAILED && munmap(q, 4096) == 0;
}
static bool act_messages(void)
{
    int sv[2];
    char b[4] = "";
    struct pollfd p = {0, POLLIN, 0};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) < 0 || send(sv[0], "abc", 3, MSG_NOSIGNAL) != 3)
        return false;
    p.fd = sv[1];
    int queued = 0;
    return poll(&p, 1, 1000) == 1 && ioctl(sv[1], FIONREAD, &queued) == 0 && queued == 3 && recv(sv[1], b, 4, 0) == 3;
}
static bool act_loop_parts(void)
{
    int ep = epoll_create1(0), ev = eventfd(0, 0), tm = timerfd_create(CLOCK_MONOTONIC, 0);
    struct epoll_event e = {.events = EPOLLIN};
    struct itimerspec its = {.it_value = {0, 1000000}};
    return ep >= 0 && ev >= 0 && tm >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e) == 0 &&
        epoll_ctl(ep, EPOLL_CTL_ADD, tm, &e) == 0 && timerfd_settime(tm, 0, &its, NULL) == 0 &&
        epoll_wait(ep, &e, 1, 1000) == 1;
}
static bool act_clock(void)
{
    struct timespec t, nap = {0, 1000000};
    struct stat st;
    return clock_gettime(CLOCK_MONOTONIC, &t) == 0 && nanosleep(&nap, NULL) == 0 && fstat(0, &st) == 0;
}
static bool act_log(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    log_error("from inside", "all well=%d", 1);
    return true;
}
static bool act_open_is_denied_not_killed(void)
{
    return open("/etc/passwd", O_RDONLY) < 0 && (errno == EACCES || errno == ENOENT);
}
static bool act_abort_is_sigabrt(void)
{
    abort();
}

static const struct {
    const char *name;
    act_fn act;
} usual[] = {
    ACT(threads),
    ACT(memory),
    ACT(messages),
    ACT(loop_parts),
    ACT(clock),
    ACT(log),
    ACT(open_is_denied_not_killed),
};

static void *wait_for_ever(void *arg)
{
    for (;;)
        pause();
    return arg;
}
static bool act_threads_without_end(void)
{
    pthread_t t;
    pthread_attr_t attr;
    unsigned n = 0;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 * 1024);
    while (n < 10 * THREADS_MAX && pthread_create(&t, &attr, wait_for_ever, NULL) == 0)
        n++;
    return n >= THREADS_MAX / 2 && n < THREADS_MAX; /* the sibling, which has the uid too, counts with them */
}

static void threads_have_a_ceiling(void **state)
{
    if (geteuid() != 0)
        skip(); /* the uid would be one that others have */
    int status = in_sandbox(SANDBOX_PEER, NULL, act_threads_without_end);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ACT_DONE);
}

static void what_a_peer_lives_on_works(void **state)
{
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        int status = in_sandbox(SANDBOX_PEER, NULL, usual[i].act);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != ACT_DONE)
            fail_msg("%s: status 0x%x", usual[i].name, (unsigned)status);
    }
    int status = in_sandbox(SANDBOX_PEER, NULL, act_abort_is_sigabrt);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static bool act_make_memfd(void)
{
    int fd = memfd_create("picture", MFD_ALLOW_SEALING);
    return fd >= 0 && ftruncate(fd, 64 << 20) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) == 0 &&
        mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED;
}
static bool act_read_font(void)
{
    char path[128], b[8] = "";
    snprintf(path, sizeof path, "%s/font", readable);
    int fd = open(path, O_RDONLY);
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && stat(path, &st) == 0 && read(fd, b, sizeof b) == 4;
}
static bool act_write_font(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/font", readable);
    return open(path, O_WRONLY) >= 0 || open(path, O_RDWR) >= 0;
}

static void a_logon_screen_makes_its_picture_and_reads_only_its_fonts(void **state)
{
    const char *paths[] = {"/nonexistent", readable, NULL};
    int status = in_sandbox(SANDBOX_LOGON, paths, act_make_memfd);
    assert_int_equal(WEXITSTATUS(status), ACT_DONE);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_LOGON, NULL, act_make_memfd)), ACT_DONE);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_LOGON, paths, act_read_font)), ACT_DONE);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_LOGON, paths, act_write_font)), ACT_REFUSED);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_LOGON, paths, act_open)), ACT_REFUSED);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_LOGON, NULL, act_read_font)), ACT_REFUSED);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_LOGON, paths, act_tcp)), ACT_REFUSED);
    assert_true(WIFSIGNALED(in_sandbox(SANDBOX_LOGON, paths, act_send_to_a_path)));
    assert_true(WIFSIGNALED(in_sandbox(SANDBOX_LOGON, paths, act_send_to_a_name)));
    nothing_was_delivered();
}

static bool act_device(void)
{
    return ioctl(memfd, _IOWR('d', 0, int), NULL) < 0 && errno == ENOTTY;
}
static bool act_exec_is_denied_not_killed(void)
{
    execl("/bin/true", "true", NULL);
    return errno == EPERM;
}

static void an_encoder_talks_to_devices_and_lives_with_a_no(void **state)
{
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_ENCODER, NULL, act_make_memfd)), ACT_DONE);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_ENCODER, NULL, act_device)), ACT_DONE);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_ENCODER, NULL, act_exec_is_denied_not_killed)), ACT_DONE);
    int status = in_sandbox(SANDBOX_PEER, NULL, act_device);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static bool act_accept_one(void)
{
    struct ucred who;
    int fd = sockets_accept(listener, &who);
    return fd >= 0 && who.pid > 0;
}

static void the_key_holder_accepts_links_and_nothing_else(void **state)
{
    char path[128];
    const char *paths[] = {readable, NULL};
    snprintf(path, sizeof path, "%s/keys.sock", readable);
    int fd = sockets_connect(path);
    assert_true(fd >= 0);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_KEYS, paths, act_accept_one)), ACT_DONE);
    close(fd);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_KEYS, paths, act_tcp)), ACT_REFUSED);
    assert_int_equal(WEXITSTATUS(in_sandbox(SANDBOX_KEYS, paths, act_write_font)), ACT_REFUSED);
    assert_true(WIFSIGNALED(in_sandbox(SANDBOX_KEYS, paths, act_send_to_a_path)));
    assert_true(WIFSIGNALED(in_sandbox(SANDBOX_KEYS, paths, act_send_to_a_name)));
    nothing_was_delivered();
    int status = in_sandbox(SANDBOX_KEYS, paths, act_exec);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void look_at_status(pid_t pid, const char *task)
{
    char path[128], text[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)pid, task);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    assert_non_null(strstr(text, "Seccomp:\t2"));
    assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    assert_non_null(strstr(text, "CapPrm:\t0000000000000000"));
    assert_non_null(strstr(text, "CapEff:\t0000000000000000"));
    assert_non_null(strstr(text, "CapAmb:\t0000000000000000"));
    assert_true(geteuid() != 0 || strstr(text, "Uid:\t600099999\t600099999\t600099999\t600099999"));
}

static unsigned look_at_all(pid_t pid)
{
    char path[64];
    unsigned n = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.') {
            look_at_status(pid, e->d_name);
            n++;
        }
    closedir(d);
    return n;
}

static void the_status_of_each_thread_shows_it(void **state)
{
    int pipefd[2];
    char c;
    act_fn never = NULL;
    assert_int_equal(pipe(pipefd), 0);
    with_chroot = true;
    actor = ON_THREAD_BETWEEN;
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t t;
        if (enter(SANDBOX_PEER, NULL, &never) < 0 || pthread_create(&t, NULL, wait_and_act, &never) != 0)
            _exit(1);
        (void)!write(pipefd[1], "x", 1);
        for (;;)
            pause();
    }
    actor = ON_MAIN;
    assert_int_equal(read(pipefd[0], &c, 1), 1);
    assert_int_equal(look_at_all(pid), 3);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pipefd[0]), close(pipefd[1]);
}

static void *sleep_on(void *arg)
{
    sleep(5);
    return arg;
}

static void root_and_a_process_with_threads_are_refused(void **state)
{
    const char *what = NULL;
    struct sandbox s = {.profile = SANDBOX_PEER};
    if (geteuid() != 0)
        skip();
    assert_int_equal(sandbox_enter(&s, &what), -EPERM);
    assert_non_null(what);
    assert_int_equal(sandbox_filter(&s, &what), -EPERM); /* not before the other half */
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t t;
        if (setuid(TEST_UID) < 0 || pthread_create(&t, NULL, sleep_on, NULL) != 0)
            _exit(1);
        _exit(sandbox_enclose(&s, &what) == -EBUSY ? 0 : 2);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

/* Where datagrams of anybody would arrive. */
static bool make_mailboxes(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s/mailbox", readable);
    snprintf(mailbox.sun_path + 1, sizeof mailbox.sun_path - 1, "oriel-sandbox-%08x", (unsigned)getpid());
    for (int i = 0; i < 2; i++)
        mailboxes[i] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return bind(mailboxes[0], (struct sockaddr *)&a, sizeof a) == 0 && chmod(a.sun_path, 0666) == 0 &&
        bind(mailboxes[1], (struct sockaddr *)&mailbox,
            (socklen_t)(offsetof(struct sockaddr_un, sun_path) + MAILBOX_LEN)) == 0;
}

static int set_up(void **state)
{
    char path[128];
    if (!mkdtemp(empty) || chmod(empty, 0755) < 0 || !mkdtemp(readable) || chmod(readable, 0755) < 0)
        return -1;
    snprintf(path, sizeof path, "%s/font", readable);
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    if (fd < 0 || write(fd, "font", 4) != 4 || fchmod(fd, 0666) < 0)
        return -1;
    close(fd);
    snprintf(path, sizeof path, "%s/keys.sock", readable);
    if (!make_mailboxes())
        return -1;
    listener = sockets_listen(path, 0600, (gid_t)-1, 4);
    memfd = memfd_create("test", 0);
    sibling = fork();
    if (sibling == 0) {
        if (geteuid() == 0 && (setgid(TEST_UID) < 0 || setuid(TEST_UID) < 0))
            _exit(1);
        for (;;)
            pause();
    }
    return listener < 0 || memfd < 0 || ftruncate(memfd, 4096) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    char path[128];
    kill(sibling, SIGKILL);
    waitpid(sibling, NULL, 0);
    close(listener), close(memfd);
    snprintf(path, sizeof path, "%s/font", readable);
    unlink(path);
    snprintf(path, sizeof path, "%s/keys.sock", readable);
    unlink(path);
    snprintf(path, sizeof path, "%s/mailbox", readable);
    unlink(path);
    close(mailboxes[0]), close(mailboxes[1]);
    return rmdir(readable) | rmdir(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_forbidden_act_works_in_a_peer_with_an_empty_root),
        cmocka_unit_test(no_forbidden_act_works_in_a_peer_with_landlock_alone),
        cmocka_unit_test(none_works_on_a_thread_that_a_library_started_before_the_filter),
        cmocka_unit_test(none_works_on_a_thread_that_started_after_it),
        cmocka_unit_test(such_a_thread_is_born_without_rights),
        cmocka_unit_test(none_works_in_an_encoder_but_what_its_pictures_need),
        cmocka_unit_test(what_a_peer_lives_on_works),
        cmocka_unit_test(threads_have_a_ceiling),
        cmocka_unit_test(an_encoder_talks_to_devices_and_lives_with_a_no),
        cmocka_unit_test(a_logon_screen_makes_its_picture_and_reads_only_its_fonts),
        cmocka_unit_test(the_key_holder_accepts_links_and_nothing_else),
        cmocka_unit_test(the_status_of_each_thread_shows_it),
        cmocka_unit_test(root_and_a_process_with_threads_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
