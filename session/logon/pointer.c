/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/pointer.h"

#include <cairo.h>
#include <math.h>
#include <string.h>

#define ARROW_W 14
#define ARROW_H 21
#define BEAM_W 11
#define BEAM_H 21
#define SCALE_MAX 3.0 /* 63 pixels: below DISPLAY_CURSOR_SIDE */

static void arrow_path(cairo_t *cr)
{
    static const double points[][2] = {{1, 1}, {1, 16.5}, {4.8, 13}, {7.4, 19}, {10, 17.9}, {7.5, 12.1}, {12.6, 12}};
    for (unsigned i = 0; i < sizeof points / sizeof points[0]; i++)
        cairo_line_to(cr, points[i][0], points[i][1]);
    cairo_close_path(cr);
}

static void draw_arrow(cairo_t *cr)
{
    arrow_path(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_fill_preserve(cr);
    cairo_set_source_rgb(cr, 0.05, 0.05, 0.05);
    cairo_set_line_width(cr, 1.2);
    cairo_stroke(cr);
}

static void beam_path(cairo_t *cr)
{
    cairo_move_to(cr, 2.5, 2.5);
    cairo_line_to(cr, 8.5, 2.5);
    cairo_move_to(cr, 5.5, 2.5);
    cairo_line_to(cr, 5.5, 18.5);
    cairo_move_to(cr, 2.5, 18.5);
    cairo_line_to(cr, 8.5, 18.5);
}

static void draw_beam(cairo_t *cr)
{
    beam_path(cr);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_set_line_width(cr, 3);
    cairo_stroke(cr);
    beam_path(cr);
    cairo_set_source_rgb(cr, 0.05, 0.05, 0.05);
    cairo_set_line_width(cr, 1);
    cairo_stroke(cr);
}

void pointer_shape(enum screen_cursor shape, double scale, struct display_cursor *c)
{
    bool beam = shape == SCREEN_CURSOR_TEXT;
    scale = scale < 1 ? 1 : scale > SCALE_MAX ? SCALE_MAX : scale;
    memset(c, 0, sizeof *c);
    c->width = (uint16_t)ceil((beam ? BEAM_W : ARROW_W) * scale);
    c->height = (uint16_t)ceil((beam ? BEAM_H : ARROW_H) * scale);
    c->hot_x = (uint16_t)(beam ? 5.5 * scale : scale);
    c->hot_y = (uint16_t)(beam ? 10.5 * scale : scale);
    c->nbytes = (uint32_t)c->width * c->height * 4;
    c->serial = (uint32_t)(scale * 100) * 2 + beam;
    cairo_surface_t *s =
        cairo_image_surface_create_for_data(c->pixels, CAIRO_FORMAT_ARGB32, c->width, c->height, c->width * 4);
    cairo_t *cr = cairo_create(s);
    cairo_scale(cr, scale, scale);
    if (beam)
        draw_beam(cr);
    else
        draw_arrow(cr);
    cairo_destroy(cr);
    cairo_surface_destroy(s);
}
