/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The session's process of the service ECHO, for tests: asks the client one question after the other, and counts the
 * answers in ORIEL_SESSION_DIR/echo. The first question tells who asks: "PID UID". A wrong answer ends it. */
#include "session/proto/echo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINK 3       /* as service_row.host says */
#define PACE_US 5000 /* two hundred questions a second: a test waits for some, and a machine has other things to do */
#define LENGTH 5000  /* four fragments of a dynamic channel */
static struct echo_request question;
static struct echo_response answer __attribute__((aligned(16)));

static void make_question(uint32_t id)
{
    question = (struct echo_request){.id = id, .ndata = LENGTH};
    for (uint32_t i = 0; i < LENGTH; i++)
        question.data[i] = (uint8_t)(i * id >> 3);
    if (id == 1)
        question.ndata = (uint32_t)snprintf((char *)question.data, LENGTH, "%d %d", (int)getpid(), (int)getuid());
}

static void count(uint32_t answers)
{
    char path[512], fresh[520];
    const char *dir = getenv("ORIEL_SESSION_DIR");
    snprintf(path, sizeof path, "%s/echo", dir ? dir : "");
    snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *f = dir ? fopen(fresh, "w") : NULL;
    if (!f)
        return;
    fprintf(f, "%d %u\n", (int)getpid(), answers);
    fclose(f);
    (void)rename(fresh, path);
}

int main(void)
{
    for (uint32_t id = 1;; id++) {
        const struct wire_def *def;
        int fds[WIRE_FDS_MAX];
        make_question(id);
        if (wire_send(LINK, &echo_request_def, &question, NULL) < 0 ||
            wire_recv(LINK, &echo_to_session, &def, &answer, fds, -1) < 0)
            return 1;
        if (answer.id != id || answer.ndata != question.ndata || memcmp(answer.data, question.data, answer.ndata) != 0)
            return 2;
        count(id);
        usleep(PACE_US);
    }
}
