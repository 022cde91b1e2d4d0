/* SPDX-License-Identifier: GPL-3.0-or-later */
/* oriel-encoder: one client's moving pictures by libavcodec, apart from the peer, because drivers are large and crash.
 * Arguments: the names of the encoders to try, separated by spaces. Lives as long as its link. */
#include "codecs/encoder/serve.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/spawn.h"

#include <string.h>

/* link, epoll, memory in flight; a driver's own are open already */
#define FILES_MAX 64

static int shut_in(void)
{
    const char *what = "";
    struct sandbox s = {.profile = SANDBOX_ENCODER, .nofile = FILES_MAX};
    int r = sandbox_enter(&s, &what);
    if (r < 0)
        log_error("sandbox failed", "step=%s error=%s", what, strerror(-r));
    return r;
}

int main(int argc, char **argv)
{
    static struct encoder e = {.peer = FD_ENCODER_PEER};
    struct encoder_hello hello = {""};
    const char *wanted = argc > 1 ? argv[1] : "";
    log_init("oriel-encoder", LOG_LEVEL_INFO);
    e.kind = av_probe(wanted);
    if (shut_in() < 0)
        return 1;
    if (e.kind) {
        strncpy(hello.name, av_name(e.kind), sizeof hello.name - 1);
        log_info("encoder ready", "encoder=%s", hello.name);
    } else
        log_info("no encoder works here", "tried=%s", wanted[0] ? wanted : "hardware");
    if (wire_send(e.peer, &encoder_hello_def, &hello, NULL) == 0 && e.kind)
        while (encoder_step(&e) == 0)
            ;
    encoder_finish(&e);
    return 0;
}
