/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real leader with the services for tests: who serves a client's service, and how long. Needs root; skipped
 * otherwise. */
#include "common/link.h"
#include "common/sockets.h"
#include "session/proto/echo.h"
#include "session/proto/leader.h"
#include "tests/unit/session/leader_rig.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENT 7

static int display = -1;
static struct echo_request asked __attribute__((aligned(16)));

static int grant(uint32_t client, uint8_t service)
{
    int sv[2];
    struct leader_service m = {
        .grant = {.client = client, .service = service, .limits = {.directions = 3, .piece_max = SERVICE_PIECE_MAX}}};
    assert_int_equal(link_pair(sv), 0);
    assert_int_equal(wire_send(leader_link, &leader_service_def, &m, &sv[1]), 0);
    close(sv[1]);
    return sv[0];
}

/* 0, or -EPIPE: its other end is closed. */
static int next_question(int echo)
{
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    return wire_recv(echo, &echo_to_client, &def, &asked, fds, WAIT_MS);
}

static void answer(int echo)
{
    static struct echo_response m;
    m = (struct echo_response){.id = asked.id, .ndata = asked.ndata};
    memcpy(m.data, asked.data, asked.ndata);
    assert_int_equal(wire_send(echo, &echo_response_def, &m, NULL), 0);
}

/* The first question tells who asks: a process of the session's user. */
static pid_t first_question(int echo)
{
    int pid = 0, uid = 0;
    assert_int_equal(next_question(echo), 0);
    assert_int_equal(asked.id, 1);
    asked.data[asked.ndata] = 0;
    assert_int_equal(sscanf((const char *)asked.data, "%d %d", &pid, &uid), 2);
    assert_int_equal(uid, UID);
    assert_true(pid > 1);
    return pid;
}

static void expect_gone(uint32_t client, uint8_t service, uint8_t for_good)
{
    const struct leader_service_gone *g = await(&leader_service_gone_def);
    assert_int_equal(g->client, client);
    assert_int_equal(g->service, service);
    assert_int_equal(g->for_good, for_good);
}

static int session_with_client(void **state)
{
    int r = rig_setup(state);
    (void)unlink("/mnt/libexec/oriel-test-echo");
    assert_int_equal(symlink("/mnt/b/tests/unit/session/fakes/oriel-test-echo", "/mnt/libexec/oriel-test-echo"), 0);
    begin("exec " XTERM "\n");
    const struct leader_hello *h = await(&leader_hello_def);
    assert_int_equal(h->services, SERVICE_BIT(SERVICE_DISPLAY) | SERVICE_BIT(SERVICE_ECHO));
    display = attach_and_see(CLIENT, 0x123456);
    return r;
}

static void end_session(int echo)
{
    log_off();
    assert_int_equal(next_question(echo), -EPIPE);
    close(echo);
    close(display);
    nothing_is_left();
}

static void a_granted_service_is_served_by_a_process_of_the_user(void **state)
{
    int echo = grant(CLIENT, SERVICE_ECHO);
    (void)first_question(echo);
    for (uint32_t id = 2; id < 10; id++) {
        answer(echo);
        assert_int_equal(next_question(echo), 0);
        assert_int_equal(asked.id, id);
    }
    end_session(echo);
}

static void a_service_that_is_killed_is_told_and_the_next_link_has_a_process_of_its_own(void **state)
{
    int echo = grant(CLIENT, SERVICE_ECHO);
    pid_t first = first_question(echo);
    kill(first, SIGKILL);
    expect_gone(CLIENT, SERVICE_ECHO, 0);
    assert_int_equal(next_question(echo), -EPIPE);
    close(echo);
    echo = grant(CLIENT, SERVICE_ECHO);
    assert_int_not_equal(first_question(echo), first);
    int third = grant(CLIENT, SERVICE_ECHO); /* takes the place of one that lives */
    (void)first_question(third);
    assert_int_equal(next_question(echo), -EPIPE);
    close(echo);
    end_session(third);
}

static void what_nobody_serves_is_told_for_good(void **state)
{
    static const uint8_t none[] = {SERVICE_DISPLAY, SERVICE_MAX + 1, UINT8_MAX};
    for (size_t i = 0; i < sizeof none; i++) {
        int fd = grant(CLIENT, none[i]);
        expect_gone(CLIENT, none[i], 1);
        assert_int_equal(next_question(fd), -EPIPE);
        close(fd);
    }
    assert_int_equal(unlink("/mnt/libexec/oriel-test-echo"), 0);
    int fd = grant(CLIENT, SERVICE_ECHO);
    expect_gone(CLIENT, SERVICE_ECHO, 1);
    end_session(fd);
}

static void a_service_ends_with_its_client(void **state)
{
    struct leader_detach m = {.client = CLIENT, .cause = END_REPLACED};
    int nobodys = grant(CLIENT + 1, SERVICE_ECHO), echo = grant(CLIENT, SERVICE_ECHO);
    assert_int_equal(next_question(nobodys), -EPIPE);
    close(nobodys);
    (void)first_question(echo);
    assert_int_equal(wire_send(leader_link, &leader_detach_def, &m, NULL), 0);
    (void)await(&leader_client_gone_def);
    end_session(echo);
}

static void what_ended_while_no_monitor_was_there_is_told_to_the_next_one(void **state)
{
    char path[64];
    int echo = grant(CLIENT, SERVICE_ECHO);
    pid_t first = first_question(echo);
    hang_up();
    kill(first, SIGKILL);
    assert_int_equal(next_question(echo), -EPIPE);
    close(echo);
    snprintf(path, sizeof path, "/run/oriel/leaders/%d.sock", (int)session_id);
    leader_link = sockets_connect(path);
    assert_true(leader_link >= 0);
    (void)await(&leader_hello_def);
    expect_gone(CLIENT, SERVICE_ECHO, 0);
    echo = grant(CLIENT, SERVICE_ECHO);
    (void)first_question(echo);
    end_session(echo);
}

static int all_tests(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, session_with_client, rig_teardown)
    const struct CMUnitTest tests[] = {
        T(a_granted_service_is_served_by_a_process_of_the_user),
        T(a_service_that_is_killed_is_told_and_the_next_link_has_a_process_of_its_own),
        T(what_nobody_serves_is_told_for_good),
        T(a_service_ends_with_its_client),
        T(what_ended_while_no_monitor_was_there_is_told_to_the_next_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    return rig_main(all_tests);
}
