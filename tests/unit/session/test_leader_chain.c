/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whole sessions: a real oriel-leader with Xorg, agent and desktop, in private mount, PID and network namespaces with an account of
 * their own. This program plays the monitor and a client. Needs root; skipped otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmpx.h>

#include "common/link.h"
#include "common/secret.h"
#include "common/sockets.h"
#include "session/leader/conv.h"

#define USER "orieltest"
#define UID 7001
#define HOME "/home/" USER
#define SECRET "Marker-7f3a9c51e2d84b06"
#define SKIP_STATUS 77
#define WAIT_MS 8000
#define RIGHT "authenticate off Password:\nauthenticate expect " SECRET "\nopen_session env FROM_PAM=yes\n"
#define XTERM "xterm -geometry 400x200+0+0 -bg '#123456' -fg '#123456' +sb"

static int link_fd3 = -1;      /* our end of the leader's link */
static pid_t leader_pid;
static uint64_t session_id = 100;
static _Alignas(16) uint8_t inbox[sizeof(struct leader_hello) + 65536];

/* ---- a world of its own ---- */

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "cannot prepare: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static void put(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
    (void)fchmod(fd, mode);
    close(fd);
}

static const char *got(const char *path)
{
    static char text[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
    return text;
}

/* A private copy of a file of /etc with one line more. */
static void extend(const char *name, const char *line)
{
    char from[64], to[64];
    static char text[65536];
    snprintf(from, sizeof from, "/etc/%s", name);
    snprintf(to, sizeof to, "/mnt/%s", name);
    snprintf(text, sizeof text, "%s%s\n", got(from), line);
    put(to, text, 0600);
    struct stat st;
    must(stat(from, &st) == 0 && chmod(to, st.st_mode & 0777) == 0 && mount(to, from, NULL, MS_BIND, NULL) == 0, from);
}

static void fresh(const char *path, const char *mode)
{
    must(mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, mode) == 0, path);
}

static void write_config(const char *extra_display, const char *extra_session)
{
    char text[2048];
    snprintf(text, sizeof text, "[login]\npam_service = oriel\npam_dir = /mnt/pam\n[paths]\nrun_dir = /run/oriel\nlibexec_dir = /mnt/libexec\n"
             "[display]\nfirst = 20\n%s\n[session]\nlogoff_grace = 1\n%s\n", extra_display, extra_session);
    put("/mnt/oriel.conf", text, 0644);
}

static void use_agent(const char *program)
{
    (void)unlink("/mnt/libexec/oriel-agent");
    must(symlink(program, "/mnt/libexec/oriel-agent") == 0, "agent");
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
    must(mkdir("/run/oriel", 0755) == 0 && mkdir("/run/oriel/leaders", 0700) == 0, "run folder");
    must(mkdir("/mnt/libexec", 0755) == 0 && mkdir("/mnt/pam", 0755) == 0, "/mnt");
    for (int i = 0; i < 4; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s required /mnt/b/%s script=/mnt/script record=/mnt/record\n", types[i],
                      PAM_TEST_MODULE);
    put("/mnt/pam/oriel", text, 0644);
}

/* ---- playing the monitor ---- */

static void spawn_leader(void)
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
    link_fd3 = sv[0];
}

static void hang_up(void)
{
    close(link_fd3);
    link_fd3 = -1;
}

static enum refuse_reason log_in(const char *secret)
{
    static struct leader_auth req;
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    req = (struct leader_auth){.method = AUTH_PASSWORD, .user = USER, .rhost = "192.0.2.7", .nsecret = (uint32_t)strlen(secret)};
    memcpy(req.secret, secret, req.nsecret);
    assert_int_equal(wire_send(link_fd3, &leader_auth_def, &req, NULL), 0);
    secret_wipe(&req, sizeof req);
    assert_int_equal(wire_recv(link_fd3, &leader_to_monitor, &def, inbox, fds, WAIT_MS), 0);
    assert_ptr_equal(def, &leader_verdict_def);
    return ((struct leader_verdict *)inbox)->reason;
}

/* The next message of this kind; others are passed over. */
static void *await(const struct wire_def *want)
{
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    int64_t deadline = conv_now_ms() + WAIT_MS;
    for (;;) {
        int r = wire_recv(link_fd3, &leader_to_monitor, &def, inbox, fds, conv_left_ms(deadline));
        if (r < 0)
            fail_msg("%s did not come: %s\n%s", want->name, strerror(-r), got(HOME "/.local/state/oriel/session-100.log"));
        if (def == want)
            return inbox;
        if (def == &leader_failed_def)
            fail_msg("session failed: %s", ((struct leader_failed *)inbox)->text);
    }
}

static void begin(const char *xsession)
{
    static struct leader_start m;
    if (xsession)
        put(HOME "/.xsession", xsession, 0644);
    else
        (void)unlink(HOME "/.xsession");
    spawn_leader();
    assert_int_equal(log_in(SECRET), REFUSE_NONE);
    m = (struct leader_start){.session = ++session_id, .open = {.nmonitors = 1}};
    m.open.monitors[0] = (struct display_monitor){.width = 800, .height = 600, .scale = 100, .primary = 1};
    snprintf(m.key, sizeof m.key, "%032llx", (unsigned long long)session_id);
    snprintf(m.client_address, sizeof m.client_address, "192.0.2.7");
    assert_int_equal(wire_send(link_fd3, &leader_start_def, &m, NULL), 0);
}

static int next_display(int sock, const struct wire_def **def, int *fds, int timeout_ms)
{
    fds[0] = -1;
    return wire_recv(sock, &display_to_front, def, inbox, fds, timeout_ms);
}

/* Attach as client `id` and see the pixel at 100,100 become `want`. Returns the display link. */
static int attach_and_see(uint32_t id, uint32_t want)
{
    static struct leader_attach m;
    struct display_open open = {.nmonitors = 1};
    const struct wire_def *def;
    int sv[2], fds[WIRE_FDS_MAX];
    const uint8_t *pixels = NULL;
    size_t stride = 0;
    uint32_t last = 0;
    int64_t deadline = conv_now_ms() + WAIT_MS;
    m = (struct leader_attach){.client = id, .role = ROLE_CONTROL, .address = "192.0.2.7", .client_name = "thin"};
    assert_int_equal(link_pair(sv), 0);
    assert_int_equal(wire_send(link_fd3, &leader_attach_def, &m, &sv[1]), 0);
    close(sv[1]);
    open.monitors[0] = (struct display_monitor){.width = 800, .height = 600, .scale = 100, .primary = 1};
    assert_int_equal(wire_send(sv[0], &display_open_def, &open, NULL), 0);
    while (next_display(sv[0], &def, fds, conv_left_ms(deadline)) == 0) {
        if (def == &display_buffer_def) {
            const struct display_buffer *b = (void *)inbox;
            stride = b->stride;
            pixels = mmap(NULL, stride * b->height, PROT_READ, MAP_SHARED, fds[0], 0);
            assert_true(pixels != MAP_FAILED);
            close(fds[0]);
        } else if (def == &display_frame_def && pixels) {
            struct display_frame_done done = {((struct display_frame *)(void *)inbox)->frame};
            memcpy(&last, pixels + 100 * stride + 400, 4);
            if ((last & 0xffffff) == want)
                return sv[0];
            assert_int_equal(wire_send(sv[0], &display_frame_done_def, &done, NULL), 0);
        }
    }
    fail_msg("pixel is %06x, not %06x", last & 0xffffff, want);
    return -1;
}

/* ---- what is left ---- */

static int processes(char *names, size_t cap)
{
    int n = 0;
    DIR *d = opendir("/proc");
    names[0] = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[300];
        if (!isdigit((unsigned char)e->d_name[0]) || atoi(e->d_name) == getpid())
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

static bool folder_is_empty(const char *path)
{
    DIR *d = opendir(path);
    bool empty = true;
    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        empty = empty && (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, ".X11-unix"));
    if (d)
        closedir(d);
    return empty;
}

static bool somebody_is_on(void)
{
    bool on = false;
    setutxent();
    for (struct utmpx *u; (u = getutxent()) != NULL;)
        on = on || u->ut_type == USER_PROCESS;
    endutxent();
    return on;
}

/* Within five seconds nothing of any session is there. */
static void nothing_is_left(void)
{
    char names[4096];
    int64_t deadline = conv_now_ms() + 5000;
    int n;
    do {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        n = processes(names, sizeof names);
        bool clean = n == 0 && folder_is_empty("/run/oriel/leaders") && folder_is_empty("/run/user") && folder_is_empty("/tmp/.X11-unix") &&
                     folder_is_empty("/tmp") && !somebody_is_on();
        if (clean)
            return;
        (void)poll(NULL, 0, 20);
    } while (conv_now_ms() < deadline);
    fail_msg("left: %d processes: %s; leaders %d user %d sockets %d tmp %d utmp %d", n, names, !folder_is_empty("/run/oriel/leaders"),
             !folder_is_empty("/run/user"), !folder_is_empty("/tmp/.X11-unix"), !folder_is_empty("/tmp"), somebody_is_on());
}

static void log_off(void)
{
    struct leader_logoff m = {.cause = END_ADMIN_LOGOFF};
    assert_int_equal(wire_send(link_fd3, &leader_logoff_def, &m, NULL), 0);
    assert_int_equal(((struct leader_ended *)await(&leader_ended_def))->cause, END_ADMIN_LOGOFF);
    hang_up();
}

static int setup(void **state)
{
    (void)state;
    use_agent("/mnt/b/" AGENT);
    write_config("", "");
    put("/mnt/script", RIGHT, 0644);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (link_fd3 >= 0)
        hang_up();
    return 0;
}

/* ---- the tests ---- */

static void a_refused_login_starts_nothing(void **state)
{
    (void)state;
    spawn_leader();
    assert_int_equal(log_in("wrong"), REFUSE_CREDENTIALS);
    nothing_is_left();
    assert_null(strstr(got("/mnt/record"), "session"));
    assert_int_equal(access("/tmp/.X11-unix", F_OK), -1);
}

static void a_login_without_a_start_leaves_nothing(void **state)
{
    (void)state;
    spawn_leader();
    assert_int_equal(log_in(SECRET), REFUSE_NONE);
    hang_up();
    nothing_is_left();
    assert_null(strstr(got("/mnt/record"), "session"));
}

static bool memory_holds(pid_t pid, const char *needle)
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

static void a_session_shows_its_pixels_and_its_logoff_leaves_nothing(void **state)
{
    (void)state;
    char want[128];
    int64_t before = conv_now_ms();
    begin("env > ~/env\n(trap '' TERM HUP; env -i setsid sh -c 'trap \"\" TERM HUP; sleep 1000; :') &\nexec " XTERM "\n");
    const struct leader_hello *h = await(&leader_hello_def);
    print_message("hello after %lld ms\n", (long long)(conv_now_ms() - before));
    assert_string_equal(h->user, USER);
    assert_int_equal(h->uid, UID);
    assert_int_equal(h->display, 20);
    bool from_pam = false;
    for (uint32_t i = 0; i < h->nenv; i++)
        from_pam = from_pam || !strcmp(h->env[i].text, "FROM_PAM=yes");
    assert_true(from_pam);
    struct stat st;
    assert_int_equal(stat(h->xauthority, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, UID);
    pid_t leader = h->leader_pid;
    int display = attach_and_see(7, 0x123456);
    print_message("pixels after %lld ms\n", (long long)(conv_now_ms() - before));
    assert_true(somebody_is_on());
    assert_false(memory_holds(leader, SECRET));
    const char *env = got(HOME "/env");
    assert_non_null(strstr(env, "FROM_PAM=yes\n"));
    assert_non_null(strstr(env, "DISPLAY=:20\n"));
    snprintf(want, sizeof want, "XDG_RUNTIME_DIR=/run/user/7001/oriel-%d\n", (int)session_id);
    assert_non_null(strstr(env, want));
    assert_non_null(strstr(env, "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/7001/oriel-"));
    log_off();
    close(display);
    nothing_is_left();
    assert_non_null(strstr(got("/mnt/record"), "close_session"));
    snprintf(want, sizeof want, "setcred flags=%d", 4 /* PAM_DELETE_CRED */);
    assert_non_null(strstr(got("/mnt/record"), want));
}

static void the_end_of_the_desktop_is_a_logoff(void **state)
{
    (void)state;
    begin("sleep 1.2\n");
    (void)await(&leader_hello_def);
    assert_int_equal(((struct leader_ended *)await(&leader_ended_def))->cause, END_USER_LOGOFF);
    nothing_is_left();
}

static void expect_failure(const char *first, const char *second)
{
    char text[LOG_TAIL_BYTES];
    const struct wire_def *def = NULL;
    int fds[WIRE_FDS_MAX];
    do
        assert_int_equal(wire_recv(link_fd3, &leader_to_monitor, &def, inbox, fds, WAIT_MS), 0);
    while (def != &leader_failed_def);
    memcpy(text, inbox, sizeof text);
    if (!strstr(text, first) || !strstr(text, second))
        fail_msg("text is: %s", text);
    assert_int_equal(((struct leader_ended *)await(&leader_ended_def))->cause, END_SESSION_FAILED);
    nothing_is_left();
}

static void a_desktop_that_fails_says_why(void **state)
{
    (void)state;
    begin("echo the disk of dreams is full\nexit 3\n");
    expect_failure("exit status 3", "the disk of dreams is full");
}

static void a_missing_x_server_says_what_to_install(void **state)
{
    (void)state;
    write_config("xorg = /usr/lib/xorg/NoSuch", "");
    begin(XTERM);
    expect_failure("/usr/lib/xorg/NoSuch", "xserver-xorg-video-dummy");
}

static void an_x_server_that_ends_at_once_is_a_failure(void **state)
{
    (void)state;
    write_config("xorg = /bin/false", "");
    begin(XTERM);
    expect_failure("X server", "exit status 1");
}

static void an_agent_that_ends_at_once_is_a_failure(void **state)
{
    (void)state;
    use_agent("/bin/false");
    begin(XTERM);
    expect_failure("oriel-agent", "before it was ready");
}

static void a_killed_x_server_ends_the_session_with_words(void **state)
{
    (void)state;
    begin(XTERM);
    const struct leader_hello *h = await(&leader_hello_def);
    kill(h->display_pid, SIGKILL);
    expect_failure("X server of the session ended", "signal 9");
}

static void every_failing_pam_call_of_the_start_is_told(void **state)
{
    (void)state;
    put("/mnt/script", RIGHT "open_session error No room\nopen_session return 14\n", 0644);
    begin(XTERM);
    expect_failure("pam_open_session", "No room");
    put("/mnt/script", RIGHT "setcred return 17\n", 0644);
    begin(XTERM);
    expect_failure("pam_setcred", "");
}

static void a_killed_agent_is_replaced_and_the_session_lives(void **state)
{
    (void)state;
    begin("exec " XTERM "\n");
    pid_t agent = ((struct leader_hello *)await(&leader_hello_def))->agent_pid;
    int display = attach_and_see(7, 0x123456);
    kill(agent, SIGKILL);
    assert_int_equal(((struct leader_client_gone *)await(&leader_client_gone_def))->client, 7);
    close(display);
    const struct leader_hello *h = await(&leader_hello_def);
    assert_int_not_equal(h->agent_pid, agent);
    assert_int_equal(h->nclients, 0);
    display = attach_and_see(8, 0x123456);
    log_off();
    close(display);
    nothing_is_left();
}

static void a_new_monitor_finds_the_session_with_its_clients(void **state)
{
    (void)state;
    char path[64];
    begin("exec " XTERM "\n");
    (void)await(&leader_hello_def);
    int display = attach_and_see(7, 0x123456);
    hang_up();
    snprintf(path, sizeof path, "/run/oriel/leaders/%d.sock", (int)session_id);
    link_fd3 = sockets_connect(path);
    assert_true(link_fd3 >= 0);
    const struct leader_hello *h = await(&leader_hello_def);
    assert_int_equal(h->session, session_id);
    assert_int_equal(h->nclients, 1);
    assert_int_equal(h->clients[0].client, 7);
    assert_int_equal(h->clients[0].width, 800);
    int second = sockets_connect(path); /* a newer one replaces it */
    assert_true(second >= 0);
    int fds[WIRE_FDS_MAX];
    const struct wire_def *def;
    assert_int_equal(wire_recv(link_fd3, &leader_to_monitor, &def, inbox, fds, WAIT_MS), -EPIPE);
    hang_up();
    link_fd3 = second;
    (void)await(&leader_hello_def);
    log_off();
    close(display);
    nothing_is_left();
}

static void nobody_but_root_is_a_monitor(void **state)
{
    (void)state;
    char path[64];
    begin("exec " XTERM "\n");
    (void)await(&leader_hello_def);
    assert_int_equal(chmod("/run/oriel/leaders", 0777), 0); /* even if the folder let them in */
    snprintf(path, sizeof path, "/run/oriel/leaders/%d.sock", (int)session_id);
    assert_int_equal(chmod(path, 0777), 0);
    assert_int_equal(seteuid(65534), 0);
    int fd = sockets_connect(path);
    assert_int_equal(seteuid(0), 0);
    assert_true(fd >= 0);
    int fds[WIRE_FDS_MAX];
    const struct wire_def *def;
    assert_int_equal(wire_recv(fd, &leader_to_monitor, &def, inbox, fds, WAIT_MS), -EPIPE);
    close(fd);
    assert_int_equal(chmod("/run/oriel/leaders", 0700), 0);
    log_off();
    nothing_is_left();
}

static void a_killed_leader_takes_its_session_with_it(void **state)
{
    (void)state;
    begin("env -i setsid sh -c 'trap \"\" TERM HUP; sleep 1000; :' &\nexec " XTERM "\n");
    pid_t leader = ((struct leader_hello *)await(&leader_hello_def))->leader_pid;
    kill(leader, SIGKILL);
    nothing_is_left();
}

static void a_detach_drops_the_client_and_says_so(void **state)
{
    (void)state;
    struct leader_detach m = {.client = 7, .cause = END_REPLACED};
    const struct wire_def *def = NULL;
    int fds[WIRE_FDS_MAX];
    begin("exec " XTERM "\n");
    (void)await(&leader_hello_def);
    int display = attach_and_see(7, 0x123456);
    assert_int_equal(wire_send(link_fd3, &leader_detach_def, &m, NULL), 0);
    const struct leader_client_gone *gone = await(&leader_client_gone_def);
    assert_int_equal(gone->client, 7);
    assert_int_equal(gone->cause, END_REPLACED);
    int r;
    while ((r = next_display(display, &def, fds, WAIT_MS)) == 0)
        if (fds[0] >= 0)
            close(fds[0]);
    assert_int_equal(r, -EPIPE);
    close(display);
    log_off();
    nothing_is_left();
}

static void displays_that_are_taken_are_left_alone(void **state)
{
    (void)state;
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/tmp/.X11-unix/X21"};
    char lock[16];
    assert_true(mkdir("/tmp/.X11-unix", 01777) == 0 || errno == EEXIST);
    assert_int_equal(chmod("/tmp/.X11-unix", 01777), 0);
    snprintf(lock, sizeof lock, "%10d\n", (int)getpid());
    put("/tmp/.X20-lock", lock, 0444);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 4), 0);
    put("/tmp/.X22-lock", "     99999\n", 0444); /* its server is long dead */
    begin("exec " XTERM "\n");
    assert_int_equal(((struct leader_hello *)await(&leader_hello_def))->display, 22);
    log_off();
    assert_int_equal(access("/tmp/.X20-lock", F_OK), 0);
    assert_int_equal(access("/tmp/.X11-unix/X21", F_OK), 0);
    close(fd);
    unlink("/tmp/.X20-lock");
    unlink(a.sun_path);
    nothing_is_left();
}

static void a_socket_folder_that_anybody_could_change_is_refused(void **state)
{
    (void)state;
    (void)mkdir("/tmp/.X11-unix", 0777);
    assert_int_equal(chmod("/tmp/.X11-unix", 0777), 0);
    begin(XTERM);
    expect_failure("/tmp/.X11-unix", "sticky");
    assert_int_equal(rmdir("/tmp/.X11-unix"), 0);
}

static void a_link_in_place_of_the_log_is_not_followed(void **state)
{
    (void)state;
    char path[128];
    put("/mnt/precious", "precious", 0666);
    snprintf(path, sizeof path, HOME "/.local/state/oriel/session-%d.log", (int)session_id + 1);
    assert_int_equal(symlink("/mnt/precious", path), 0);
    begin("echo hello\nexec " XTERM "\n");
    (void)await(&leader_hello_def);
    log_off();
    nothing_is_left();
    assert_string_equal(got("/mnt/precious"), "precious");
}

static void a_session_without_a_dot_xsession_still_shows_something(void **state)
{
    (void)state;
    write_config("", "start_command = exec " XTERM);
    begin(NULL);
    (void)await(&leader_hello_def);
    int display = attach_and_see(7, 0x123456);
    log_off();
    close(display);
    nothing_is_left();
}

static int all_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_refused_login_starts_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_login_without_a_start_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_shows_its_pixels_and_its_logoff_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_of_the_desktop_is_a_logoff, setup, teardown),
        cmocka_unit_test_setup_teardown(a_desktop_that_fails_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_x_server_says_what_to_install, setup, teardown),
        cmocka_unit_test_setup_teardown(an_x_server_that_ends_at_once_is_a_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(an_agent_that_ends_at_once_is_a_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(a_killed_x_server_ends_the_session_with_words, setup, teardown),
        cmocka_unit_test_setup_teardown(every_failing_pam_call_of_the_start_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(a_killed_agent_is_replaced_and_the_session_lives, setup, teardown),
        cmocka_unit_test_setup_teardown(a_new_monitor_finds_the_session_with_its_clients, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_but_root_is_a_monitor, setup, teardown),
        cmocka_unit_test_setup_teardown(a_killed_leader_takes_its_session_with_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_detach_drops_the_client_and_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(displays_that_are_taken_are_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_socket_folder_that_anybody_could_change_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_in_place_of_the_log_is_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_without_a_dot_xsession_still_shows_something, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
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
        exit(all_tests());
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return EXIT_FAILURE;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
