/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a shell has set so far, and how oriel-startup hears of it.
 *
 * The shell that reads the start-up files runs `oriel-startup-note NAME TAG FILE LINE` again and again. That program
 * inherits what counts: the exported variables, the umask and the limits. It sends them to the abstract Unix socket
 * NAME and waits until they have been taken. It needs no descriptor of the shell's, so that a file may close or
 * redirect what it likes.
 *
 * One connection carries one note, little-endian: u32 magic, u8 tag, u32 file, u32 line, u32 umask, u32 number of
 * limits, for each limit u64 soft and u64 hard, u32 bytes, then so many bytes of NAME=value, each ended by a NUL. */
#ifndef ORIEL_SESSION_STARTUP_SNAPSHOT_H
#define ORIEL_SESSION_STARTUP_SNAPSHOT_H

#include "session/leader/env.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define NOTE_MAGIC 0x314e4f52u  /* "RON1" */
#define NOTE_HEAD_MAX 512       /* the fixed part with RLIM_NLIMITS limits */
#define NOTE_ENV_MAX (4u << 20) /* execve ends at 2 MiB with the usual stack limit */
/* A note that is not taken by then does not keep the shell any longer */
#define NOTE_WAIT_MS 2000

enum note_tag {
    NOTE_BEGIN = 1, /* file number `file` is read next */
    NOTE_LINE,      /* careful reading: a command at `line` is about to run */
    NOTE_EXIT,      /* the shell ends while it reads `file` */
    NOTE_FINAL,     /* all files were read */
    NOTE_GO,        /* the distribution's Xsession script hands over to the desktop: see launch.h */
    NOTE_TAG_MAX = NOTE_GO
};
struct snapshot { /* zeroed: nothing is known */
    enum note_tag tag;
    uint32_t file, line; /* line 0: not known */
    mode_t mask;
    bool has_limits;
    struct rlimit limits[RLIM_NLIMITS];
    struct env_list env; /* owned */
};
void snapshot_finish(struct snapshot *s);
/* Decode one note. 0, or -EPROTO: then *s is empty. */
int snapshot_decode(const void *data, size_t len, struct snapshot *s);
/* The fixed part of a note from this process, for `env_bytes` of variables. Bytes written, or 0 when they do not fit.
 */
size_t snapshot_encode_head(enum note_tag tag, uint32_t file, uint32_t line, uint32_t env_bytes, void *out, size_t cap);

/* A listening socket with an abstract name that the kernel chose, its five letters in `name`. Descriptor or -errno. */
int snapshot_listen(char name[8]);
/* Take one note that waits at `fd`. 0; -EAGAIN: none, or not one of this user; -EPROTO: it made no sense. `answer`:
 * NULL, or where the descriptor goes through which a NOTE_GO is answered; -1 when there is none. */
int snapshot_take(int fd, struct snapshot *s, int *answer);
/* NOTE_GO's answer: one byte with the descriptor `output` (the session's log: the script has sent its own output
 * elsewhere, and programs such as ssh-agent close what they inherit), then the environment to go on with, as in a note.
 * Closes it, not `output`. */
void snapshot_answer(int answer, int output, const struct env_list *env);
/* For /bin/sh -c, in the environment of the script and of what it hands over to */
#define NOTE_COMMAND "ORIEL_STARTUP_COMMAND"

#endif
