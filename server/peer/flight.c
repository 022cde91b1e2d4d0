/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/peer/flight.h"

static struct flight_run *run_at(struct flight *f, unsigned i)
{
    return &f->runs[(f->head + i) % FLIGHT_RUNS];
}

static void drop_oldest(struct flight *f)
{
    f->head = (f->head + 1) % FLIGHT_RUNS;
    f->count--;
}

void flight_written(struct flight *f, enum traffic_class traffic, size_t bytes)
{
    f->written += bytes;
    f->bytes[traffic] += bytes;
    if (f->count && run_at(f, f->count - 1)->traffic == traffic) {
        run_at(f, f->count - 1)->end = f->written;
        return;
    }
    if (f->count == FLIGHT_RUNS) {
        const struct flight_run *oldest = run_at(f, 0);
        size_t left = (size_t)(oldest->end - f->acked);
        f->bytes[oldest->traffic] -= left;
        f->bytes[run_at(f, 1)->traffic] += left;
        drop_oldest(f);
    }
    *run_at(f, f->count++) = (struct flight_run){.end = f->written, .traffic = traffic};
}

void flight_acked(struct flight *f, uint64_t offset)
{
    if (offset > f->written)
        offset = f->written;
    while (f->count && f->acked < offset) {
        const struct flight_run *oldest = run_at(f, 0);
        uint64_t end = oldest->end < offset ? oldest->end : offset;
        f->bytes[oldest->traffic] -= (size_t)(end - f->acked);
        f->acked = end;
        if (end == oldest->end)
            drop_oldest(f);
    }
}
