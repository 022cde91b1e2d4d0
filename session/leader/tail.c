/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/tail.h"

#include "session/leader/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_BYTES (LOG_TAIL_BYTES / 3) /* three that have much to say share the text */

struct tails { /* of an aside job */
    uint32_t n, done;
    struct tail_file files[TAIL_FILES_MAX];
    char text[TAIL_FILES_MAX][TAIL_BYTES];
};

void tail_read(const char *path, int64_t not_before, char *out, size_t cap)
{
    char buf[LOG_TAIL_BYTES];
    struct stat st;
    ssize_t n = 0;
    out[0] = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtime >= not_before) {
        size_t want = cap < sizeof buf ? cap - 1 : sizeof buf - 1;
        n = pread(fd, buf, want, st.st_size > (off_t)want ? st.st_size - (off_t)want : 0);
    }
    close(fd);
    if (n <= 0)
        return;
    buf[n] = 0;
    for (ssize_t i = 0; i < n; i++)
        if (buf[i] == 0)
            buf[i] = ' ';
    const char *from = buf;
    if (st.st_size > n && strchr(buf, '\n'))
        from = strchr(buf, '\n') + 1; /* not half a line */
    conv_clean_text(from, out, cap);
}

static int read_all(struct aside *a, void *what)
{
    struct tails *t = what;
    for (; t->done < t->n; t->done++) {
        tail_read(t->files[t->done].path, t->files[t->done].not_before, t->text[t->done], TAIL_BYTES);
        aside_report(a, -1);
    }
    return 0;
}

void tail_append(const struct account *who, const struct tail_file *files, size_t n, char *text, size_t cap)
{
    static struct tails t;
    t = (struct tails){.n = (uint32_t)(n < TAIL_FILES_MAX ? n : TAIL_FILES_MAX)};
    memcpy(t.files, files, t.n * sizeof files[0]);
    const struct aside_job job =
        {.who = who, .work = read_all, .what = &t, .bytes = sizeof t, .stall_ms = TAIL_MS, .total_ms = TAIL_MS};
    int r = aside_run(&job);
    for (uint32_t i = 0; i < t.n; i++) {
        size_t used = strlen(text), room = cap - used;
        t.text[i][TAIL_BYTES - 1] = 0;
        if (t.text[i][0] && room > 1)
            (void)snprintf(text + used, room, "\n\n%s (%s):\n%s", files[i].title, files[i].path, t.text[i]);
    }
    size_t used = strlen(text);
    if ((r == -ETIMEDOUT || r == -ETIME) && t.done < t.n && used + 1 < cap)
        snprintf(text + used, cap - used, "\n\n%s (%s): cannot be read, for the folder does not answer.",
            files[t.done].title, files[t.done].path);
}
