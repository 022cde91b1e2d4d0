/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files that a configuration is made of: the one that is named, and then those of the folder conf.d beside it that
 * end in ".conf" and do not begin with a dot, in the order of their bytes. Used by common/config.c. Any thread. */
#ifndef ORIEL_COMMON_CONFIG_FILES_H
#define ORIEL_COMMON_CONFIG_FILES_H

#include "common/config.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct config_files {
    char *paths[1 + CONFIG_FILES_MAX]; /* owned; the first is the file that was named */
    size_t n;
    uid_t owner; /* of the first; whoever may write that one may write the others */
};

/* Look which there are. 0, or negative errno with *err filled: the first cannot be read, the folder is not a trusted
 * one, or there are more than CONFIG_FILES_MAX in it. No conf.d is fine. Owned by the caller also after an error:
 * config_files_finish. */
int config_files_find(struct config_files *files, const char *path, struct config_error *err);
void config_files_finish(struct config_files *files);
/* Open number `i`, for the caller to fclose. NULL with *err filled and *error negative errno where it cannot be read,
 * is longer than CONFIG_FILE_MAX, anybody may write it or, in conf.d, it is not a regular file of root's or of the
 * first file's owner. */
FILE *config_files_open(const struct config_files *files, size_t i, struct config_error *err, int *error);

#endif
