/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/session/leader_rig.h"

#include "common/clock.h"
#include "common/link.h"
#include "common/secret.h"
#include "session/leader/child.h"
#include "session/leader/logplace.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmpx.h>

int leader_link = -1;
static pid_t leader_pid;
uint64_t session_id = 100;
_Alignas(16) uint8_t inbox[sizeof(struct leader_hello) + 65536];

/* ---- a world of its own ---- */

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "cannot prepare: %s: %s\n", what, strerror(errno));
    _exit(1);
}

void put(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
    (void)fchmod(fd, mode);
    close(fd);
}

/* Of passwd or group the accounts that each Debian has, whose ids are below 100, and nobody's: those of people and of
 * what else is installed may have the names and ids that the tests use. `out` has room for all of `all`. */
static void keep_debians(const char *all, char *out)
{
    *out = 0;
    for (const char *line = all, *end; *line; line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        const char *password = strchr(line, ':'), *id = password ? strchr(password + 1, ':') : NULL;
        if (!id || id > end)
            continue;
        unsigned long n = strtoul(id + 1, NULL, 10);
        if (n < 100 || n == 65534)
            (void)snprintf(out + strlen(out), (size_t)(end - line) + 2, "%.*s\n", (int)(end - line), line);
    }
}

const char *got(const char *path)
{
    static char text[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
    return text;
}

const char *log_name(uint64_t session)
{
    static struct logplace p;
    static const struct account who = {.user = USER};
    logplace_name(&p, &who, session);
    return p.name;
}

/* A private copy of a file of /etc with one line more. */
static void extend(const char *name, const char *line)
{
    char from[64], to[64];
    static char text[65536];
    snprintf(from, sizeof from, "/etc/%s", name);
    snprintf(to, sizeof to, "/mnt/%s", name);
    keep_debians(got(from), text);
    size_t n = strlen(text);
    snprintf(text + n, sizeof text - n, "%s\n", line);
    put(to, text, 0600);
    struct stat st;
    must(stat(from, &st) == 0 && chmod(to, st.st_mode & 0777) == 0 && mount(to, from, NULL, MS_BIND, NULL) == 0, from);
}

static void fresh(const char *path, const char *mode)
{
    must(mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, mode) == 0, path);
}

static const char *pam_service = "oriel";

void set_pam_service(const char *name)
{
    pam_service = name;
}

void write_config(const char *extra_display, const char *extra_session)
{
    char text[2048];
    snprintf(text, sizeof text,
        "[login]\npam_service = %s\npam_dir = /mnt/pam\n[paths]\nrun_dir = /run/oriel\nlibexec_dir = /mnt/libexec\n"
        "[display]\nfirst = 20\n%s\n[session]\n%s%s\n",
        pam_service, extra_display, strstr(extra_session, "logoff_grace") ? "" : "logoff_grace = 1\n", extra_session);
    put("/mnt/oriel.conf", text, 0644);
}

void use_agent(const char *program)
{
    (void)unlink("/mnt/libexec/oriel-agent");
    must(symlink(program, "/mnt/libexec/oriel-agent") == 0, "agent");
}

/* The machine's choices of update-alternatives, but for those that Debian makes where nothing but openbox and xterm is
 * installed. */
static void choose_alternatives(void)
{
    static const char *const chosen[][2] = {{"x-terminal-emulator", "/usr/bin/lxterm"},
        {"x-session-manager", "/usr/bin/openbox-session"}, {"x-window-manager", "/usr/bin/openbox"}};
    char path[320], target[512];
    must(mkdir("/mnt/alternatives", 0755) == 0, "/mnt/alternatives");
    for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
        snprintf(path, sizeof path, "/mnt/alternatives/%s", chosen[i][0]);
        must(symlink(chosen[i][1], path) == 0, path);
    }
    DIR *d = opendir("/etc/alternatives");
    for (struct dirent *e; d && (e = readdir(d));) {
        ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof target - 1);
        target[n > 0 ? n : 0] = 0;
        snprintf(path, sizeof path, "/mnt/alternatives/%s", e->d_name);
        must(n <= 0 || symlink(target, path) == 0 || errno == EEXIST, path);
    }
    if (d)
        closedir(d);
    must(!d || mount("/mnt/alternatives", "/etc/alternatives", NULL, MS_BIND, NULL) == 0, "/etc/alternatives");
}

/* A machine with openbox and xterm, whatever else it has. */
static void make_bare(void)
{
    static const char *const folders[] = {"/usr/share/xsessions", "/usr/share/wayland-sessions", "/usr/local/bin",
        "/etc/profile.d"};
    static const char *const sessions[] = {"startplasma-x11", "xfce4-session", "mate-session", "gnome-session",
        "lxqt-session", "cinnamon-session", "startlxde"};
    char path[64];
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (access(folders[i], F_OK) == 0)
            fresh(folders[i], "mode=755");
    for (size_t i = 0; i < sizeof sessions / sizeof sessions[0]; i++) {
        snprintf(path, sizeof path, "/usr/bin/%s", sessions[i]);
        must(access(path, F_OK) < 0 || mount("/dev/null", path, NULL, MS_BIND, NULL) == 0, path);
    }
    choose_alternatives();
}

static void make_world(void)
{
    static const char *const types[] = {"auth", "account", "password", "session"};
    char text[1024];
    int n = 0;
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
    must(mount("proc", "/proc", "proc", 0, NULL) == 0, "/proc");
    fresh("/mnt", "mode=755");
    must(mkdir("/mnt/b", 0755) == 0 && mount(BUILD_ROOT, "/mnt/b", NULL, MS_BIND | MS_REC, NULL) == 0, "build folder");
    fresh("/tmp", "mode=1777");
    fresh("/run", "mode=755");
    fresh("/home", "mode=755");
    fresh("/var/log", "mode=755");
    put("/run/utmp", "", 0664);
    put("/var/log/wtmp", "", 0664);
    extend("passwd", USER ":x:7001:7001::" HOME ":/bin/sh");
    extend("group", USER ":x:7001:");
    must(mkdir(HOME, 0700) == 0 && chown(HOME, UID, UID) == 0, HOME);
    make_bare();
    must(mkdir("/run/oriel", 0755) == 0 && mkdir("/run/oriel/leaders", 0700) == 0, "run folder");
    must(mkdir("/mnt/libexec", 0755) == 0 && mkdir("/mnt/pam", 0755) == 0, "/mnt");
    must(symlink("/mnt/b/session/startup/oriel-startup", "/mnt/libexec/oriel-startup") == 0 &&
            symlink("/mnt/b/session/startup/oriel-startup-note", "/mnt/libexec/oriel-startup-note") == 0,
        "oriel-startup");
    for (int i = 0; i < 4; i++)
        n += snprintf(text + n, sizeof text - (size_t)n,
            "%s required /mnt/b/%s script=/mnt/script record=/mnt/record\n", types[i], PAM_TEST_MODULE);
    put("/mnt/pam/oriel", text, 0644);
}

/* ---- playing the monitor ---- */

void spawn_leader(void)
{
    int sv[2];
    assert_int_equal(link_pair(sv), 0);
    put("/mnt/record", "", 0600);
    leader_pid = fork();
    if (leader_pid == 0) {
        if (sv[1] == 3)
            (void)fcntl(3, F_SETFD, 0);
        else
            (void)dup2(sv[1], 3);
        execl("/mnt/b/" LEADER, "oriel-leader", "--config", "/mnt/oriel.conf", (char *)NULL);
        _exit(127);
    }
    close(sv[1]);
    leader_link = sv[0];
}

void hang_up(void)
{
    close(leader_link);
    leader_link = -1;
}

enum refuse_reason log_in(const char *secret)
{
    static struct leader_auth req;
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    req = (struct leader_auth){.method = AUTH_PASSWORD,
        .user = USER,
        .rhost = "192.0.2.7",
        .nsecret = (uint32_t)strlen(secret)};
    memcpy(req.secret, secret, req.nsecret);
    assert_int_equal(wire_send(leader_link, &leader_auth_def, &req, NULL), 0);
    secret_wipe(&req, sizeof req);
    assert_int_equal(wire_recv(leader_link, &leader_to_monitor, &def, inbox, fds, WAIT_MS), 0);
    assert_ptr_equal(def, &leader_verdict_def);
    return ((struct leader_verdict *)inbox)->reason;
}

/* The next message of this kind; others are passed over. */
void *await(const struct wire_def *want)
{
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    int64_t deadline = clock_ms() + WAIT_MS;
    char log[256];
    snprintf(log, sizeof log, HOME "/.local/state/oriel/%s", log_name(session_id));
    for (;;) {
        int r = wire_recv(leader_link, &leader_to_monitor, &def, inbox, fds, conv_left_ms(deadline));
        if (r < 0)
            fail_msg("%s did not come: %s\n%s", want->name, strerror(-r), got(log));
        if (def == want)
            return inbox;
        if (def == &leader_failed_def)
            fail_msg("session failed: %s", ((struct leader_failed *)inbox)->text);
    }
}

static void start(const struct display_open *open)
{
    static struct leader_start m;
    spawn_leader();
    assert_int_equal(log_in(SECRET), REFUSE_NONE);
    m = (struct leader_start){.session = ++session_id, .open = *open};
    snprintf(m.key, sizeof m.key, "%032llx", (unsigned long long)session_id);
    snprintf(m.client_address, sizeof m.client_address, "192.0.2.7");
    assert_int_equal(wire_send(leader_link, &leader_start_def, &m, NULL), 0);
}

void begin_with(const char *xsession, const struct display_open *open)
{
    if (xsession)
        put(HOME "/.xsession", xsession, 0644);
    else
        (void)unlink(HOME "/.xsession");
    start(open);
}

static struct display_open usual_open(void)
{
    struct display_open open = {.nmonitors = 1};
    open.monitors[0] = (struct display_monitor){.width = 800, .height = 600, .scale = 100, .primary = 1};
    return open;
}

void begin_again(void)
{
    struct display_open open = usual_open();
    start(&open);
}

void begin(const char *xsession)
{
    struct display_open open = usual_open();
    begin_with(xsession, &open);
}

int next_display(int sock, const struct wire_def **def, int *fds, int timeout_ms)
{
    fds[0] = -1;
    return wire_recv(sock, &display_to_front, def, inbox, fds, timeout_ms);
}

int attach_and_see_at(uint32_t id, int x, int y, uint32_t want)
{
    static struct leader_attach m;
    struct display_open open = {.nmonitors = 1};
    const struct wire_def *def;
    int sv[2], fds[WIRE_FDS_MAX];
    const uint8_t *pixels = NULL;
    size_t stride = 0, height = 0;
    uint32_t last = 0;
    int64_t deadline = clock_ms() + WAIT_MS;
    m = (struct leader_attach){.client = id, .role = ROLE_CONTROL, .address = "192.0.2.7", .client_name = "thin"};
    assert_int_equal(link_pair(sv), 0);
    assert_int_equal(wire_send(leader_link, &leader_attach_def, &m, &sv[1]), 0);
    close(sv[1]);
    open.monitors[0] = (struct display_monitor){.width = 800, .height = 600, .scale = 100, .primary = 1};
    assert_int_equal(wire_send(sv[0], &display_open_def, &open, NULL), 0);
    while (next_display(sv[0], &def, fds, conv_left_ms(deadline)) == 0) {
        if (def == &display_surface_def) {
            height = ((struct display_surface *)(void *)inbox)->height;
        } else if (def == &display_buffer_def) {
            stride = ((struct display_buffer *)(void *)inbox)->stride;
            pixels = mmap(NULL, stride * height, PROT_READ, MAP_SHARED, fds[0], 0);
            assert_true(pixels != MAP_FAILED);
            close(fds[0]);
        } else if (def == &display_frame_def && pixels) {
            struct display_frame_done done = {.frame = ((struct display_frame *)(void *)inbox)->frame};
            memcpy(&last, pixels + (size_t)y * stride + (size_t)x * 4, 4);
            if ((last & 0xffffff) == want)
                return sv[0];
            assert_int_equal(wire_send(sv[0], &display_frame_done_def, &done, NULL), 0);
        }
    }
    fail_msg("pixel is %06x, not %06x", last & 0xffffff, want);
    return -1;
}

int attach_and_see(uint32_t id, uint32_t want)
{
    return attach_and_see_at(id, 100, 100, want);
}

/* ---- what is left ---- */

static int processes(char *names, size_t cap)
{
    int n = 0;
    DIR *d = opendir("/proc");
    names[0] = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[300];
        if (!isdigit((unsigned char)e->d_name[0]) || (pid_t)strtol(e->d_name, NULL, 10) == getpid())
            continue;
        snprintf(path, sizeof path, "/proc/%s/status", e->d_name);
        const char *status = got(path);
        if (!status[0] || strstr(status, "State:\tZ"))
            continue;
        n++;
        snprintf(names + strlen(names), cap - strlen(names), "%.*s ", (int)strcspn(status, "\n"), status);
    }
    closedir(d);
    return n;
}

static char last_seen[256]; /* a name in a folder that should be empty, for the failure's text */

static bool is_expected(const struct dirent *e)
{
    return !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, ".X11-unix") ||
        !strcmp(e->d_name, ".ICE-unix") || !strcmp(e->d_name, ".XIM-unix") || !strcmp(e->d_name, ".font-unix") ||
        !strncmp(e->d_name, "xtermXX", 7) || /* xterm leaves its cursor folder when it is ended while starting */
        /* And ssh-agent, which Xsession starts, its socket's when it is killed */
        !strncmp(e->d_name, "ssh-", 4) ||
        !strncmp(e->d_name, "tmp.", 4); /* Xsession itself tries whether it can write, and may be ended while it does */
}

static bool folder_is_empty(const char *path)
{
    DIR *d = opendir(path);
    bool empty = true;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (is_expected(e))
            continue;
        empty = false;
        snprintf(last_seen, sizeof last_seen, "%s", e->d_name);
    }
    if (d)
        closedir(d);
    return empty;
}

bool somebody_is_on(void)
{
    bool on = false;
    setutxent();
    for (struct utmpx *u; (u = getutxent()) != NULL;)
        on = on || u->ut_type == USER_PROCESS;
    endutxent();
    return on;
}

/* Within five seconds nothing of any session is there. */
void nothing_is_left(void)
{
    char names[4096];
    int64_t deadline = clock_ms() + 5000;
    int n;
    do {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        n = processes(names, sizeof names);
        bool clean = n == 0 && folder_is_empty("/run/oriel/leaders") && folder_is_empty("/run/user") &&
            folder_is_empty("/tmp/.X11-unix") && folder_is_empty("/tmp") && !somebody_is_on();
        if (clean)
            return;
        (void)poll(NULL, 0, 20);
    } while (clock_ms() < deadline);
    fail_msg("left: %s; %d processes: %s; leaders %d user %d sockets %d tmp %d utmp %d", last_seen, n, names,
        !folder_is_empty("/run/oriel/leaders"), !folder_is_empty("/run/user"), !folder_is_empty("/tmp/.X11-unix"),
        !folder_is_empty("/tmp"), somebody_is_on());
}

void log_off(void)
{
    struct leader_logoff m = {.cause = END_ADMIN_LOGOFF};
    assert_int_equal(wire_send(leader_link, &leader_logoff_def, &m, NULL), 0);
    assert_int_equal(((struct leader_ended *)await(&leader_ended_def))->cause, END_ADMIN_LOGOFF);
    hang_up();
}

int rig_setup(void **state)
{
    use_agent("/mnt/b/" AGENT);
    pam_service = "oriel";
    write_config("", "");
    put("/mnt/script", RIGHT, 0644);
    return 0;
}

int rig_teardown(void **state)
{
    if (leader_link >= 0)
        hang_up();
    (void)kill(-1, SIGKILL); /* everybody else in this PID namespace */
    while (waitpid(-1, NULL, 0) > 0)
        ;
    static const char *const folders[] = {"/run/oriel/leaders", "/run/user", "/tmp"};
    static struct account root;
    for (size_t i = 0; i < 3; i++) /* a folder that is busy or a mount point stays, empty */
        (void)child_remove_tree(&root, folders[i], WAIT_MS);
    (void)mkdir("/run/oriel/leaders", 0700);
    (void)chmod("/tmp", 01777);
    put("/run/utmp", "", 0664);
    return 0;
}

bool memory_holds(pid_t pid, const char *needle)
{
    char line[512], path[64];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int mem = open(path, O_RDONLY | O_CLOEXEC);
    unsigned long from, to;
    while (maps && mem >= 0 && fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx r", &from, &to) != 2 || to - from > 64u << 20)
            continue;
        char *copy = malloc(to - from);
        ssize_t n = pread(mem, copy, to - from, (off_t)from);
        found = found || (n > 0 && memmem(copy, (size_t)n, needle, strlen(needle)));
        free(copy);
    }
    assert_true(maps && mem >= 0);
    fclose(maps);
    close(mem);
    return found;
}

void expect_failure(const char *first, const char *second)
{
    char text[LOG_TAIL_BYTES];
    const struct wire_def *def = NULL;
    int fds[WIRE_FDS_MAX];
    do
        assert_int_equal(wire_recv(leader_link, &leader_to_monitor, &def, inbox, fds, WAIT_MS), 0);
    while (def != &leader_failed_def);
    memcpy(text, inbox, sizeof text);
    if (!strstr(text, first) || !strstr(text, second))
        fail_msg("text is: %s", text);
    assert_int_equal(((struct leader_ended *)await(&leader_ended_def))->cause, END_SESSION_FAILED);
    nothing_is_left();
}

int rig_main(int (*tests)(void))
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC) < 0) {
        fprintf(stderr, "skipped: needs root and namespaces\n");
        return SKIP_STATUS;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (chdir("/") < 0)
            _exit(1);
        make_world();
        exit(tests());
    }
    int status;
    bool ended = pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status);
    _exit(ended ? WEXITSTATUS(status) : EXIT_FAILURE); /* a leak checker cannot work between PID namespaces */
}
