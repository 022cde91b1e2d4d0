/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A client made of libfreerdp's own decoders: executes graphics messages into surfaces and refuses, with a reason,
 * everything that a real client would close the channel for. */
#ifndef ORIEL_TESTS_REF_CLIENT_H
#define ORIEL_TESTS_REF_CLIENT_H

#include "codecs/wire/gfx_wire.h"

enum ref_map { REF_UNMAPPED, REF_OUTPUT, REF_WINDOW };
struct ref_surface {
    bool live;
    enum ref_map map; /* it is set once; a second time is an error */
    uint32_t x, y;    /* on the output */
    uint64_t window;
    uint16_t width, height;
    size_t stride;
    uint8_t *px;
    void *h264;
};
struct ref_client;
struct ref_client *ref_client_create(bool small_cache);
void ref_client_destroy(struct ref_client *c);
/* One channel message. Returns 0, or -1 with ref_client_error saying why. */
int ref_client_message(struct ref_client *c, const uint8_t *data, size_t len);
/* A bitmap or surface-bits command of the older ways, into surface 0 (made by ref_client_screen). */
int ref_client_screen(struct ref_client *c, uint16_t width, uint16_t height);
int ref_client_old(struct ref_client *c, const struct gfx_command *cmd);
const char *ref_client_error(const struct ref_client *c);
/* How many surfaces there are. */
size_t ref_client_surfaces(const struct ref_client *c);
const struct ref_surface *ref_client_surface(const struct ref_client *c, uint16_t id);
/* How many AVC444v2 pictures came: 0 both streams, 1 luma, 2 chroma. */
size_t ref_client_avc444(const struct ref_client *c, int lc);
uint32_t ref_client_last_frame(const struct ref_client *c);
/* Count of pixels that differ from `px` (X ignored). */
size_t ref_surface_wrong(const struct ref_surface *s, const uint8_t *px, size_t stride);
/* PSNR in dB over a rectangle, 99 when equal. */
double ref_surface_psnr(const struct ref_surface *s, const uint8_t *px, size_t stride, int x, int y, int w, int h);

#endif
