/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/conv.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A buffer for every message of the monitor; the largest is leader_refresh. Static so that answers live in one known
 * place. */
static union {
    struct leader_auth auth;
    struct leader_answers answers;
    struct leader_refresh refresh;
    struct leader_start start;
    struct leader_attach attach;
    struct leader_notice notice;
    max_align_t align;
} inbox __attribute__((aligned(16)));
static struct leader_conv asked; /* too large for the stack of a PAM module's call */
static struct leader_answers answered;
static struct leader_conv unread; /* messages shown without a prompt after them */

int conv_left_ms(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_ms();
    return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

int conv_receive(int sock, int64_t deadline_ms, const struct wire_def **def, void **msg)
{
    int fds[WIRE_FDS_MAX];
    if (wire_proto_max_size(&monitor_to_leader) > sizeof inbox)
        return -EPROTO;
    int left = conv_left_ms(deadline_ms);
    if (left == 0)
        return -ETIMEDOUT;
    int r = wire_recv(sock, &monitor_to_leader, def, &inbox, fds, left);
    if (r < 0)
        return r == -EAGAIN ? -ETIMEDOUT : r;
    for (int i = 0; i < (*def)->nfds; i++)
        close(fds[i]);
    *msg = &inbox;
    return (*def)->nfds ? -EPROTO : 0;
}

static bool may_be_shown(uint32_t code)
{
    return code == '\n' || code == '\t' || text_is_plain(code);
}

void conv_clean_text(const char *text, char *out, size_t cap)
{
    const char *s = text;
    size_t used = 0;
    while (*s) {
        uint32_t code = 0;
        size_t n = text_char(s, strlen(s), &code);
        if (n == 0 || !may_be_shown(code)) {
            if (used + 1 >= cap)
                break;
            out[used++] = n == 1 ? ' ' : '?';
            s += n ? n : 1;
            continue;
        }
        if (used + n >= cap)
            break;
        memcpy(out + used, s, n);
        used += n;
        s += n;
    }
    out[used] = 0;
}

void conv_forget_text(struct conv *c)
{
    c->text[0] = 0;
}

static void remember_text(struct conv *c, const char *text)
{
    size_t used = strlen(c->text);
    if (used > 0 && used + 2 < sizeof c->text) {
        c->text[used++] = '\n';
        c->text[used] = 0;
    }
    conv_clean_text(text, c->text + used, sizeof c->text - used);
}

void conv_wipe(struct conv *c)
{
    secret_wipe(c->secret, sizeof c->secret);
    secret_wipe(c->latest, sizeof c->latest);
    secret_wipe(&inbox, sizeof inbox);
    secret_wipe(&answered, sizeof answered);
    unread.nprompts = 0;
    c->nsecret = 0;
    c->have_secret = false;
}

/* The answer to the first ECHO_OFF prompt: the secret that came with leader_auth. */
static int answer_secret(struct conv *c, struct pam_response *r)
{
    c->have_secret = false;
    r->resp = strndup(c->secret, c->nsecret);
    secret_wipe(c->secret, sizeof c->secret);
    return r->resp ? PAM_SUCCESS : PAM_BUF_ERR;
}

/* Show `asked` and wait for the answers. */
static int ask_monitor(struct conv *c)
{
    const struct wire_def *def;
    void *msg;
    int r = wire_send(c->sock, &leader_conv_def, &asked, NULL);
    if (r == 0)
        r = conv_receive(c->sock, c->deadline_ms, &def, &msg);
    if (r == 0 && def != &leader_answers_def)
        r = -EPROTO;
    if (r == 0) {
        memcpy(&answered, msg, sizeof answered);
        secret_wipe(msg, sizeof answered);
        if (answered.nanswers != asked.nprompts)
            r = -EPROTO;
    }
    if (r < 0)
        c->link_error = r;
    return r;
}

/* Take the answers of one round into the responses that `to` names. */
static int take_answers(struct conv *c, struct pam_response *const *to)
{
    int ret = PAM_SUCCESS;
    for (uint32_t i = 0; i < asked.nprompts && ret == PAM_SUCCESS; i++) {
        uint8_t style = asked.prompts[i].style;
        char *text = answered.answers[i].text;
        if (style == PAM_TEXT_INFO || style == PAM_ERROR_MSG)
            continue;
        if (style == PAM_PROMPT_ECHO_OFF && !c->first_prompt_seen) {
            c->first_prompt_seen = true;
            c->empty_answer = text[0] == 0;
        }
        if (style == PAM_PROMPT_ECHO_OFF && c->keep_answers)
            snprintf(c->latest, sizeof c->latest, "%s", text);
        to[i]->resp = c->empty_answer ? NULL : strdup(text);
        if (!to[i]->resp)
            ret = c->empty_answer ? PAM_CONV_ERR : PAM_BUF_ERR;
    }
    secret_wipe(&answered, sizeof answered);
    return ret;
}

static bool only_messages(void)
{
    for (uint32_t i = 0; i < asked.nprompts; i++)
        if (asked.prompts[i].style != PAM_TEXT_INFO && asked.prompts[i].style != PAM_ERROR_MSG)
            return false;
    return true;
}

static void keep_unread(void)
{
    if (!asked.inform)
        unread.nprompts = 0; /* they stood above the prompts */
    for (uint32_t i = 0; asked.inform && i < asked.nprompts && unread.nprompts < CONV_MAX; i++)
        unread.prompts[unread.nprompts++] = asked.prompts[i];
}

int conv_acknowledge(struct conv *c)
{
    if (!c->interactive || unread.nprompts == 0)
        return 0;
    asked = unread;
    asked.inform = 0;
    unread.nprompts = 0;
    int r = ask_monitor(c);
    secret_wipe(&answered, sizeof answered);
    asked.nprompts = 0;
    return r;
}

static int flush_round(struct conv *c, struct pam_response *const *to)
{
    if (asked.nprompts == 0)
        return PAM_SUCCESS;
    asked.inform = only_messages();
    keep_unread();
    int r = ask_monitor(c) < 0 ? PAM_CONV_ERR : take_answers(c, to);
    asked.nprompts = 0;
    return r;
}

/* One message: answered here, or put into the round for the monitor. */
static int handle_message(struct conv *c, const struct pam_message *m, struct pam_response *r, struct pam_response **to)
{
    const char *text = m->msg ? m->msg : "";
    bool prompt = m->msg_style == PAM_PROMPT_ECHO_OFF || m->msg_style == PAM_PROMPT_ECHO_ON;
    if (!prompt && m->msg_style != PAM_TEXT_INFO && m->msg_style != PAM_ERROR_MSG)
        return PAM_CONV_ERR;
    c->prompts += prompt;
    if (!prompt)
        remember_text(c, text);
    if (m->msg_style == PAM_PROMPT_ECHO_OFF && c->have_secret) {
        c->first_prompt_seen = true;
        return answer_secret(c, r);
    }
    if (!c->interactive) {
        c->wants_more = c->wants_more || prompt;
        return prompt ? PAM_CONV_ERR : PAM_SUCCESS;
    }
    struct conv_prompt *p = &asked.prompts[asked.nprompts];
    p->style = (uint8_t)m->msg_style;
    conv_clean_text(text, p->text, sizeof p->text);
    to[asked.nprompts++] = r;
    return asked.nprompts == CONV_MAX ? flush_round(c, to) : PAM_SUCCESS;
}

static void free_responses(struct pam_response *r, int n)
{
    for (int i = 0; i < n; i++) {
        if (r[i].resp) {
            secret_wipe(r[i].resp, strlen(r[i].resp));
            free(r[i].resp);
        }
    }
    free(r);
}

int conv_function(int n, const struct pam_message **msgs, struct pam_response **out, void *appdata)
{
    struct conv *c = appdata;
    struct pam_response *to[CONV_MAX];
    if (n <= 0 || n > PAM_MAX_NUM_MSG || c->link_error)
        return PAM_CONV_ERR;
    struct pam_response *r = calloc((size_t)n, sizeof *r);
    if (!r)
        return PAM_BUF_ERR;
    asked.nprompts = 0;
    int ret = PAM_SUCCESS;
    for (int i = 0; i < n && ret == PAM_SUCCESS; i++)
        ret = handle_message(c, msgs[i], &r[i], to);
    if (ret == PAM_SUCCESS)
        ret = flush_round(c, to);
    if (ret != PAM_SUCCESS) {
        free_responses(r, n);
        return ret;
    }
    *out = r;
    return PAM_SUCCESS;
}
