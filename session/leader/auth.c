/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/leader/auth.h"

#include "common/log.h"
#include "common/pam_service.h"
#include "common/secret.h"
#include "session/leader/makeshift.h"
#include "session/leader/tickets.h"
#include "session/names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PAM_TTY until the display number is known; pam_access and pam_time want one */
#define TTY_BEFORE_DISPLAY "oriel"
#define KEY_VARIABLE_BYTES 128 /* the name and a key in hexadecimal */
/* passwd(1)'s number: a new password may be refused as too weak */
#define PASSWORD_CHANGE_TRIES 3
#define PASSWD_BUFFER 65536 /* getpwnam_r of an entry with very long fields */

enum refuse_reason auth_reason(enum auth_phase phase, int pam)
{
    switch (pam) {
    case PAM_AUTH_ERR:
    case PAM_USER_UNKNOWN:
    case PAM_MAXTRIES:
    case PAM_CRED_INSUFFICIENT:
    case PAM_PERM_DENIED:
    case PAM_ACCT_EXPIRED:
    case PAM_AUTHTOK_EXPIRED:
    case PAM_NEW_AUTHTOK_REQD:
    case PAM_CRED_EXPIRED:
    case PAM_AUTHTOK_ERR:
    case PAM_AUTHTOK_RECOVERY_ERR:
    case PAM_AUTHTOK_LOCK_BUSY:
    case PAM_TRY_AGAIN:
        /* Before the password is known to be right nobody learns more than "no". */
        return phase == AUTH_PHASE_START       ? REFUSE_UNAVAILABLE
            : phase == AUTH_PHASE_AUTHENTICATE ? REFUSE_CREDENTIALS
                                               : REFUSE_ACCOUNT;
    default:
        return REFUSE_UNAVAILABLE;
    }
}

static void refuse(struct leader_verdict *v, enum refuse_reason reason, const char *text)
{
    v->reason = (uint8_t)reason;
    conv_clean_text(text, v->text, sizeof v->text);
}

/* What PAM's answer means for the verdict. Returns 0, or the link's error. */
static int refuse_pam(struct auth *a, enum auth_phase phase, struct leader_verdict *v)
{
    struct conv *c = &a->conv;
    enum refuse_reason reason = auth_reason(phase, a->last);
    if (c->link_error)
        return c->link_error;
    if (c->empty_answer && phase == AUTH_PHASE_AUTHENTICATE)
        reason = REFUSE_CREDENTIALS;
    else if (c->wants_more)
        reason = REFUSE_CONVERSATION;
    const char *text = c->text;
    if (reason == REFUSE_ACCOUNT && !text[0])
        text = pam_strerror(a->pamh, a->last);
    else if (reason != REFUSE_ACCOUNT)
        text = ""; /* a module's remark could tell that the user exists */
    log_info("pam refused", "phase=%d answer=%d (%s) reason=%d", (int)phase, a->last,
        a->pamh ? pam_strerror(a->pamh, a->last) : "no handle", (int)reason);
    refuse(v, reason, text);
    return 0;
}

static bool user_name_is_plain(const char *user)
{
    if (!user[0] || user[0] == '-')
        return false;
    for (const unsigned char *p = (const unsigned char *)user; *p; p++)
        if (*p < 0x20 || *p == 0x7f || *p == ':' || *p == '/')
            return false;
    return true;
}

static int handle_start(struct auth *a, const struct auth_options *o, const struct leader_auth *req)
{
    a->pamh = NULL;
    const struct pam_conv pc = {conv_function, &a->conv};
    bool own = o->pam_dir && o->pam_dir[0];
    a->last = own ? pam_start_confdir(o->service, req->user, &pc, o->pam_dir, &a->pamh)
                  : pam_start(o->service, req->user, &pc, &a->pamh);
    if (a->last != PAM_SUCCESS) {
        a->pamh = NULL;
        return a->last;
    }
    a->last = pam_set_item(a->pamh, PAM_RHOST, req->rhost);
    if (a->last == PAM_SUCCESS)
        a->last = pam_set_item(a->pamh, PAM_TTY, TTY_BEFORE_DISPLAY);
    if (a->last == PAM_SUCCESS)
        a->last = pam_set_item(a->pamh, PAM_RUSER, "");
    return a->last;
}

static bool copy_text(char *out, size_t cap, const char *in)
{
    int n = snprintf(out, cap, "%s", in ? in : "");
    return n >= 0 && (size_t)n < cap;
}

/* The account as PAM left it: modules may map the name. */
static bool find_account(struct auth *a)
{
    const void *name = NULL;
    struct passwd pw, *found = NULL;
    struct account *w = &a->who;
    if (pam_get_item(a->pamh, PAM_USER, &name) != PAM_SUCCESS || !name || !user_name_is_plain(name))
        return false;
    char *buf = malloc(PASSWD_BUFFER);
    bool ok = buf && getpwnam_r(name, &pw, buf, PASSWD_BUFFER, &found) == 0 && found;
    ok = ok && copy_text(w->user, sizeof w->user, pw.pw_name) && copy_text(w->home, sizeof w->home, pw.pw_dir) &&
        copy_text(w->shell, sizeof w->shell, pw.pw_shell[0] ? pw.pw_shell : "/bin/sh");
    if (ok) {
        w->uid = pw.pw_uid;
        w->gid = pw.pw_gid;
        if (!w->home[0])
            copy_text(w->home, sizeof w->home, "/");
    }
    if (buf)
        secret_wipe(buf, PASSWD_BUFFER);
    free(buf);
    return ok;
}

static int change_password(struct auth *a)
{
    struct makeshift room;
    bool known = find_account(a);
    if (!a->conv.interactive) {
        a->conv.wants_more = true;
        return PAM_NEW_AUTHTOK_REQD;
    }
    a->conv.keep_answers = true;
    if (known)
        makeshift_begin(&room, a->pamh, &a->who);
    for (int i = 0; i < PASSWORD_CHANGE_TRIES; i++) {
        conv_forget_text(&a->conv);
        a->last = pam_chauthtok(a->pamh, PAM_CHANGE_EXPIRED_AUTHTOK);
        bool again = a->last == PAM_AUTHTOK_ERR || a->last == PAM_TRY_AGAIN || a->last == PAM_AUTHTOK_RECOVERY_ERR;
        if (!again || a->conv.link_error)
            break;
    }
    if (known)
        makeshift_end(&room, a->pamh, &a->who);
    return a->last;
}

/* Modules have put by the password that the user came with, for keyrings and tickets; after a change these want the new
 * one. So a second handle authenticates with that, and takes the first one's place if all goes well. Only where the
 * password was all that was asked. */
static void begin_anew(struct auth *a, const struct auth_options *o, const struct leader_auth *req)
{
    struct conv *c = &a->conv, before = a->conv;
    pam_handle_t *first = a->pamh;
    size_t len = strlen(c->latest);
    c->interactive = c->keep_answers = false;
    c->have_secret = true;
    c->nsecret = (uint32_t)len;
    memcpy(c->secret, c->latest, len);
    int r = handle_start(a, o, req);
    if (r == PAM_SUCCESS)
        r = pam_authenticate(a->pamh, PAM_DISALLOW_NULL_AUTHTOK);
    if (r == PAM_SUCCESS)
        r = pam_acct_mgmt(a->pamh, PAM_DISALLOW_NULL_AUTHTOK);
    if (r != PAM_SUCCESS || c->wants_more) {
        log_warning("keyring may stay locked", "the new password was not taken at once: %s", pam_strerror(first, r));
        if (a->pamh)
            pam_end(a->pamh, r);
        a->pamh = first;
    } else {
        pam_end(first, PAM_SUCCESS);
    }
    a->last = PAM_SUCCESS;
    conv_wipe(c);
    secret_wipe(before.secret, sizeof before.secret);
    secret_wipe(before.latest, sizeof before.latest);
    *c = before; /* what was asked and said stays as it was; the secrets do not */
    c->have_secret = false;
    c->nsecret = 0;
}

/* Empty, too long for PAM, or with a NUL that PAM would silently take for the end. */
static bool secret_is_plain(const struct leader_auth *req)
{
    return req->nsecret > 0 && req->nsecret < SECRET_BYTES && req->nsecret < PAM_MAX_RESP_SIZE &&
        !memchr(req->secret, 0, req->nsecret);
}

/* The account that the name means. A returning client's is known. */
static bool find_name(const struct leader_auth *req, struct resolved *who)
{
    return user_name_is_plain(req->user) && account_find(req->user, req->trusted, who) == 0 &&
        user_name_is_plain(who->name);
}

/* The monitor counts attempts by account: it must hear where that is not what it took from the name as given. */
static int tell_name(const struct auth_options *o, const struct leader_auth *req, const struct resolved *who)
{
    char given[NAME_BYTES], found[NAME_BYTES];
    struct leader_name name;
    const struct wire_def *def;
    void *msg;
    name_key(req->user, given);
    name_key(who->name, found);
    if (req->trusted || !who->known || strcmp(given, found) == 0)
        return 0;
    (void)copy_text(name.user, sizeof name.user, who->name);
    int r = wire_send(o->sock, &leader_name_def, &name, NULL);
    if (r == 0)
        r = conv_receive(o->sock, o->deadline_ms, &def, &msg);
    return r < 0 ? r : def == &leader_go_def ? 0 : -EPROTO;
}

static int run_stack(struct auth *a, const struct auth_options *o, const struct leader_auth *req,
    struct leader_verdict *v)
{
    if (handle_start(a, o, req) != PAM_SUCCESS)
        return refuse_pam(a, AUTH_PHASE_START, v);
    if (!req->trusted) {
        a->last = pam_authenticate(a->pamh, PAM_DISALLOW_NULL_AUTHTOK);
        if (a->last == PAM_SUCCESS && (a->conv.empty_answer || a->conv.wants_more || a->conv.link_error))
            a->last = PAM_AUTH_ERR; /* a stack that lets in without what it asked for is not believed */
        if (a->last != PAM_SUCCESS)
            return refuse_pam(a, AUTH_PHASE_AUTHENTICATE, v);
    }
    conv_forget_text(&a->conv);
    unsigned asked = a->conv.prompts;
    a->last = pam_acct_mgmt(a->pamh, PAM_DISALLOW_NULL_AUTHTOK);
    bool change = a->last == PAM_NEW_AUTHTOK_REQD;
    if (change && change_password(a) != PAM_SUCCESS)
        return refuse_pam(a, AUTH_PHASE_PASSWORD, v);
    if (change && asked == 1 && a->conv.latest[0] && !a->conv.link_error)
        begin_anew(a, o, req);
    if (a->last != PAM_SUCCESS || a->conv.link_error)
        return refuse_pam(a, AUTH_PHASE_ACCOUNT, v);
    if (!find_account(a)) {
        log_error("account not found", "PAM let in a name without a passwd entry; check nsswitch.conf");
        refuse(v, REFUSE_CREDENTIALS, "");
        return 0;
    }
    if (!account_allowed(&o->policy, a->who.user, a->who.uid, a->who.gid)) {
        log_info("account not allowed", "user=%s: login.allowed_groups, or root", a->who.user);
        v->uid = a->who.uid;
        refuse(v, REFUSE_POLICY, "");
        return 0;
    }
    if (conv_acknowledge(&a->conv) < 0)
        return refuse_pam(a, AUTH_PHASE_ACCOUNT, v);
    v->reason = REFUSE_NONE;
    v->uid = a->who.uid;
    v->gid = a->who.gid;
    (void)copy_text(v->user, sizeof v->user, a->who.user);
    (void)copy_text(v->text, sizeof v->text, a->conv.text);
    return 0;
}

int auth_attempt(struct auth *a, const struct auth_options *o, struct leader_auth *req, struct leader_verdict *v)
{
    struct resolved account = {0};
    char why[512];
    int r = 0;
    *a = (struct auth){.conv = {.sock = o->sock, .deadline_ms = o->deadline_ms}};
    *v = (struct leader_verdict){.reason = REFUSE_UNAVAILABLE};
    a->conv.interactive = req->interactive && !req->trusted;
    bool password = req->method == AUTH_PASSWORD && !req->trusted;
    if (pam_service_check(o->service, o->pam_dir, why, sizeof why) < 0) {
        log_error("pam service missing", "service=%s: %s; install conf's PAM file or set login.pam_service", o->service,
            why);
    } else if (!req->trusted && req->method != AUTH_PASSWORD && req->method != AUTH_CONVERSATION) {
        refuse(v, REFUSE_UNAVAILABLE, "");
    } else if (!find_name(req, &account) || (password && !secret_is_plain(req))) {
        refuse(v, REFUSE_CREDENTIALS, "");
    } else if (account_forbidden(&o->policy, &account)) {
        refuse(v, REFUSE_POLICY, ""); /* with uid 0 in the verdict: PAM was not asked */
    } else if ((r = tell_name(o, req, &account)) == 0) {
        (void)copy_text(req->user, sizeof req->user, account.name);
        if (password) {
            memcpy(a->conv.secret, req->secret, req->nsecret);
            a->conv.nsecret = req->nsecret;
            a->conv.have_secret = true;
        }
        secret_wipe(req->secret, sizeof req->secret);
        r = run_stack(a, o, req, v);
    }
    secret_wipe(req->secret, sizeof req->secret);
    conv_wipe(&a->conv);
    if (v->reason != REFUSE_NONE)
        (void)copy_text(v->user, sizeof v->user, account.name);
    if (r < 0 || v->reason != REFUSE_NONE)
        auth_end(a);
    return r;
}

/* A copy of one of PAM's variables; NULL: not set. The caller frees. */
static char *pam_variable(struct auth *a, const char *name)
{
    const char *value = pam_getenv(a->pamh, name);
    return value ? strdup(value) : NULL;
}

/* The account's groups, for child_become: this handle opens no session, which else finds them. */
static int take_groups(struct account *w)
{
    w->ngroups = initgroups(w->user, w->gid) < 0 ? -1 : getgroups(ACCOUNT_GROUPS_MAX, w->groups);
    return w->ngroups < 0 ? -errno : 0;
}

/* Modules that fetch a ticket with the password put it into a cache of this attempt's own: the session has another. */
static void renew_tickets(struct auth *a, const char *own, const char *sessions)
{
    int r = take_groups(&a->who);
    if (r == 0)
        r = tickets_move(&a->who, own, sessions);
    if (r > 0)
        log_info("tickets renewed", "user=%s cache=%s", a->who.user, sessions);
    else if (r < 0)
        log_warning("tickets not renewed", "user=%s cache=%s: %s", a->who.user, sessions, strerror(-r));
}

int auth_refresh(struct auth *a, const struct leader_refresh *r)
{
    char *own = pam_variable(a, "KRB5CCNAME"), *sessions = NULL;
    for (uint32_t i = 0; i < r->nenv; i++)
        if (strchr(r->env[i].text, '='))
            (void)pam_putenv(a->pamh, r->env[i].text);
    sessions = pam_variable(a, "KRB5CCNAME");
    a->last = pam_setcred(a->pamh, PAM_REINITIALIZE_CRED);
    if (a->last != PAM_SUCCESS) {
        log_warning("credentials not refreshed", "user=%s: %s", a->who.user, pam_strerror(a->pamh, a->last));
    } else if (sessions) {
        const char *now = pam_getenv(a->pamh, "KRB5CCNAME");
        renew_tickets(a, now && strcmp(now, sessions) != 0 ? now : own, sessions);
    }
    free(own);
    free(sessions);
    return a->last == PAM_SUCCESS ? 0 : -EACCES;
}

static int fail_open(struct auth *a, const char *call, char *why, size_t cap)
{
    const char *said = a->conv.text;
    snprintf(why, cap, "PAM: %s failed: %s%s%s", call, pam_strerror(a->pamh, a->last), said[0] ? "\n" : "", said);
    return -EACCES;
}

int auth_open_session(struct auth *a, const char *tty, const char *key, char *why, size_t cap)
{
    struct account *w = &a->who;
    char variable[KEY_VARIABLE_BYTES];
    a->conv.interactive = false;
    conv_forget_text(&a->conv);
    /* Before pam_setcred, which may add groups (pam_group). The root process keeps them; what it starts gets them. */
    if (initgroups(w->user, w->gid) < 0) {
        snprintf(why, cap, "The groups of %s cannot be set: %s", w->user, strerror(errno));
        return -errno;
    }
    (void)pam_set_item(a->pamh, PAM_TTY, tty);
    (void)pam_set_item(a->pamh, PAM_XDISPLAY, tty);
    (void)pam_putenv(a->pamh, "XDG_SESSION_TYPE=x11");
    (void)pam_putenv(a->pamh, "XDG_SESSION_CLASS=user");
    /* What modules start (keyrings, agents) belongs to the session too, and is found by it when the leader has been
     * killed. */
    snprintf(variable, sizeof variable, "ORIEL_SESSION_KEY=%s", key);
    (void)pam_putenv(a->pamh, variable);
    a->last = pam_setcred(a->pamh, PAM_ESTABLISH_CRED);
    if (a->last != PAM_SUCCESS)
        return fail_open(a, "pam_setcred", why, cap);
    a->cred_set = true;
    a->last = pam_open_session(a->pamh, 0);
    if (a->last != PAM_SUCCESS)
        return fail_open(a, "pam_open_session", why, cap);
    a->session_open = true;
    w->ngroups = getgroups(ACCOUNT_GROUPS_MAX, w->groups);
    if (w->ngroups < 0) {
        snprintf(why, cap, "%s is in more than %d groups.", w->user, ACCOUNT_GROUPS_MAX);
        return -EOVERFLOW;
    }
    return 0;
}

void auth_end(struct auth *a)
{
    if (!a->pamh)
        return;
    if (a->session_open && (a->last = pam_close_session(a->pamh, 0)) != PAM_SUCCESS)
        log_warning("pam_close_session failed", "%s", pam_strerror(a->pamh, a->last));
    if (a->cred_set && (a->last = pam_setcred(a->pamh, PAM_DELETE_CRED)) != PAM_SUCCESS)
        log_warning("pam_setcred(DELETE) failed", "%s", pam_strerror(a->pamh, a->last));
    pam_end(a->pamh, a->last);
    a->pamh = NULL;
    a->session_open = a->cred_set = false;
}
