/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Services from the grant to the last link, by a monitor that has those for tests. */
#include "rig.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define QUIET_MS 700 /* three times what the monitor waits before it makes another link */

static struct rig rig;

/* The next message grants ECHO; its link says which service of which client it is. Returns the link. */
static int expect_service(struct rig_peer *p, uint32_t client)
{
    char want[64];
    int fd = -1;
    const struct peer_service *s = rig_peer_expect(p, peer_service, &fd);
    assert_int_equal(s->service, SERVICE_ECHO);
    assert_int_equal(s->limits.directions, SERVICE_TO_CLIENT | SERVICE_TO_SESSION);
    assert_int_equal(s->limits.piece_max, SERVICE_PIECE_MAX);
    snprintf(want, sizeof want, "service %d client %u", SERVICE_ECHO, client);
    (void)rig_expect_text(fd, want);
    return fd;
}

static void expect_nothing(struct rig_peer *p)
{
    struct pollfd f = {p->fd, POLLIN, 0};
    assert_int_equal(poll(&f, 1, QUIET_MS), 0);
}

static void a_client_in_control_gets_a_link_for_each_service(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    int echo = expect_service(&p, v.client);
    rig_type(display, "logoff");
    rig_expect_end(&p, END_USER_LOGOFF);
    rig_expect_closed(echo);
    close(echo);
    close(display);
    close(p.fd);
}

static void who_takes_over_gets_links_of_its_own(void **state)
{
    struct peer_verdict v, w;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1"), q = rig_connect(&rig, "192.0.2.2");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    int first = expect_service(&p, v.client);
    int second_display = rig_login(&rig, &q, "anna", VERDICT_ATTACH, &w, NULL);
    int second = expect_service(&q, w.client);
    assert_true(w.client > v.client);
    rig_expect_end(&p, END_REPLACED);
    rig_type(second_display, "logoff");
    rig_expect_end(&q, END_USER_LOGOFF);
    close(first), close(second), close(display), close(second_display), close(p.fd), close(q.fd);
}

static void a_leader_that_does_not_serve_it_is_not_asked(void **state)
{
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "old", VERDICT_START, NULL, NULL);
    rig_type(display, "logoff");
    rig_expect_end(&p, END_USER_LOGOFF); /* and nothing before it */
    close(display);
    close(p.fd);
}

static void a_service_that_died_gets_a_new_link_ten_times(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    int echo = expect_service(&p, v.client);
    for (int i = 0; i < SERVICE_RESTARTS_MAX; i++) {
        rig_type(display, "die");
        rig_expect_closed(echo);
        close(echo);
        echo = expect_service(&p, v.client);
    }
    rig_type(display, "die");
    rig_expect_closed(echo);
    close(echo);
    expect_nothing(&p);
    rig_type(display, "logoff");
    rig_expect_end(&p, END_USER_LOGOFF);
    close(display);
    close(p.fd);
}

static void a_service_that_is_gone_for_good_gets_none(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    int echo = expect_service(&p, v.client);
    rig_type(display, "die for good");
    rig_expect_closed(echo);
    close(echo);
    expect_nothing(&p);
    rig_type(display, "logoff");
    rig_expect_end(&p, END_USER_LOGOFF);
    close(display);
    close(p.fd);
}

static void resume(struct rig_peer *p, const struct peer_verdict *v)
{
    struct peer_resume r = {.session = v->session, .client = v->client, .ntoken = TOKEN_BYTES};
    memcpy(r.token, v->token, TOKEN_BYTES);
    assert_int_equal(wire_send(p->fd, &peer_resume_def, &r, NULL), 0);
    (void)rig_peer_expect(p, peer_resumed, NULL);
}

/* The next monitor has found the leader, and the client has not found the monitor. */
static void a_service_that_dies_before_its_client_resumes_gets_its_link_then(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    int echo = expect_service(&p, v.client);
    rig_restart(&rig);
    rig_expect_closed(p.fd);
    close(p.fd);
    rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    rig_type(display, "die");
    rig_expect_closed(echo);
    close(echo);
    p = rig_reconnect(&rig, p.id, "192.0.2.1");
    expect_nothing(&p); /* the monitor's own timer is over by then */
    resume(&p, &v);
    close(expect_service(&p, v.client));
    rig_type(display, "logoff");
    rig_expect_end(&p, END_USER_LOGOFF);
    close(display);
    close(p.fd);
}

static void a_link_outlives_the_monitor_and_the_next_one_replaces_it(void **state)
{
    struct peer_verdict v;
    struct rig_peer p = rig_connect(&rig, "192.0.2.1");
    int display = rig_login(&rig, &p, "anna", VERDICT_START, &v, NULL);
    int echo = expect_service(&p, v.client);
    rig_restart(&rig);
    rig_expect_closed(p.fd);
    close(p.fd);
    rig_wait_session(&rig, v.session, SESSION_ACTIVE, 1);
    p = rig_reconnect(&rig, p.id, "192.0.2.1");
    resume(&p, &v);
    struct pollfd f = {echo, POLLIN, 0};
    assert_int_equal(poll(&f, 1, 0), 0); /* still open */
    rig_type(display, "die");
    rig_expect_closed(echo);
    close(echo);
    close(expect_service(&p, v.client));
    rig_type(display, "logoff");
    rig_expect_end(&p, END_USER_LOGOFF);
    close(display);
    close(p.fd);
}

static int set_up(void **state)
{
    rig_start(&rig, "");
    return 0;
}
static int tear_down(void **state)
{
    rig_stop(&rig);
    return 0;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_client_in_control_gets_a_link_for_each_service),
        T(who_takes_over_gets_links_of_its_own),
        T(a_leader_that_does_not_serve_it_is_not_asked),
        T(a_service_that_died_gets_a_new_link_ten_times),
        T(a_service_that_is_gone_for_good_gets_none),
        T(a_link_outlives_the_monitor_and_the_next_one_replaces_it),
        T(a_service_that_dies_before_its_client_resumes_gets_its_link_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
