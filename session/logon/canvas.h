/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture in a sealed memfd: BGRX, top-down, writable here and read-only for whoever else gets the descriptor. */
#ifndef ORIEL_SESSION_LOGON_CANVAS_H
#define ORIEL_SESSION_LOGON_CANVAS_H

#include <cairo.h>
#include <stddef.h>
#include <stdint.h>

struct canvas {
    int fd; /* -1: none */
    uint32_t width, height, stride;
    uint8_t *pixels;
    size_t len;
    cairo_surface_t *surface;
};

/* 0, or negative errno with everything undone. width, height ≥ 1. */
int canvas_init(struct canvas *c, uint32_t width, uint32_t height);
/* Fine on a canvas of zeros with fd -1. */
void canvas_finish(struct canvas *c);

#endif
