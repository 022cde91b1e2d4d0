/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A PAM module for tests: it does what a script says and records that it was called. Never installed.
 *
 * Arguments: script=FILE record=FILE. The script's lines are "CALL VERB ARGUMENT"; CALL is authenticate, setcred,
 * acct_mgmt, open_session, close_session or chauthtok. Verbs, in order of the file:
 *
 *   off TEXT, on TEXT           ask; the answer is remembered
 *   info TEXT, error TEXT       tell
 *   expect TEXT                 the last answer must be TEXT, else the call returns PAM_AUTH_ERR
 *   many N                      ask N echoing questions "Q1" … in one conversation call
 *   user NAME                   set PAM_USER
 *   env NAME=VALUE              pam_putenv
 *   ticket TEMPLATE             make a credential cache of the user's (mkstemp), "ticket of PID" in it, and put it
 *                               into KRB5CCNAME
 *   before VERB…, after VERB…   only before, or after, a chauthtok in this process
 *   return N                    end the call with N, if `flags` are not those of the preliminary check of chauthtok
 *
 * A call without "return" gives PAM_SUCCESS. The record gets "CALL flags=N pid=N uid=N" per call. */
#include <fcntl.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <security/pam_modules.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANY_MAX 32

struct run {
    pam_handle_t *pamh;
    const char *script, *record;
    char *answer;
};

static int converse(struct run *r, const struct pam_message *msgs, int n, struct pam_response **out)
{
    const void *item = NULL;
    const struct pam_message *list[MANY_MAX];
    int e = pam_get_item(r->pamh, PAM_CONV, &item);
    const struct pam_conv *conv = item;
    if (e != PAM_SUCCESS || !conv)
        return PAM_CONV_ERR;
    for (int i = 0; i < n; i++)
        list[i] = &msgs[i];
    return conv->conv(n, list, out, conv->appdata_ptr);
}

static void drop(struct pam_response *resp, int n, char **keep)
{
    for (int i = 0; resp && i < n; i++) {
        if (keep && i == n - 1)
            *keep = resp[i].resp;
        else
            free(resp[i].resp);
    }
    free(resp);
}

static int say(struct run *r, int style, const char *text)
{
    struct pam_message m = {style, text};
    struct pam_response *resp = NULL;
    int e = converse(r, &m, 1, &resp);
    if (e != PAM_SUCCESS)
        return e;
    free(r->answer);
    r->answer = NULL;
    drop(resp, 1, &r->answer);
    return PAM_SUCCESS;
}

static int say_many(struct run *r, int n)
{
    char text[MANY_MAX][8];
    struct pam_message m[MANY_MAX];
    struct pam_response *resp = NULL;
    n = n < 1 ? 1 : n > MANY_MAX ? MANY_MAX : n;
    for (int i = 0; i < n; i++) {
        snprintf(text[i], sizeof text[i], "Q%d", i + 1);
        m[i] = (struct pam_message){PAM_PROMPT_ECHO_ON, text[i]};
    }
    int e = converse(r, m, n, &resp);
    for (int i = 0; e == PAM_SUCCESS && i < n; i++)
        if (!resp[i].resp || resp[i].resp[0] != 'A' || (int)strtol(resp[i].resp + 1, NULL, 10) != i + 1)
            e = PAM_AUTH_ERR;
    drop(resp, n, NULL);
    return e;
}

/* As sssd does with a Kerberos ticket: each login has a cache of its own. */
static int make_ticket(struct run *r, const char *template)
{
    char path[256], variable[300];
    const char *name = NULL;
    snprintf(path, sizeof path, "%s", template);
    const struct passwd *pw = pam_get_user(r->pamh, &name, NULL) == PAM_SUCCESS ? getpwnam(name) : NULL;
    int fd = pw ? mkstemp(path) : -1;
    if (fd < 0)
        return PAM_SYSTEM_ERR;
    dprintf(fd, "ticket of %d\n", (int)getpid());
    int e = fchown(fd, pw->pw_uid, pw->pw_gid) < 0 ? PAM_SYSTEM_ERR : PAM_SUCCESS;
    close(fd);
    snprintf(variable, sizeof variable, "KRB5CCNAME=FILE:%s", path);
    return e == PAM_SUCCESS ? pam_putenv(r->pamh, variable) : e;
}

static bool changed; /* chauthtok was there */

/* Returns -1 to go on with the next line. */
static int do_line(struct run *r, const char *verb, const char *arg)
{
    int e = PAM_SUCCESS;
    if (!strcmp(verb, "before") || !strcmp(verb, "after")) {
        char rest[256], *save = NULL;
        snprintf(rest, sizeof rest, "%s", arg);
        const char *then = strtok_r(rest, " ", &save);
        return then && changed == (verb[0] == 'a') ? do_line(r, then, save ? save : "") : -1;
    }
    if (!strcmp(verb, "off"))
        e = say(r, PAM_PROMPT_ECHO_OFF, arg);
    else if (!strcmp(verb, "on"))
        e = say(r, PAM_PROMPT_ECHO_ON, arg);
    else if (!strcmp(verb, "info"))
        e = say(r, PAM_TEXT_INFO, arg);
    else if (!strcmp(verb, "error"))
        e = say(r, PAM_ERROR_MSG, arg);
    else if (!strcmp(verb, "many"))
        e = say_many(r, (int)strtol(arg, NULL, 10));
    else if (!strcmp(verb, "expect"))
        e = r->answer && !strcmp(r->answer, arg) ? PAM_SUCCESS : PAM_AUTH_ERR;
    else if (!strcmp(verb, "user"))
        e = pam_set_item(r->pamh, PAM_USER, arg);
    else if (!strcmp(verb, "env"))
        e = pam_putenv(r->pamh, arg);
    else if (!strcmp(verb, "ticket"))
        e = make_ticket(r, arg);
    else if (!strcmp(verb, "return"))
        return (int)strtol(arg, NULL, 10);
    return e == PAM_SUCCESS ? -1 : e;
}

static void note(const struct run *r, const char *call, int flags)
{
    int fd = r->record ? open(r->record, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return;
    dprintf(fd, "%s flags=%d pid=%d uid=%d\n", call, flags, (int)getpid(), (int)geteuid());
    close(fd);
}

static int run_call(pam_handle_t *pamh, const char *call, int flags, int argc, const char **argv)
{
    struct run r = {.pamh = pamh};
    char line[1024];
    int result = -1;
    for (int i = 0; i < argc; i++) {
        if (!strncmp(argv[i], "script=", 7))
            r.script = argv[i] + 7;
        else if (!strncmp(argv[i], "record=", 7))
            r.record = argv[i] + 7;
    }
    note(&r, call, flags);
    FILE *f = r.script ? fopen(r.script, "re") : NULL;
    while (f && result < 0 && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        char *save = NULL, *who = strtok_r(line, " ", &save), *verb = who ? strtok_r(NULL, " ", &save) : NULL;
        if (verb && !strcmp(who, call))
            result = do_line(&r, verb, save ? save : "");
    }
    if (f)
        fclose(f);
    free(r.answer);
    changed = changed || !strcmp(call, "chauthtok");
    return result < 0 ? PAM_SUCCESS : result;
}

#define CALL(function, name)                                                 \
    int function(pam_handle_t *pamh, int flags, int argc, const char **argv) \
    {                                                                        \
        return run_call(pamh, name, flags, argc, argv);                      \
    }
CALL(pam_sm_authenticate, "authenticate")
CALL(pam_sm_setcred, "setcred")
CALL(pam_sm_acct_mgmt, "acct_mgmt")
CALL(pam_sm_open_session, "open_session")
CALL(pam_sm_close_session, "close_session")

int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    if (flags & PAM_PRELIM_CHECK)
        return PAM_SUCCESS;
    return run_call(pamh, "chauthtok", flags, argc, argv);
}
