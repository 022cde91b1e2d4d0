/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frame being built: commands in order, their data and rectangles in arenas that keep their size from frame to
 * frame. */
#ifndef ORIEL_CODECS_ENGINE_FRAME_H
#define ORIEL_CODECS_ENGINE_FRAME_H

#include "codecs/engine/engine.h"
#include "common/wire.h"

#define FRAME_DATA_MAX ((size_t)192 << 20) /* an 8K picture raw is 133 MB */
#define FRAME_COMMANDS_MAX 65536           /* an 8K picture in 64x64 tiles is 8040 */
#define FRAME_RECTS_MAX 65536

struct frame {
    struct gfx_command *commands;
    size_t *data_at, *rects_at; /* offsets until frame_seal turns them into pointers */
    size_t ncommands, commands_cap;
    size_t passed, passed_len; /* commands and bytes that left as parts */
    uint8_t *data;
    size_t len, data_cap;
    struct engine_rect *rects;
    size_t nrects, rects_cap;
    bool failed; /* out of memory: sticky until frame_begin */
};

void frame_finish_memory(struct frame *f); /* frees everything; the struct may be used again from zero */
void frame_begin(struct frame *f);
/* The new command, zeroed but for its type; NULL (and failed) when there is no room. */
struct gfx_command *frame_add(struct frame *f, enum gfx_command_type type);
/* The last command, if it may still grow; NULL: there is none. */
struct gfx_command *frame_last(const struct frame *f);
/* Attach rectangles to the last command. */
void frame_add_rects(struct frame *f, const struct engine_rect *rects, size_t n);
/* Room for `max` bytes of data: a writer onto it. frame_commit attaches what was written to the last command. */
bool frame_writer(struct frame *f, struct wr *w, size_t max);
void frame_commit(struct frame *f, const struct wr *w);
/* Take the last command back. */
void frame_drop(struct frame *f);
/* What was not passed on yet; pointers are final until the next frame_add or frame_begin. */
void frame_seal(struct frame *f, struct gfx_frame *out, uint32_t frame_id);
/* Like frame_seal, and what was sealed has been passed on: it cannot grow or be dropped any more. */
void frame_part(struct frame *f, struct gfx_frame *out, uint32_t frame_id);

#endif
