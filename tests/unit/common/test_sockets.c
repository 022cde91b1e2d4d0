/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/sockets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* What systemd would read at this address after a service that was started with it is ready. */
static void expect_told(const char *name, const struct sockaddr_un *a, socklen_t len)
{
    char got[64] = "";
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)a, len), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    sockets_tell_ready();
    assert_int_equal(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), strlen("READY=1"));
    assert_string_equal(got, "READY=1");
    assert_null(getenv("NOTIFY_SOCKET"));
    sockets_tell_ready();
    assert_int_equal(recv(fd, got, sizeof got - 1, MSG_DONTWAIT), -1);
    close(fd);
}

static void systemd_is_told_once_by_a_path(void **state)
{
    char dir[] = "/tmp/oriel-sockets-XXXXXX";
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    assert_non_null(mkdtemp(dir));
    snprintf(a.sun_path, sizeof a.sun_path, "%s/notify", dir);
    expect_told(a.sun_path, &a, sizeof a);
    assert_int_equal(unlink(a.sun_path) | rmdir(dir), 0);
}

static void systemd_is_told_once_by_an_abstract_name(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    char name[64];
    int n = snprintf(name, sizeof name, "@oriel-test-%d", (int)getpid());
    memcpy(a.sun_path + 1, name + 1, (size_t)n - 1);
    expect_told(name, &a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n));
}

/* Nobody listens, or it is no address of ours: nothing happens, and nobody who is started later tries again. */
static void what_cannot_be_told_is_forgotten(void **state)
{
    static char much[300];
    memset(much, '/', sizeof much - 1);
    const char *const names[] = {"/no/such/socket", "vsock:2:9999", "", much};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
        sockets_tell_ready();
        assert_null(getenv("NOTIFY_SOCKET"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(systemd_is_told_once_by_a_path),
        cmocka_unit_test(systemd_is_told_once_by_an_abstract_name),
        cmocka_unit_test(what_cannot_be_told_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
