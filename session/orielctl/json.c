/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/orielctl/json.h"

#include "common/text.h"

#include <inttypes.h>
#include <string.h>

const char *session_state_name(uint8_t state)
{
    static const char *const names[] = {"?", "starting", "active", "detached", "ending"};
    return state <= SESSION_STATE_MAX ? names[state] : "?";
}

const char *client_role_name(uint8_t role)
{
    static const char *const names[] = {"?", "control", "view", "record"};
    return role <= ROLE_MAX ? names[role] : "?";
}

static void json_escaped(FILE *out, uint32_t code)
{
    if (code >= 0x10000) {
        fprintf(out, "\\u%04x", 0xd800 + ((code - 0x10000) >> 10));
        code = 0xdc00 + (code & 0x3ff);
    }
    fprintf(out, "\\u%04x", code);
}

/* What acts on a terminal is escaped too: the output may go to one. */
void json_string(FILE *out, const char *s)
{
    putc('"', out);
    for (size_t left = strlen(s), n; left; s += n, left -= n) {
        uint32_t code = 0xfffd;
        bool one = (n = text_char(s, left, &code)) > 0;
        n = one ? n : 1;
        if (code == '"' || code == '\\')
            fprintf(out, "\\%c", (int)code);
        else if (!one || !text_is_plain(code))
            json_escaped(out, code);
        else
            fwrite(s, 1, n, out);
    }
    putc('"', out);
}

static void json_client(FILE *out, const struct leader_client *c)
{
    fprintf(out, "{\"id\": %" PRIu32 ", \"role\": \"%s\", \"address\": ", c->client, client_role_name(c->role));
    json_string(out, c->address);
    fputs(", \"name\": ", out);
    json_string(out, c->client_name);
    fprintf(out, ", \"width\": %" PRIu32 ", \"height\": %" PRIu32 ", \"monitors\": %" PRIu32 "}", c->width, c->height,
        c->nmonitors);
}

void json_session(FILE *out, const struct control_session *s)
{
    fprintf(out, "{\"id\": %" PRIu64 ", \"user\": ", s->session);
    json_string(out, s->user);
    fprintf(out, ", \"uid\": %" PRIu32 ", \"state\": \"%s\", \"since\": %" PRIu64 ", \"display\": ", s->uid,
        session_state_name(s->state), s->since);
    if (s->display)
        fprintf(out, "\":%" PRIu32 "\"", s->display);
    else
        fputs("null", out);
    fputs(", \"xauthority\": ", out);
    json_string(out, s->xauthority);
    fprintf(out,
        ", \"monitors\": %" PRIu32 ", \"pids\": {\"leader\": %" PRId32 ", \"display\": %" PRId32 ", \"agent\": %" PRId32
        ", \"desktop\": %" PRId32 "}, \"clients\": [",
        s->nmonitors, s->leader_pid, s->display_pid, s->agent_pid, s->desktop_pid);
    for (uint32_t i = 0; i < s->nclients; i++) {
        if (i)
            fputs(", ", out);
        json_client(out, &s->clients[i]);
    }
    fputs("]}", out);
}
