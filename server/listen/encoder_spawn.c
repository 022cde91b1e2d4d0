/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether clients have an oriel-encoder, and starting it: beside the peer, when its login was granted. */
#include "common/link.h"
#include "common/log.h"
#include "common/spawn.h"
#include "server/listen/daemon.h"

#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { H264_AUTO, H264_X264, H264_HARDWARE, H264_OFF }; /* option picture.h264 */

/* Graphics cards, NVIDIA's own driver, video codecs of small boards. */
static bool any_device(void)
{
    static const char *const places[] = {"/dev/dri/renderD*", "/dev/nvidia[0-9]*", "/dev/video1[0-9]"};
    bool any = false;
    for (size_t i = 0; i < sizeof places / sizeof places[0] && !any; i++) {
        glob_t g = {0};
        any = glob(places[i], GLOB_NOSORT, NULL, &g) == 0;
        globfree(&g);
    }
    return any;
}

static bool wanted(const struct daemon *d)
{
    bool named = d->config.picture_encoder[0] != 0;
    if (d->config.picture_h264 == H264_X264 || d->config.picture_h264 == H264_OFF)
        return false;
    if (!named && !any_device()) {
        if (d->config.picture_h264 == H264_HARDWARE)
            log_warning("no device for hardware encoding", "looked_for=%s",
                "/dev/dri/renderD* /dev/nvidia* /dev/video1*");
        return false;
    }
    return true;
}

void encoder_prepare(struct daemon *d)
{
    struct encoder_account *e = &d->encoder;
    const struct passwd *pw;
    const struct group *render;
    if (!wanted(d))
        return;
    int r = spawn_sibling(d->config.paths_libexec_dir, "oriel-encoder", e->program, sizeof e->program);
    if (r < 0 || access(e->program, X_OK) < 0) {
        log_info("oriel-encoder is not installed", "path=%s instead=%s", e->program, "oriel-peer encodes");
        return;
    }
    pw = getpwnam(d->config.paths_user_encoder);
    if (!pw || pw->pw_uid == 0) {
        log_warning("no account for oriel-encoder", "user=%s instead=%s", d->config.paths_user_encoder,
            "oriel-peer encodes");
        return;
    }
    e->uid = pw->pw_uid;
    e->gid = pw->pw_gid;
    render = getgrnam("render"); /* who may open /dev/dri/renderD*; root's group never */
    if (render && render->gr_gid != 0)
        e->gid = render->gr_gid;
    e->on = true;
}

unsigned encoder_pause(unsigned restarts)
{
    unsigned seconds = ENCODER_PAUSE_SECONDS;
    if (restarts >= ENCODER_RESTARTS_MAX)
        return 0;
    for (unsigned i = 0; i < restarts; i++)
        seconds *= ENCODER_PAUSE_FACTOR;
    return seconds;
}

pid_t encoder_start(const struct daemon *d, int *fd)
{
    const struct encoder_account *e = &d->encoder;
    const char *const argv[] = {"oriel-encoder", d->config.picture_encoder, NULL};
    int sv[2];
    int r = e->on ? link_pair(sv) : -ENOENT;
    if (r < 0)
        return r;
    const int fds[] = {sv[1]}; /* FD_ENCODER_PEER */
    struct spawn s = {.path = e->program,
        .argv = argv,
        .fds = fds,
        .nfds = 1,
        .uid = e->uid,
        .gid = e->gid,
        .death_signal = SIGKILL};
    pid_t pid = spawn_program(&s);
    close(sv[1]);
    if (pid < 0) {
        log_warning("oriel-encoder could not be started", "program=%s error=%s", e->program, strerror(-pid));
        close(sv[0]);
        return pid;
    }
    *fd = sv[0];
    return pid;
}
