/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line per event on standard error: time, program[pid], level, session=…, event, key=value … .
 * Where standard error is systemd's journal, the level also stands before the line, as <N>.
 * Any thread. Client strings go through "%s" and are escaped here: no control character and no newline ever reaches the
 * log. Secrets have a type of their own (common/secret.h) that no call here takes. */
#ifndef ORIEL_COMMON_LOG_H
#define ORIEL_COMMON_LOG_H

#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR = 1, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* `program` is kept by reference ("oriel-peer"). Before this call lines go out at LOG_LEVEL_INFO as "oriel". */
void log_init(const char *program, enum log_level level);
void log_set_level(enum log_level level);
/* Every later line of this process carries it: "7", or "7 peer=12", or "-" (default). Copied; 64 bytes at most. */
void log_set_session(const char *session);
/* `event`: a short constant phrase ("login refused"); the rest: "user=%s reason=%s". */
void log_event(enum log_level level, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define log_error(event, ...) log_event(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warning(event, ...) log_event(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_info(event, ...) log_event(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_event(LOG_LEVEL_DEBUG, event, __VA_ARGS__)
/* Also an audit line: event "audit", to the log and, where it is there, to LOG_AUTHPRIV of syslog (under systemd both
 * are the journal, which gets it once). */
void log_audit(const char *event, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
