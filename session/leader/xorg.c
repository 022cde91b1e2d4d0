/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/xorg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* The most that an X server takes; 256 by itself, which a busy desktop reaches */
#define MAX_CLIENTS "2048"
/* A descriptor for each of them, and those that they share memory and fences through */
#define FILES 4096

static const char config_text[] =
    "# Written by Oriel for one session.\n"
    "Section \"ServerFlags\"\n"
    "    Option \"AutoAddDevices\" \"false\"\n" /* or it takes the console's keyboard */
    "    Option \"AutoEnableDevices\" \"false\"\n"
    "    Option \"AutoAddGPU\" \"false\"\n"
    "    Option \"DontVTSwitch\" \"true\"\n"
    "    Option \"DefaultServerLayout\" \"oriel\"\n" /* not one of the console's, in the system's xorg.conf.d */
    "    Option \"BlankTime\" \"0\"\n"
    "    Option \"StandbyTime\" \"0\"\n"
    "    Option \"SuspendTime\" \"0\"\n"
    "    Option \"OffTime\" \"0\"\n"
    "EndSection\n"
    "Section \"Device\"\n"
    "    Identifier \"oriel\"\n"
    "    Driver \"dummy\"\n"
    "    VideoRam %u\n"
    "EndSection\n"
    "Section \"Monitor\"\n"
    "    Identifier \"oriel\"\n"
    "    HorizSync 1-10000\n"
    "    VertRefresh 1-1000\n"
    "EndSection\n"
    "Section \"Screen\"\n"
    "    Identifier \"oriel\"\n"
    "    Device \"oriel\"\n"
    "    Monitor \"oriel\"\n"
    "    DefaultDepth 24\n"
    "    SubSection \"Display\"\n"
    "        Depth 24\n"
    "        Modes \"1024x768\"\n"
    "    EndSubSection\n"
    "EndSection\n"
    /* Without devices of its own the server opens the console's: /dev/input/mice and its keyboard. This driver has
     * none; where it is not installed the server says so in its log and goes on. */
    "Section \"InputDevice\"\n"
    "    Identifier \"oriel pointer\"\n"
    "    Driver \"void\"\n"
    "EndSection\n"
    "Section \"InputDevice\"\n"
    "    Identifier \"oriel keyboard\"\n"
    "    Driver \"void\"\n"
    "EndSection\n"
    "Section \"ServerLayout\"\n"
    "    Identifier \"oriel\"\n"
    "    Screen \"oriel\"\n"
    "    InputDevice \"oriel pointer\" \"CorePointer\"\n"
    "    InputDevice \"oriel keyboard\" \"CoreKeyboard\"\n"
    "EndSection\n";

int xorg_write_config(const char *path, unsigned width, unsigned height)
{
    /* Address space only: the driver touches what it shows */
    uint64_t kib = ((uint64_t)width * height * 4 + 1023) / 1024;
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = dprintf(fd, config_text, (unsigned)kib) < 0 ? -EIO : 0;
    close(fd);
    return r;
}

pid_t xorg_start(const char *program, const struct account *who, const struct runtime *r, unsigned display,
    int ready_fd, int out, char *const *envp)
{
    char name[16];
    snprintf(name, sizeof name, ":%u", display);
    const char *argv[] = {program, name, "-displayfd", "3", "-config", r->xorg_config, "-auth", r->xauthority,
        "-logfile", r->xorg_log, "-nolisten", "tcp", "-nolisten", "local", "-noreset", "-novtswitch", "-sharevts", "-s",
        "0", "-maxclients", MAX_CLIENTS, "-verbose", "0", NULL};
    struct child c = {.path = program,
        .argv = argv,
        .envp = envp,
        .who = who,
        .fds = &ready_fd,
        .nfds = 1,
        .out = out,
        .files = FILES,
        .directory = "/",
        .death_signal = SIGTERM /* it removes its socket then */};
    return child_start(&c);
}
