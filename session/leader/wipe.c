/* SPDX-License-Identifier: GPL-3.0-or-later */
/* PAM modules and libcrypt copy passwords on the heap and free them as they are. In this program, and for every library
 * in it, freed memory is wiped first. It costs little: a leader allocates next to nothing after the login. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__) && !defined(ORIEL_SANITIZED)

extern void __libc_free(void *p);

void free(void *p)
{
    int saved = errno;
    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    __libc_free(p);
    errno = saved;
}

void *realloc(void *p, size_t n)
{
    size_t old = p ? malloc_usable_size(p) : 0;
    if (p && n == 0) {
        free(p);
        return NULL;
    }
    if (p && n <= old)
        return p;
    void *q = malloc(n);
    if (!q)
        return NULL;
    if (p) {
        memcpy(q, p, old);
        free(p);
    }
    return q;
}

#endif
