/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a frame costs the link so far, and when what is there leaves as a part. */
#include "codecs/engine/state.h"

/* ClearCodec shrinks on the wire to a sixth, runs of planes to a half; where it did not find writing it is as long as
 * it is. */
static size_t command_cost(const struct gfx_command *c)
{
    size_t area = (size_t)c->rect.width * c->rect.height, len = c->type == GFX_WIRE ? c->len : 0;
    if (c->codec == GFX_CODEC_CLEARCODEC)
        len = len < area ? len / 6 : len * 2 / 3;
    else if (c->codec == GFX_CODEC_PLANAR && len < 2 * area)
        len /= 2;
    return 8 + (c->type == GFX_FROM_CACHE ? 3u : 8u) * c->nrects + len;
}

/* The last command may still grow, or be dropped. */
size_t plan_cost(struct engine *e)
{
    const struct frame *f = &e->frame;
    while (e->costed + 1 < f->ncommands)
        e->cost += command_cost(&f->commands[e->costed++]);
    return 64 + e->cost + (f->ncommands ? command_cost(&f->commands[f->ncommands - 1]) : 0);
}

void plan_part(struct engine *e, int pixels)
{
    struct gfx_frame part;
    if (!e->config.part || !e->config.caps.gfx || e->frame.failed)
        return;
    e->encoded += pixels;
    if (e->encoded < PART_PIXELS)
        return;
    frame_part(&e->frame, &part, e->frame_id);
    e->config.part(e->config.user, &part);
    e->encoded = 0;
}
