/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration: one table (common/options.def) makes the parser, the defaults, --dump-config, the example
 * oriel.conf and the man page. Sections and keys as in "[server] port = 3389"; in C the option is config->server_port.
 */
#ifndef ORIEL_COMMON_CONFIG_H
#define ORIEL_COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_STRING_MAX 1024 /* the longest value: a list of groups or a start command */
#define CONFIG_LINE_MAX 2048   /* key, sign and value; longer lines are an error, never split */
/* Bytes of a file: every option at its longest, with its text, fits four times */
#define CONFIG_FILE_MAX 262144
#define CONFIG_FILES_MAX 64 /* files in conf.d: one an option, which nobody needs */

enum option_type { OPTION_BOOL, OPTION_INT, OPTION_STRING, OPTION_ENUM };
struct option_info {
    const char *section, *name;
    enum option_type type;
    int64_t min, max;    /* INT: value; STRING: length in bytes */
    const char *choices; /* ENUM: "a|b|c" */
    const char *def;     /* default, as text */
    bool reload;         /* SIGHUP changes it; else "needs a restart" is logged */
    const char *text;    /* one line for people */
    size_t at;           /* offset in struct config */
};

struct config {
#define OPTION_FIELD_BOOL(sec, name) bool sec##_##name;
#define OPTION_FIELD_INT(sec, name) int64_t sec##_##name;
#define OPTION_FIELD_STRING(sec, name) char sec##_##name[CONFIG_STRING_MAX];
#define OPTION_FIELD_ENUM(sec, name) int sec##_##name; /* index into choices */
#define OPTION(sec, name, type, min, max, choices, def, reload, text) OPTION_FIELD_##type(sec, name)
#include "common/options.def"
#undef OPTION
};
extern const struct option_info config_options[];
extern const size_t config_noptions;

/* An option that went: a warning in the version that has it no more, an error in later ones (common/options_gone.def).
 */
struct option_gone {
    const char *section, *name;
    const char *version; /* major.minor of the first without it */
    const char *now;     /* "section.name" that takes its value, or NULL: the value counts no more */
    const char *advice;
};
struct option_gone_table {
    const struct option_gone *options;
    size_t n;
};
extern struct option_gone_table config_gone; /* only tests put another table here */

struct config_error {
    char file[256];
    unsigned line;  /* 0: the file itself */
    char text[512]; /* what is wrong, and what would be right */
};

/* The installed oriel.conf, or NULL when there is none: what a program reads that is given no --config. */
const char *config_default_path(void);
/* Fill in the defaults. */
void config_defaults(struct config *c);
/* Parse a file, and then those of "conf.d" in the folder that it lies in (common/config_files.h), over the defaults:
 * the last file that says something of an option counts. 0, or -EINVAL/-errno with *err filled; *c is then unchanged.
 */
int config_load(struct config *c, const char *path, struct config_error *err);
/* One open stream alone (`name` for messages). */
int config_load_stream(struct config *c, FILE *f, const char *name, struct config_error *err);
/* For a reload: options that may not change while running get their value in `running` back in `fresh`; each that
 * differed is logged as needing a restart. */
void config_keep_fixed(struct config *fresh, const struct config *running);
/* Write every option with its text, as a valid configuration file. */
int config_dump(const struct config *c, FILE *out);
/* One option's value as text (CONFIG_STRING_MAX bytes suffice), and what it takes: "a number from 0 to 9". */
void config_option_value(const struct config *c, const struct option_info *o, char *out, size_t cap);
void config_option_expects(const struct option_info *o, char *out, size_t cap);
/* A sealed memfd holding config_dump's output, for a process that may open no files; config_from_fd reads it (pread,
 * from 0). */
int config_to_memfd(const struct config *c);
int config_from_fd(struct config *c, int fd, struct config_error *err);
/* "RUN_DIR/name" into out. Returns 0 or -ENAMETOOLONG. */
int config_run_path(const struct config *c, const char *name, char *out, size_t cap);

#endif
