/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of groups in an option: separated by blanks, tabs or commas. A name with one of those in it stands in double
 * quotes, as in
 *
 *     staff, "Domain Users" "CORP\Domain Users"
 *
 * Between quotes everything is the name, backslashes too; no directory has names with a double quote. */
#ifndef ORIEL_COMMON_NAME_LIST_H
#define ORIEL_COMMON_NAME_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* Active Directory's sAMAccountName ends at 256 characters, Linux tools at 32 */
#define GROUP_NAME_BYTES 256

/* The next name of the list at *at, which moves on behind it. 1: `out` has it. 0: the end. -EINVAL: no list, see
 * name_list_check; *at and `out` are not to be used. */
int name_list_next(const char **at, char out[GROUP_NAME_BYTES]);
/* Whether there is anything in the list. */
bool name_list_any(const char *list);
/* 0, or -EINVAL with what is wrong and what would be right in `why`. */
int name_list_check(const char *list, char *why, size_t cap);
/* An option that takes one name: without quotes the whole text is the name. 0 or -EINVAL, as above. "" is the name of
 * nobody. */
int name_list_single(const char *text, char out[GROUP_NAME_BYTES], char *why, size_t cap);

#endif
