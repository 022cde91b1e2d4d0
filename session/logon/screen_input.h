/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a screen, shared by screen.c (pages, decisions) and screen_input.c (keys, mouse). */
#ifndef ORIEL_SESSION_LOGON_SCREEN_INPUT_H
#define ORIEL_SESSION_LOGON_SCREEN_INPUT_H

#include "session/logon/keys.h"
#include "session/logon/screen.h"

enum screen_state {
    SCREEN_WAITING, /* no logon_start yet: nothing shows, nothing reacts */
    SCREEN_LOGIN,
    SCREEN_CHOOSING, /* the list of desktops is open */
    SCREEN_BUSY,     /* something was handed to the monitor; only cancelling is possible */
    SCREEN_CONVERSATION,
    SCREEN_FINAL, /* no attempts left */
    SCREEN_STARTING,
    SCREEN_NOTICE
};

struct screen_vault { /* everything typed, and the messages that carry it */
    char name[USER_BYTES];
    char password[SECRET_BYTES];
    char answers[CONV_MAX][SECRET_BYTES];
    struct logon_submit submit;
    struct logon_answers answers_message;
};

struct screen {
    const struct screen_ops *ops;
    void *user;
    enum screen_state state;
    struct page page;
    struct keys *keys;
    struct screen_vault *vault;
    struct field name, password, answers[CONV_MAX];
    bool asked[CONV_MAX]; /* prompt i wants an answer */
    uint32_t nanswers;
    struct conv_prompt kept[CONV_MAX]; /* messages that PAM did not wait with: they stay above its next question */
    uint32_t nkept;
    struct logon_start start;
    unsigned desktop; /* chosen: 0 as last time, 1 the default, 2 … start.desktops */
    struct area old_card;
    int pointer_x, pointer_y, wheel;
    bool selecting;            /* the left button is down in the focused field */
    enum screen_cursor cursor; /* told, 0 none yet */
    uint8_t locks_told;
    const char *layout_told; /* as the footer shows it */
    int blinks;
};

/* The two decisions. */
void screen_ok(struct screen *s);
void screen_cancel(struct screen *s);
/* The list of desktops: open it; take its n-th line (as screen.desktop counts) and go back; go `by` lines on without
 * opening it. */
void screen_open_choice(struct screen *s);
void screen_choose(struct screen *s, unsigned n);
void screen_step_choice(struct screen *s, int by);
/* A widget's picture changed; the whole card's. */
void screen_touch(struct screen *s, int index);
void screen_touch_card(struct screen *s);
void screen_locks_changed(struct screen *s);
/* The caret shows and starts to blink anew. */
void screen_awake(struct screen *s);
/* The pointer is here: hover and cursor shape. */
void screen_point(struct screen *s, int x, int y);

#endif
