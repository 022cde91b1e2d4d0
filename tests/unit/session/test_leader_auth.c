/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The login attempt against scripted PAM modules. The monitor's part is played by a thread. */
#include "common/clock.h"
#include "common/link.h"
#include "session/leader/auth.h"
#include "session/leader/tickets.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <security/pam_modules.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ACCOUNT "daemon" /* exists on every Debian */
#define DEADLINE_MS 5000
#define ROUNDS_MAX 16

static char dir[64];

static void put(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static const char *got(const char *name)
{
    static char text[8192];
    char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
    return text;
}

static int make_dir(void **state)
{
    char text[1024];
    snprintf(dir, sizeof dir, "/tmp/oriel-auth-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    int n = 0;
    static const char *const types[] = {"auth", "account", "password", "session"};
    for (int i = 0; i < 4; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s required %s script=%s/script record=%s/record\n", types[i],
            PAM_TEST_MODULE, dir, dir);
    put("oriel", text);
    put("other", "auth required pam_permit.so\naccount required pam_permit.so\n");
    return 0;
}

static int remove_dir(void **state)
{
    static const char *const names[] = {"oriel", "other", "script", "record", "bare", "wrong"};
    char path[160];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

/* What the monitor answers, a round per leader_conv; prompts seen are kept. */
struct player {
    int sock;
    const char *const *answers; /* for the questions, in order; NULL-terminated */
    int hang_up_at;             /* round at which it closes the link instead; 0 never */
    int silent_at;              /* round that it never answers */
    unsigned rounds, nprompts;
    struct conv_prompt prompts[64];
    uint8_t inform[64]; /* of the round that a prompt came in */
};

static void *play(void *arg)
{
    struct player *p = arg;
    static struct leader_conv in;
    static struct leader_answers out;
    _Alignas(16) static uint8_t buf[sizeof(struct leader_hello)];
    const struct wire_def *def;
    int fds[WIRE_FDS_MAX];
    while (wire_recv(p->sock, &leader_to_monitor, &def, buf, fds, -1) == 0 && def == &leader_conv_def) {
        memcpy(&in, buf, sizeof in);
        p->rounds++;
        if (p->hang_up_at == (int)p->rounds)
            break;
        memset(&out, 0, sizeof out);
        out.nanswers = in.nprompts;
        for (uint32_t i = 0; i < in.nprompts; i++) {
            if (p->nprompts < 64) {
                p->inform[p->nprompts] = in.inform;
                p->prompts[p->nprompts++] = in.prompts[i];
            }
            if (in.prompts[i].style <= 2 && p->answers && *p->answers)
                snprintf(out.answers[i].text, SECRET_BYTES, "%s", *p->answers++);
        }
        if (p->silent_at != (int)p->rounds)
            (void)wire_send(p->sock, &leader_answers_def, &out, NULL);
    }
    shutdown(p->sock, SHUT_RDWR);
    return NULL;
}

static struct player player;
static struct account_policy policy;
static struct auth who;
static struct leader_verdict verdict;

/* One attempt. Returns what auth_attempt returns. */
static int attempt_with(const char *service, const char *script, struct leader_auth req, const char *const *answers,
    int deadline_ms)
{
    int sv[2];
    pthread_t t;
    put("script", script);
    put("record", "");
    assert_int_equal(link_pair(sv), 0);
    player.sock = sv[1];
    player.answers = answers;
    player.rounds = player.nprompts = 0;
    assert_int_equal(pthread_create(&t, NULL, play, &player), 0);
    struct auth_options o = {.service = service,
        .pam_dir = dir,
        .policy = policy,
        .sock = sv[0],
        .deadline_ms = clock_ms() + deadline_ms};
    int r = auth_attempt(&who, &o, &req, &verdict);
    shutdown(sv[0], SHUT_RDWR);
    pthread_join(t, NULL);
    close(sv[0]);
    close(sv[1]);
    player.hang_up_at = player.silent_at = 0;
    static const uint8_t zero[SECRET_BYTES];
    assert_memory_equal(req.secret, zero, sizeof zero); /* whatever happened, nothing secret is left */
    assert_memory_equal(who.conv.secret, zero, sizeof zero);
    return r;
}

static struct leader_auth password(const char *secret, bool interactive)
{
    struct leader_auth req = {.method = AUTH_PASSWORD,
        .interactive = interactive,
        .user = ACCOUNT,
        .rhost = "192.0.2.7"};
    req.nsecret = (uint32_t)strlen(secret);
    memcpy(req.secret, secret, req.nsecret);
    return req;
}

static enum refuse_reason attempt(const char *script, struct leader_auth req, const char *const *answers)
{
    assert_int_equal(attempt_with("oriel", script, req, answers, DEADLINE_MS), 0);
    if (verdict.reason != REFUSE_NONE)
        assert_null(who.pamh);
    return verdict.reason;
}

#define ASK "authenticate off Password:\nauthenticate expect right\n"

/* option: login.pam_dir, login.pam_service */
static void the_right_password_is_let_in(void **state)
{
    assert_int_equal(attempt(ASK, password("right", false), NULL), REFUSE_NONE);
    struct passwd *pw = getpwnam(ACCOUNT);
    assert_string_equal(verdict.user, ACCOUNT);
    assert_int_equal(verdict.uid, pw->pw_uid);
    assert_int_equal(verdict.gid, pw->pw_gid);
    assert_int_equal(player.rounds, 0);
    assert_non_null(who.pamh);
    auth_end(&who);
    assert_null(strstr(got("record"), "setcred"));
    assert_null(strstr(got("record"), "close_session"));
}

static void a_wrong_password_is_refused(void **state)
{
    assert_int_equal(attempt(ASK, password("wrong", false), NULL), REFUSE_CREDENTIALS);
    assert_string_equal(verdict.user, ACCOUNT); /* for the audit */
    assert_string_equal(verdict.text, "");
    assert_null(strstr(got("record"), "acct_mgmt"));
}

static void an_empty_password_never_reaches_pam(void **state)
{
    assert_int_equal(attempt("", password("", false), NULL), REFUSE_CREDENTIALS);
    assert_int_equal(attempt("", password("", true), NULL), REFUSE_CREDENTIALS);
    assert_string_equal(got("record"), "");
}

static void an_empty_answer_on_the_logon_screen_is_refused(void **state)
{
    struct leader_auth req = {.method = AUTH_CONVERSATION, .interactive = 1, .user = ACCOUNT};
    const char *const answers[] = {"", NULL};
    assert_int_equal(attempt("authenticate off Password:\n", req, answers), REFUSE_CREDENTIALS);
    assert_null(strstr(got("record"), "acct_mgmt"));
    const char *const twin[] = {"x", NULL};
    assert_int_equal(attempt("authenticate off Password:\n", req, twin), REFUSE_NONE);
    auth_end(&who);
}

static void a_password_with_a_nul_never_reaches_pam(void **state)
{
    struct leader_auth req = password("right", false);
    req.secret[5] = 0;
    req.secret[6] = 'x';
    req.nsecret = 7;
    assert_int_equal(attempt(ASK, req, NULL), REFUSE_CREDENTIALS);
    assert_string_equal(got("record"), "");
}

static void an_over_long_password_never_reaches_pam_and_the_longest_does(void **state)
{
    struct leader_auth req = password("", false);
    memset(req.secret, 'a', sizeof req.secret);
    req.nsecret = SECRET_BYTES;
    assert_int_equal(attempt("authenticate off P\n", req, NULL), REFUSE_CREDENTIALS);
    assert_string_equal(got("record"), "");
    memset(req.secret, 'a', sizeof req.secret);
    req.nsecret = SECRET_BYTES - 1;
    assert_int_equal(attempt("authenticate off P\n", req, NULL), REFUSE_NONE);
    auth_end(&who);
}

static void names_that_are_no_names_never_reach_pam(void **state)
{
    static const char *const names[] = {"", "-x", "a:b", "../x", "a\nb", "a\033[31m"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct leader_auth req = password("right", false);
        snprintf(req.user, sizeof req.user, "%s", names[i]);
        assert_int_equal(attempt(ASK, req, NULL), REFUSE_CREDENTIALS);
        assert_string_equal(got("record"), "");
    }
}

static void every_answer_but_success_is_a_refusal(void **state)
{
    static const char *const calls[] = {"authenticate", "acct_mgmt"};
    char script[128];
    for (int c = 0; c < 2; c++) {
        for (int e = 0; e < _PAM_RETURN_VALUES; e++) {
            if (e == PAM_SUCCESS || e == PAM_IGNORE || (c == 1 && e == PAM_NEW_AUTHTOK_REQD))
                continue; /* libpam does not hand PAM_IGNORE through; expired passwords have their own test */
            snprintf(script, sizeof script, ASK "%s return %d\n", calls[c], e);
            enum refuse_reason r = attempt(script, password("right", false), NULL);
            assert_int_not_equal(r, REFUSE_NONE);
            if (c == 0)
                assert_true(r == REFUSE_CREDENTIALS || r == REFUSE_UNAVAILABLE);
        }
    }
}

static void answers_that_would_tell_whether_a_user_exists_are_one_refusal(void **state)
{
    static const int same[] = {PAM_AUTH_ERR, PAM_USER_UNKNOWN, PAM_MAXTRIES, PAM_PERM_DENIED, PAM_ACCT_EXPIRED,
        PAM_CRED_INSUFFICIENT};
    char script[128];
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        snprintf(script, sizeof script, ASK "authenticate error You exist\nauthenticate return %d\n", same[i]);
        assert_int_equal(attempt(script, password("right", false), NULL), REFUSE_CREDENTIALS);
        assert_string_equal(verdict.text, "");
    }
}

static void an_invalid_account_says_why(void **state)
{
    assert_int_equal(attempt(ASK "acct_mgmt error Out of hours\nacct_mgmt return 6\n", password("right", false), NULL),
        REFUSE_ACCOUNT);
    assert_string_equal(verdict.text, "Out of hours");
    /* PAM_ACCT_EXPIRED */
    assert_int_equal(attempt(ASK "acct_mgmt return 13\n", password("right", false), NULL), REFUSE_ACCOUNT);
    assert_true(strlen(verdict.text) > 0);
}

static void a_broken_stack_is_unavailable(void **state)
{
    char text[256];
    assert_int_equal(attempt_with("nosuch", ASK, password("right", false), NULL, DEADLINE_MS), 0);
    assert_int_equal(verdict.reason, REFUSE_UNAVAILABLE);
    assert_int_equal(attempt_with("other", "", password("right", false), NULL, DEADLINE_MS), 0);
    assert_int_equal(verdict.reason, REFUSE_UNAVAILABLE);
    assert_int_equal(attempt_with("../oriel", "", password("right", false), NULL, DEADLINE_MS), 0);
    assert_int_equal(verdict.reason, REFUSE_UNAVAILABLE);
    put("bare", "");
    assert_int_equal(attempt_with("bare", "", password("right", false), NULL, DEADLINE_MS), 0);
    assert_int_equal(verdict.reason, REFUSE_UNAVAILABLE);
    snprintf(text, sizeof text, "auth required %s/no_such_module.so\naccount required %s/no_such_module.so\n", dir,
        dir);
    put("wrong", text); /* and nothing of the other two types */
    assert_int_equal(attempt_with("wrong", "", password("right", false), NULL, DEADLINE_MS), 0);
    assert_int_equal(verdict.reason, REFUSE_UNAVAILABLE);
    snprintf(text + strlen(text), sizeof text - strlen(text),
        "password required pam_deny.so\nsession required pam_deny.so\n");
    put("wrong", text);
    assert_int_equal(attempt_with("wrong", "", password("right", false), NULL, DEADLINE_MS), 0);
    assert_int_not_equal(verdict.reason, REFUSE_NONE);
}

static void who_policy_forbids_is_refused_before_or_after_pam(void **state)
{
    struct leader_auth req = password("right", false);
    policy = (struct account_policy){.allowed_groups = "no-such-group"};
    assert_int_equal(attempt(ASK, req, NULL), REFUSE_POLICY);
    assert_non_null(strstr(got("record"), "acct_mgmt"));
    assert_int_equal(verdict.uid, 1);
    policy.allowed_groups = "no-such-group " ACCOUNT;
    assert_int_equal(attempt(ASK, req, NULL), REFUSE_NONE);
    auth_end(&who);
    policy = (struct account_policy){0};
    snprintf(req.user, sizeof req.user, "CORP\\root");
    assert_int_equal(attempt(ASK, req, NULL), REFUSE_POLICY);
    assert_string_equal(got("record"), "");
    assert_int_equal(verdict.uid, 0);
}

static void a_second_question_without_a_screen_asks_for_the_logon_screen(void **state)
{
    assert_int_equal(attempt(ASK "authenticate on Code:\n", password("right", false), NULL), REFUSE_CONVERSATION);
    assert_int_equal(attempt(ASK "authenticate off Code:\n", password("right", false), NULL), REFUSE_CONVERSATION);
    assert_int_equal(attempt("authenticate on Code:\nauthenticate return 0\n", password("right", false), NULL),
        REFUSE_CONVERSATION);
    assert_int_equal(player.rounds, 0);
}

static void a_stack_that_shrugs_off_a_failed_question_is_not_believed(void **state)
{
    char text[512];
    snprintf(text, sizeof text,
        "auth optional %s script=%s/script record=%s/record\nauth required pam_permit.so\n"
        "account required pam_permit.so\npassword required pam_permit.so\nsession required pam_permit.so\n",
        PAM_TEST_MODULE, dir, dir);
    put("wrong", text);
    assert_int_equal(attempt_with("wrong", "authenticate on Code:\n", password("right", false), NULL, DEADLINE_MS), 0);
    assert_int_equal(verdict.reason, REFUSE_CONVERSATION);
}

static void questions_in_six_scripts_go_there_and_back(void **state)
{
    static const char *const texts[] = {"Passwort für Jörg:", "Κωδικός:", "Пароль:", "كلمة المرور:", "パスワード：",
        "암호: पासवर्ड"};
    static const char *const said[] = {"grüß", "λέξη", "слово", "كلمة", "言葉", "말 शब्द"};
    for (size_t i = 0; i < 6; i++) {
        char script[512];
        const char *const answers[] = {said[i], said[(i + 1) % 6], NULL};
        struct leader_auth req = {.method = AUTH_CONVERSATION, .interactive = 1, .user = ACCOUNT};
        snprintf(script, sizeof script,
            "authenticate info %s\nauthenticate off %s\nauthenticate expect %s\nauthenticate on %s\n"
            "authenticate expect %s\nauthenticate error %s\n",
            texts[i], texts[i], said[i], texts[i], said[(i + 1) % 6], texts[i]);
        assert_int_equal(attempt(script, req, answers), REFUSE_NONE);
        /* The last message has no prompt after it: it comes again, to be acknowledged before the session covers it. */
        assert_int_equal(player.nprompts, 5);
        static const uint8_t styles[] = {PAM_TEXT_INFO, PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON, PAM_ERROR_MSG,
            PAM_ERROR_MSG};
        static const uint8_t inform[] = {1, 0, 0, 1, 0};
        for (int k = 0; k < 5; k++) {
            assert_int_equal(player.inform[k], inform[k]);
            assert_string_equal(player.prompts[k].text, texts[i]);
            assert_int_equal(player.prompts[k].style, styles[k]);
        }
        auth_end(&who);
    }
}

static void broken_text_is_mended_before_it_travels(void **state)
{
    struct leader_auth req = {.method = AUTH_CONVERSATION, .interactive = 1, .user = ACCOUNT};
    const char *const answers[] = {"x", NULL};
    assert_int_equal(attempt("authenticate off \xff\x1b[2J\xc3( ok\xe2\x82\xac\n", req, answers), REFUSE_NONE);
    assert_string_equal(player.prompts[0].text, "? [2J?( ok\xe2\x82\xac");
    auth_end(&who);
}

static void the_given_password_answers_the_first_prompt_only(void **state)
{
    const char *const answers[] = {"123456", NULL};
    assert_int_equal(attempt(ASK "authenticate off Code:\nauthenticate expect 123456\n", password("right", true),
                         answers),
        REFUSE_NONE);
    assert_int_equal(player.nprompts, 1);
    assert_string_equal(player.prompts[0].text, "Code:");
    auth_end(&who);
}

static void thirty_two_questions_in_one_call_come_in_two_rounds(void **state)
{
    struct leader_auth req = {.method = AUTH_CONVERSATION, .interactive = 1, .user = ACCOUNT};
    static char text[32][8];
    const char *answers[33] = {0};
    for (int i = 0; i < 32; i++) {
        snprintf(text[i], sizeof text[i], "A%d", i + 1);
        answers[i] = text[i];
    }
    assert_int_equal(attempt("authenticate many 32\n", req, answers), REFUSE_NONE);
    assert_int_equal(player.rounds, 2);
    assert_int_equal(player.nprompts, 32);
    auth_end(&who);
}

static void an_expired_password_is_changed_on_the_logon_screen(void **state)
{
    const char *const answers[] = {"right", "new", NULL};
    assert_int_equal(attempt(ASK
                         "acct_mgmt return 12\nchauthtok off Current:\nchauthtok expect right\nchauthtok off New:\n"
                         "chauthtok expect new\n",
                         password("right", true), answers),
        REFUSE_NONE);
    char want[64];
    snprintf(want, sizeof want, "chauthtok flags=%d", PAM_CHANGE_EXPIRED_AUTHTOK | PAM_UPDATE_AUTHTOK);
    assert_non_null(strstr(got("record"), want));
    auth_end(&who);
}

/* Keyrings and tickets are opened with what modules put by when they authenticated. */
static void after_a_change_modules_have_the_new_password(void **state)
{
    const char *const answers[] = {"right", "new", NULL};
    static const char script[] =
        "authenticate off Password:\nauthenticate before expect right\nauthenticate after expect new\n"
        "authenticate after env SEES=new\nacct_mgmt before return 12\n"
        "chauthtok off Current:\nchauthtok off New:\nchauthtok expect new\n";
    assert_int_equal(attempt(script, password("right", true), answers), REFUSE_NONE);
    assert_string_equal(pam_getenv(who.pamh, "SEES"), "new");
    auth_end(&who);
    for (size_t i = 0; i < sizeof who.conv.latest; i++)
        assert_int_equal(who.conv.latest[i], 0);
}

static void a_stack_that_does_not_take_the_new_password_at_once_keeps_nobody_out(void **state)
{
    const char *const answers[] = {"right", "new", NULL};
    assert_int_equal(
        attempt(
            "authenticate off Password:\nauthenticate expect right\nauthenticate env FIRST=yes\nacct_mgmt return 12\n"
            "chauthtok off Current:\nchauthtok off New:\n",
            password("right", true), answers),
        REFUSE_NONE);
    assert_string_equal(pam_getenv(who.pamh, "FIRST"), "yes");
    auth_end(&who);
}

static void an_expired_password_without_a_screen_asks_for_one(void **state)
{
    assert_int_equal(attempt(ASK "acct_mgmt return 12\n", password("right", false), NULL), REFUSE_CONVERSATION);
    assert_null(strstr(got("record"), "chauthtok"));
}

static void every_failing_password_change_is_a_refusal(void **state)
{
    char script[128];
    for (int e = 1; e < _PAM_RETURN_VALUES; e++) {
        if (e == PAM_IGNORE)
            continue;
        snprintf(script, sizeof script, ASK "acct_mgmt return 12\nchauthtok return %d\n", e);
        assert_int_not_equal(attempt(script, password("right", true), NULL), REFUSE_NONE);
    }
}

static void a_monitor_that_hangs_up_ends_the_attempt(void **state)
{
    struct leader_auth req = {.method = AUTH_CONVERSATION, .interactive = 1, .user = ACCOUNT};
    player.hang_up_at = 1;
    assert_int_equal(attempt_with("oriel", "authenticate off P\n", req, NULL, DEADLINE_MS), -EPIPE);
    assert_null(who.pamh);
}

static void silence_ends_at_the_deadline(void **state)
{
    struct leader_auth req = {.method = AUTH_CONVERSATION, .interactive = 1, .user = ACCOUNT};
    int64_t before = clock_ms();
    player.silent_at = 1;
    assert_int_equal(attempt_with("oriel", "authenticate off P\n", req, NULL, 300), -ETIMEDOUT);
    assert_true(clock_ms() - before < 2000);
    assert_null(who.pamh);
}

static void a_trusted_return_asks_the_account_stack_only(void **state)
{
    struct leader_auth req = {.method = AUTH_RECONNECT_COOKIE, .trusted = 1, .user = ACCOUNT};
    assert_int_equal(attempt("authenticate return 7\n", req, NULL), REFUSE_NONE);
    assert_null(strstr(got("record"), "authenticate"));
    auth_end(&who);
    assert_int_equal(attempt("acct_mgmt return 13\n", req, NULL), REFUSE_ACCOUNT);
    assert_int_equal(attempt("acct_mgmt return 12\n", req, NULL), REFUSE_CONVERSATION);
}

static void methods_that_are_reserved_are_refused(void **state)
{
    static const uint8_t methods[] = {0, AUTH_ASSERTION, AUTH_RECONNECT_COOKIE, AUTH_SPNEGO, AUTH_CERT};
    for (size_t i = 0; i < sizeof methods; i++) {
        struct leader_auth req = password("right", true);
        req.method = methods[i];
        assert_int_equal(attempt(ASK, req, NULL), REFUSE_UNAVAILABLE);
        assert_string_equal(got("record"), "");
    }
}

static void the_name_that_pam_maps_to_is_the_one_that_counts(void **state)
{
    assert_int_equal(attempt(ASK "authenticate user nobody\n", password("right", false), NULL), REFUSE_NONE);
    assert_string_equal(verdict.user, "nobody");
    assert_int_equal(verdict.uid, getpwnam("nobody")->pw_uid);
    auth_end(&who);
    assert_int_equal(attempt(ASK "authenticate user no-such-user-here\n", password("right", false), NULL),
        REFUSE_CREDENTIALS);
}

static void a_refresh_sees_the_sessions_environment(void **state)
{
    static struct leader_refresh r = {.nenv = 1, .env = {{"KRB5CCNAME=FILE:/tmp/krb5cc_7"}}};
    char want[64];
    assert_int_equal(attempt(ASK, password("right", false), NULL), REFUSE_NONE);
    assert_int_equal(auth_refresh(&who, &r), 0);
    assert_string_equal(pam_getenv(who.pamh, "KRB5CCNAME"), "FILE:/tmp/krb5cc_7");
    auth_end(&who);
    snprintf(want, sizeof want, "setcred flags=%d", PAM_REINITIALIZE_CRED);
    assert_non_null(strstr(got("record"), want));
    assert_null(strstr(got("record"), "open_session"));
    snprintf(want, sizeof want, "setcred flags=%d", PAM_DELETE_CRED);
    assert_null(strstr(got("record"), want));
}

static void write_text(const char *path, const char *text, uid_t owner)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchown(fd, owner, (gid_t)-1) == 0);
    close(fd);
}

static const char *text_of(const char *path)
{
    static char text[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
    return text;
}

static void a_new_ticket_goes_into_the_sessions_cache(void **state)
{
    static struct leader_refresh r = {.nenv = 1};
    char sessions[64] = "/tmp/krb5cc_oriel_XXXXXX", script[256], want[64];
    struct stat st;
    if (getuid() != 0)
        skip();
    close(mkstemp(sessions));
    write_text(sessions, "an old one\n", getpwnam("nobody")->pw_uid);
    snprintf(r.env[0].text, sizeof r.env[0].text, "KRB5CCNAME=FILE:%s", sessions);
    snprintf(script, sizeof script, ASK "authenticate user nobody\nauthenticate ticket %s.XXXXXX\n", sessions);
    assert_int_equal(attempt(script, password("right", false), NULL), REFUSE_NONE);
    char *own = strdup(pam_getenv(who.pamh, "KRB5CCNAME"));
    assert_int_equal(auth_refresh(&who, &r), 0);
    snprintf(want, sizeof want, "ticket of %d\n", (int)getpid());
    assert_string_equal(text_of(sessions), want);
    assert_int_equal(stat(sessions, &st), 0);
    assert_int_equal(st.st_uid, getpwnam("nobody")->pw_uid);
    assert_int_equal(st.st_mode & 07777, 0600);
    auth_end(&who);
    (void)unlink(own + 5);
    (void)unlink(sessions);
    free(own);
}

static void what_is_no_cache_of_the_users_is_not_taken(void **state)
{
    static struct account nobody;
    char from[64] = "/tmp/krb5cc_oriel_XXXXXX", to[64];
    if (getuid() != 0)
        skip();
    nobody.uid = getpwnam("nobody")->pw_uid;
    nobody.gid = getpwnam("nobody")->pw_gid;
    close(mkstemp(from));
    snprintf(to, sizeof to, "%s.to", from);
    write_text(from, "root's own\n", 0);
    write_text(to, "as it was\n", nobody.uid);
    assert_int_equal(tickets_move(&nobody, from, to), -EACCES);
    assert_int_equal(chmod(from, 0644), 0);
    assert_int_equal(tickets_move(&nobody, from, to), -EPERM);
    write_text(from, "", nobody.uid);
    assert_int_equal(chown(from, nobody.uid, nobody.gid), 0);
    assert_int_equal(tickets_move(&nobody, from, to), -ENODATA);
    assert_string_equal(text_of(to), "as it was\n");
    assert_int_equal(tickets_move(&nobody, from, from), 0);
    assert_int_equal(tickets_move(&nobody, NULL, to), 0);
    assert_int_equal(tickets_move(&nobody, "KEYRING:persistent:1", "KEYRING:persistent:1"), 0);
    assert_int_equal(tickets_move(&nobody, "KCM:", to), 0);
    (void)unlink(from);
    (void)unlink(to);
}

static void one_handle_opens_and_closes_the_session_in_order(void **state)
{
    char why[256], want[256];
    if (geteuid() != 0)
        skip();
    assert_int_equal(attempt(ASK "open_session env FROM_PAM=yes\n", password("right", false), NULL), REFUSE_NONE);
    gid_t groups[256];
    int n = getgroups(256, groups);
    assert_int_equal(auth_open_session(&who, ":77", "5eed", why, sizeof why), 0);
    assert_string_equal(pam_getenv(who.pamh, "FROM_PAM"), "yes");
    auth_end(&who);
    snprintf(want, sizeof want,
        "authenticate flags=%d pid=%d uid=0\nacct_mgmt flags=%d pid=%d uid=0\nsetcred flags=%d pid=%d uid=0\n"
        "open_session flags=0 pid=%d uid=0\nclose_session flags=0 pid=%d uid=0\nsetcred flags=%d pid=%d uid=0\n",
        PAM_DISALLOW_NULL_AUTHTOK, getpid(), PAM_DISALLOW_NULL_AUTHTOK, getpid(), PAM_ESTABLISH_CRED, getpid(),
        getpid(), getpid(), PAM_DELETE_CRED, getpid());
    assert_string_equal(got("record"), want);
    (void)setgroups((size_t)n, groups);
}

static void every_failing_step_of_opening_is_undone(void **state)
{
    static const char *const calls[] = {"setcred", "open_session"};
    char why[256], script[128];
    if (geteuid() != 0)
        skip();
    for (int c = 0; c < 2; c++) {
        for (int e = 1; e < _PAM_RETURN_VALUES; e++) {
            if (e == PAM_IGNORE)
                continue;
            snprintf(script, sizeof script, ASK "%s return %d\n", calls[c], e);
            assert_int_equal(attempt(script, password("right", false), NULL), REFUSE_NONE);
            assert_true(auth_open_session(&who, ":77", "5eed", why, sizeof why) < 0);
            assert_non_null(strstr(why, calls[c]));
            auth_end(&who);
            assert_null(strstr(got("record"), "close_session"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_password_is_let_in),
        cmocka_unit_test(a_wrong_password_is_refused),
        cmocka_unit_test(an_empty_password_never_reaches_pam),
        cmocka_unit_test(an_empty_answer_on_the_logon_screen_is_refused),
        cmocka_unit_test(a_password_with_a_nul_never_reaches_pam),
        cmocka_unit_test(an_over_long_password_never_reaches_pam_and_the_longest_does),
        cmocka_unit_test(names_that_are_no_names_never_reach_pam),
        cmocka_unit_test(every_answer_but_success_is_a_refusal),
        cmocka_unit_test(answers_that_would_tell_whether_a_user_exists_are_one_refusal),
        cmocka_unit_test(an_invalid_account_says_why),
        cmocka_unit_test(a_broken_stack_is_unavailable),
        cmocka_unit_test(who_policy_forbids_is_refused_before_or_after_pam),
        cmocka_unit_test(a_second_question_without_a_screen_asks_for_the_logon_screen),
        cmocka_unit_test(a_stack_that_shrugs_off_a_failed_question_is_not_believed),
        cmocka_unit_test(questions_in_six_scripts_go_there_and_back),
        cmocka_unit_test(broken_text_is_mended_before_it_travels),
        cmocka_unit_test(the_given_password_answers_the_first_prompt_only),
        cmocka_unit_test(thirty_two_questions_in_one_call_come_in_two_rounds),
        cmocka_unit_test(an_expired_password_is_changed_on_the_logon_screen),
        cmocka_unit_test(after_a_change_modules_have_the_new_password),
        cmocka_unit_test(a_stack_that_does_not_take_the_new_password_at_once_keeps_nobody_out),
        cmocka_unit_test(an_expired_password_without_a_screen_asks_for_one),
        cmocka_unit_test(every_failing_password_change_is_a_refusal),
        cmocka_unit_test(a_monitor_that_hangs_up_ends_the_attempt),
        cmocka_unit_test(silence_ends_at_the_deadline),
        cmocka_unit_test(a_trusted_return_asks_the_account_stack_only),
        cmocka_unit_test(methods_that_are_reserved_are_refused),
        cmocka_unit_test(the_name_that_pam_maps_to_is_the_one_that_counts),
        cmocka_unit_test(a_refresh_sees_the_sessions_environment),
        cmocka_unit_test(a_new_ticket_goes_into_the_sessions_cache),
        cmocka_unit_test(what_is_no_cache_of_the_users_is_not_taken),
        cmocka_unit_test(one_handle_opens_and_closes_the_session_in_order),
        cmocka_unit_test(every_failing_step_of_opening_is_undone),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
