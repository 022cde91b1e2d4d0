/* SPDX-License-Identifier: GPL-3.0-or-later */
/* orielctl: the administrator's words to oriel-monitor. */
#include "common/config.h"
#include "common/sockets.h"
#include "common/text.h"
#include "session/orielctl/json.h"
#include "session/proto/control.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 20000 /* drawing a message takes the longest */
enum orielctl_exit { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_NO_SUCH = 3, EXIT_UNREACHABLE = 4 };

static const char usage[] = "usage: orielctl [--config FILE] COMMAND\n"
                            "FILE: the one oriel was started with; default " ORIEL_CONF "\n"
                            "  status                     versions, and how much is going on\n"
                            "  sessions [--json]          who has a session, in which state, from where\n"
                            "  disconnect ID [CLIENT]     disconnect the clients of a session; it goes on\n"
                            "  logoff ID                  end a session\n"
                            "  message ID TEXT            show a message in a session\n"
                            "  throttle [clear [KEY]]     who guessed too often; forget one key, or all\n"
                            "  config                     the configuration in use\n"
                            "exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such session, client or key, 4 "
                            "oriel-monitor cannot be reached\n";

struct ask {
    int fd;
    bool json;
    unsigned rows;
    union {
        struct control_session session;
        struct control_text text;
        struct control_viewer viewer;
        struct control_done done;
    } msg;
};

static int unreachable(const char *path, int err)
{
    const char *hint = err == -EACCES ? "only root, or members of the group in control.group, may ask"
                                      : "is oriel running, and is --config the file it was started with?";
    fprintf(stderr, "orielctl: %s: %s; %s\n", path, strerror(-err), hint);
    return EXIT_UNREACHABLE;
}

static int connect_monitor(const char *config_path, char *sock, size_t cap)
{
    static struct config c;
    struct config_error err;
    config_defaults(&c);
    if (!config_path)
        config_path = config_default_path();
    if (config_path && config_load(&c, config_path, &err) < 0) {
        fprintf(stderr, "orielctl: %s:%u: %s\n", err.file, err.line, err.text);
        exit(EXIT_USAGE);
    }
    int r = config_run_path(&c, "control.sock", sock, cap);
    return r < 0 ? r : sockets_connect(sock);
}

static void print_since(uint64_t since)
{
    char text[32];
    time_t t = (time_t)since;
    struct tm tm;
    if (!localtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M", &tm))
        snprintf(text, sizeof text, "?");
    printf("%-17s", text);
}

/* Names come from clients: nothing that a terminal would take for a command goes there. `lines`: with line ends. */
static void print_plain(FILE *out, const char *s, bool lines)
{
    for (size_t left = strlen(s), n; left; s += n, left -= n) {
        uint32_t code = 0;
        n = text_char(s, left, &code);
        if (n && (text_is_plain(code) || (lines && code == '\n')))
            fwrite(s, 1, n, out);
        else
            putc('?', out);
        n = n ? n : 1;
    }
}

static void print_row(const struct control_session *s)
{
    printf("%-6" PRIu64 " ", s->session);
    print_plain(stdout, s->user, false);
    printf("%*s %-9s ", (int)(strlen(s->user) < 16 ? 16 - strlen(s->user) : 0), "", session_state_name(s->state));
    print_since(s->since);
    if (s->display)
        printf(" :%-6" PRIu32, s->display);
    else
        printf(" %-7s", "-");
    for (uint32_t i = 0; i < s->nclients; i++) {
        const struct leader_client *c = &s->clients[i];
        printf("%s%s %s ", i ? ", " : " ", client_role_name(c->role), *c->address ? c->address : "local");
        print_plain(stdout, c->client_name, false);
        printf(" %" PRIu32 "x%" PRIu32, c->width, c->height);
    }
    putchar('\n');
}

static void take_session(struct ask *a)
{
    if (a->json) {
        fputs(a->rows ? ",\n " : "[\n ", stdout);
        json_session(stdout, &a->msg.session);
    } else {
        if (!a->rows)
            printf("%-6s %-16s %-9s %-17s %-8s %s\n", "ID", "USER", "STATE", "SINCE", "DISPLAY", "CLIENTS");
        print_row(&a->msg.session);
    }
    a->rows++;
}

static int take_done(struct ask *a)
{
    if (a->json)
        fputs(a->rows ? "\n]\n" : "[]\n", stdout);
    if (*a->msg.done.text) {
        fputs("orielctl: ", stderr);
        print_plain(stderr, a->msg.done.text, true);
        putc('\n', stderr);
    }
    return a->msg.done.code;
}

/* A viewer keeps its display link until it is ended, or the session is. */
static int view(struct ask *a, int display)
{
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    printf("client %" PRIu32 "\n", a->msg.viewer.client);
    fflush(stdout);
    struct display_open open = {.nmonitors = 1,
        .monitors = {{.width = 1024, .height = 768, .scale = 100, .primary = 1}}};
    (void)wire_send(display, &display_open_def, &open, NULL);
    int r = wire_recv(a->fd, &monitor_to_control, &def, &a->msg, fds, -1);
    close(display);
    return r == 0 && def == &control_done_def ? take_done(a) : EXIT_FAILED;
}

static int answers(struct ask *a)
{
    for (;;) {
        const struct wire_def *def;
        int fds[WIRE_FDS_MAX];
        int r = wire_recv(a->fd, &monitor_to_control, &def, &a->msg, fds, ANSWER_MS);
        if (r < 0) {
            fprintf(stderr, "orielctl: no answer from oriel-monitor: %s\n", strerror(-r));
            return EXIT_UNREACHABLE;
        }
        if (def == &control_session_def)
            take_session(a);
        else if (def == &control_text_def)
            print_plain(stdout, a->msg.text.text, true);
        else if (def == &control_viewer_def)
            return view(a, fds[0]);
        else
            return take_done(a);
    }
}

static int bad_usage(const char *what)
{
    fprintf(stderr, "orielctl: %s\n%s", what, usage);
    return EXIT_USAGE;
}

static bool number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    if (!text || *text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return !*end && !errno && *out <= max;
}

static int join(int argc, char **argv, char *out, size_t cap)
{
    size_t at = 0;
    out[0] = 0;
    for (int i = 0; i < argc; i++) {
        int n = snprintf(out + at, cap - at, "%s%s", i ? " " : "", argv[i]);
        if (n < 0 || (size_t)n >= cap - at)
            return -EMSGSIZE;
        at += (size_t)n;
    }
    return at ? 0 : -EINVAL;
}

union control_request {
    struct control_disconnect disconnect;
    struct control_logoff logoff;
    struct control_message message;
    struct control_throttle throttle;
    struct control_view view;
};

/* Commands that name a session. argv[0] is the command. Returns the message, or NULL with the usage error in *why. */
static const struct wire_def *parse_session_command(int argc, char **argv, union control_request *q, const char **why)
{
    uint64_t id = 0, client = 0;
    *why = "the session's number is missing or is none; \"orielctl sessions\" lists them";
    if (argc < 2 || !number(argv[1], INT64_MAX, &id))
        return NULL;
    if (strcmp(argv[0], "message") == 0) {
        q->message.session = id;
        *why = "the text is missing, or longer than 1023 bytes";
        return join(argc - 2, argv + 2, q->message.text, sizeof q->message.text) < 0 ? NULL : &control_message_def;
    }
    *why = "too many arguments, or the client is not a number";
    if (strcmp(argv[0], "disconnect") == 0) {
        if (argc > 3 || (argc == 3 && !number(argv[2], UINT32_MAX, &client)))
            return NULL;
        q->disconnect = (struct control_disconnect){id, (uint32_t)client};
        return &control_disconnect_def;
    }
    if (argc > 2)
        return NULL;
    q->logoff.session = id; /* view begins with the same field */
    return strcmp(argv[0], "view") == 0 ? &control_view_def : &control_logoff_def;
}

static const struct wire_def *parse_throttle(int argc, char **argv, union control_request *q, const char **why)
{
    *why = "throttle takes nothing, \"clear\", or \"clear KEY\"";
    if (argc == 1)
        return &control_throttle_def;
    bool clear = strcmp(argv[1], "clear") == 0 || strcmp(argv[1], "--clear") == 0;
    if (!clear || argc > 3 || (argc == 3 && strlen(argv[2]) >= sizeof q->throttle.key))
        return NULL;
    q->throttle.clear = 1;
    snprintf(q->throttle.key, sizeof q->throttle.key, "%s", argc == 3 ? argv[2] : "");
    return &control_throttle_def;
}

static const struct wire_def *parse(int argc, char **argv, union control_request *q, bool *json, const char **why)
{
    static const struct {
        const char *name;
        const struct wire_def *def;
    } plain[] = {{"status", &control_status_def}, {"sessions", &control_sessions_def}, {"config", &control_config_def}};
    static const char *const with_session[] = {"disconnect", "logoff", "message", "view"};
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (strcmp(argv[0], plain[i].name) != 0)
            continue;
        *json = argc == 2 && plain[i].def == &control_sessions_def && strcmp(argv[1], "--json") == 0;
        *why = "too many arguments";
        return argc == 1 || *json ? plain[i].def : NULL;
    }
    for (size_t i = 0; i < sizeof with_session / sizeof with_session[0]; i++)
        if (strcmp(argv[0], with_session[i]) == 0)
            return parse_session_command(argc, argv, q, why);
    if (strcmp(argv[0], "throttle") == 0)
        return parse_throttle(argc, argv, q, why);
    *why = "no such command";
    return NULL;
}

static void quit(int sig)
{
    _exit(128 + sig);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'}, {0}};
    static struct ask a;
    static union control_request q;
    const char *config_path = NULL, *why = NULL;
    char sock[256] = "control.sock";
    int opt;
    while ((opt = getopt_long(argc, argv, "+c:h", options, NULL)) != -1) {
        if (opt == 'c')
            config_path = optarg;
        else if (opt == 'h' || opt == 'v')
            return fputs(opt == 'h' ? usage : "orielctl " ORIEL_VERSION "\n", stdout) < 0 ? EXIT_FAILED : EXIT_DONE;
        else
            return bad_usage("wrong option");
    }
    if (optind == argc)
        return bad_usage("a command is missing");
    const struct wire_def *def = parse(argc - optind, argv + optind, &q, &a.json, &why);
    if (!def)
        return bad_usage(why);
    signal(SIGINT, quit);
    a.fd = connect_monitor(config_path, sock, sizeof sock);
    if (a.fd < 0)
        return unreachable(sock, a.fd);
    int r = wire_send(a.fd, def, &q, NULL);
    if (r < 0)
        return unreachable(sock, r);
    r = answers(&a);
    return fflush(stdout) == 0 ? r : EXIT_FAILED;
}
