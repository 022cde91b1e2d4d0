/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/engine/frame.h"

#include <stdlib.h>
#include <string.h>

void frame_finish_memory(struct frame *f)
{
    free(f->commands);
    free(f->data_at);
    free(f->rects_at);
    free(f->data);
    free(f->rects);
    memset(f, 0, sizeof *f);
}

void frame_begin(struct frame *f)
{
    f->ncommands = f->len = f->nrects = f->passed = f->passed_len = 0;
    f->failed = false;
}

static size_t grown(size_t cap, size_t need, size_t start)
{
    cap = cap ? cap : start;
    while (cap < need)
        cap *= 2;
    return cap;
}

static bool grow_commands(struct frame *f)
{
    size_t cap = grown(f->commands_cap, f->ncommands + 1, 256);
    void *c = reallocarray(f->commands, cap, sizeof *f->commands);
    if (c)
        f->commands = c;
    void *d = c ? reallocarray(f->data_at, cap, sizeof *f->data_at) : NULL;
    if (d)
        f->data_at = d;
    void *r = d ? reallocarray(f->rects_at, cap, sizeof *f->rects_at) : NULL;
    if (!r)
        return false;
    f->rects_at = r;
    f->commands_cap = cap;
    return true;
}

struct gfx_command *frame_add(struct frame *f, enum gfx_command_type type)
{
    if (f->ncommands >= f->commands_cap && (f->ncommands >= FRAME_COMMANDS_MAX || !grow_commands(f)))
        f->failed = true;
    if (f->failed)
        return NULL;
    f->data_at[f->ncommands] = f->len;
    f->rects_at[f->ncommands] = f->nrects;
    struct gfx_command *c = &f->commands[f->ncommands++];
    memset(c, 0, sizeof *c);
    c->type = type;
    return c;
}

struct gfx_command *frame_last(const struct frame *f)
{
    return f->ncommands > f->passed ? &f->commands[f->ncommands - 1] : NULL;
}

void frame_add_rects(struct frame *f, const struct engine_rect *rects, size_t n)
{
    if (f->failed || f->nrects + n > FRAME_RECTS_MAX) {
        f->failed = true;
        return;
    }
    if (f->nrects + n > f->rects_cap) {
        size_t cap = grown(f->rects_cap, f->nrects + n, 256);
        void *p = reallocarray(f->rects, cap, sizeof *f->rects);
        if (!p) {
            f->failed = true;
            return;
        }
        f->rects = p;
        f->rects_cap = cap;
    }
    memcpy(f->rects + f->nrects, rects, n * sizeof *rects);
    f->nrects += n;
    f->commands[f->ncommands - 1].nrects = (uint16_t)(f->commands[f->ncommands - 1].nrects + n);
}

bool frame_writer(struct frame *f, struct wr *w, size_t max)
{
    if (!f->failed && max > f->data_cap - f->len) {
        uint8_t *p = NULL;
        if (max <= FRAME_DATA_MAX - f->len) {
            size_t cap = grown(f->data_cap, f->len + max, 65536);
            p = realloc(f->data, cap);
            f->data_cap = p ? cap : f->data_cap;
        }
        if (p)
            f->data = p;
        else
            f->failed = true;
    }
    wr_init(w, f->failed ? NULL : f->data + f->len, f->failed ? 0 : max);
    return !f->failed;
}

void frame_commit(struct frame *f, const struct wr *w)
{
    if (f->failed || w->bad) {
        f->failed = true;
        return;
    }
    f->commands[f->ncommands - 1].len += w->len;
    f->len += w->len;
}

void frame_drop(struct frame *f)
{
    if (f->failed || f->ncommands == f->passed)
        return;
    f->ncommands--;
    f->len = f->data_at[f->ncommands];
    f->nrects = f->rects_at[f->ncommands];
}

void frame_seal(struct frame *f, struct gfx_frame *out, uint32_t frame_id)
{
    for (size_t i = f->passed; i < f->ncommands; i++) {
        f->commands[i].data = f->commands[i].len ? f->data + f->data_at[i] : NULL;
        f->commands[i].rects = f->commands[i].nrects ? f->rects + f->rects_at[i] : NULL;
    }
    *out =
        (struct gfx_frame){frame_id, f->commands + f->passed, f->ncommands - f->passed, f->len - f->passed_len, false};
}

void frame_part(struct frame *f, struct gfx_frame *out, uint32_t frame_id)
{
    frame_seal(f, out, frame_id);
    f->passed = f->ncommands;
    f->passed_len = f->len;
}
