/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of functions with a mandatory slot missing is refused before its first call, and the log names the slot. */
#include "common/link.h"
#include "common/log.h"
#include "common/slots.h"
#include "session/proto/control.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct some_ops {
    const char *name;
    void (*first)(void);
    void (*second)(void);
    void (*third)(void); /* nobody needs it */
};
static const struct slot must[] = {SLOT(some_ops, name), SLOT(some_ops, first), SLOT(some_ops, second)};

static void nothing(void)
{
}

static int check(const void *ops)
{
    return SLOTS_CHECK("some", ops, must);
}

/* What the log says of one check. */
static const char *said(const struct some_ops *ops, int want)
{
    static char text[512];
    int pipes[2], old = dup(STDERR_FILENO);
    assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
    assert_true(dup2(pipes[1], STDERR_FILENO) >= 0);
    int r = check(ops);
    assert_true(dup2(old, STDERR_FILENO) >= 0);
    ssize_t n = read(pipes[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    close(pipes[0]);
    close(pipes[1]);
    close(old);
    assert_int_equal(r, want);
    return text;
}

static void a_whole_table_is_taken_in_silence(void **state)
{
    struct some_ops ops = {"x", nothing, nothing, nothing};
    assert_string_equal(said(&ops, 0), "");
    ops.third = NULL;
    assert_string_equal(said(&ops, 0), "");
}

static void the_first_slot_that_is_missing_is_named(void **state)
{
    struct some_ops ops = {"x", nothing, NULL, nothing};
    const char *text = said(&ops, -EINVAL);
    assert_non_null(strstr(text, " error "));
    assert_non_null(strstr(text, "table=some"));
    assert_non_null(strstr(text, "slot=second"));
    ops.first = NULL;
    assert_non_null(strstr(said(&ops, -EINVAL), "slot=first"));
    ops.name = NULL;
    assert_non_null(strstr(said(&ops, -EINVAL), "slot=name"));
}

static void message(void *user, struct link *l, const struct wire_def *def, void *msg, const int *fds)
{
}

static void closed(void *user, struct link *l, int err)
{
}

static void a_link_that_could_not_tell_its_end_is_not_made(void **state)
{
    static const struct link_ops whole = {.message = message, .closed = closed}, deaf = {.closed = closed},
                                 endless = {.message = message};
    int sv[2];
    struct event_base *base = event_base_new();
    assert_int_equal(link_pair(sv), 0);
    assert_null(link_create(base, sv[0], &control_to_monitor, &deaf, NULL, LINK_QUEUE_DEFAULT));
    assert_null(link_create(base, sv[0], &control_to_monitor, &endless, NULL, LINK_QUEUE_DEFAULT));
    struct link *l = link_create(base, sv[0], &control_to_monitor, &whole, NULL, LINK_QUEUE_DEFAULT);
    assert_non_null(l);
    link_destroy(l);
    close(sv[1]);
    event_base_free(base);
}

int main(void)
{
    log_init("test", LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_table_is_taken_in_silence),
        cmocka_unit_test(the_first_slot_that_is_missing_is_named),
        cmocka_unit_test(a_link_that_could_not_tell_its_end_is_not_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
