/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/logon/vault.h"

#include "common/log.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

void *vault_alloc(size_t len)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (mlock(p, len) < 0)
        log_warning("typed text is not locked in memory", "error=%s", strerror(errno));
    (void)madvise(p, len, MADV_DONTDUMP);
    (void)madvise(p, len, MADV_WIPEONFORK);
    return p;
}

void vault_free(void *p, size_t len)
{
    if (!p)
        return;
    explicit_bzero(p, len);
    munmap(p, len);
}
