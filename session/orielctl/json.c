/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/orielctl/json.h"

#include <inttypes.h>

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

/* Bytes of the well-formed UTF-8 character at `s`, 0 when it is none (RFC 3629: no overlong forms, no surrogates). */
static int utf8_len(const unsigned char *s)
{
    int n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

void json_string(FILE *out, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    putc('"', out);
    while (*s) {
        int n = utf8_len(s);
        if (!n)
            fputs("\\ufffd", out);
        else if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if (*s < 0x20 || *s == 0x7f)
            fprintf(out, "\\u%04x", *s);
        else
            fwrite(s, 1, (size_t)n, out);
        s += n ? n : 1;
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
