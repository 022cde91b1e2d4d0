/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libfreerdp's planar decoder, whose function has another name in newer versions. Both take the same arguments. */
#ifndef ORIEL_TESTS_REF_PLANAR_H
#define ORIEL_TESTS_REF_PLANAR_H

#include <freerdp/codec/planar.h>

#ifdef HAVE_DECOMPRESS_PLANAR
#define ref_planar freerdp_bitmap_decompress_planar
#else
#define ref_planar planar_decompress
#endif

#endif
