/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/config_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(struct config_error *err, int error, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static int refuse(struct config_error *err, int error, const char *path, const char *fmt, ...)
{
    va_list ap;
    memset(err, 0, sizeof *err);
    snprintf(err->file, sizeof err->file, "%s", path);
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return error;
}

static int not_opened(struct config_error *err, int error, const char *path)
{
    const char *more = error == EACCES && geteuid() != 0
        ? "; Oriel's programs read it with accounts of their own, so everybody must be able to read it"
        : "";
    return refuse(err, -error, path, "cannot be opened: %s%s", strerror(error), more);
}

/* Whether only those may write it who may write the first file, and root. `owner`: NULL for the first itself. */
static int check_writers(const struct stat *st, const uid_t *owner, const char *path, struct config_error *err)
{
    if (owner && st->st_uid != 0 && st->st_uid != *owner)
        return refuse(err, -EPERM, path,
            "belongs to the user id %u; it must be root's, or of the owner of the main file", (unsigned)st->st_uid);
    if (st->st_mode & S_IWOTH)
        return refuse(err, -EPERM, path, "everybody may write it; chmod o-w");
    return 0;
}

static int check_file(const struct stat *st, const uid_t *owner, const char *path, struct config_error *err)
{
    if (S_ISDIR(st->st_mode))
        return not_opened(err, EISDIR, path);
    if (owner && !S_ISREG(st->st_mode))
        return refuse(err, -EINVAL, path, "is not a regular file");
    if (!S_ISREG(st->st_mode)) /* the first may be a pipe of a shell's */
        return 0;
    if (st->st_size > CONFIG_FILE_MAX)
        return refuse(err, -EFBIG, path, "is longer than %d bytes; nothing takes that much", CONFIG_FILE_MAX);
    return check_writers(st, owner, path, err);
}

FILE *config_files_open(const struct config_files *files, size_t i, struct config_error *err, int *error)
{
    const char *path = files->paths[i];
    const uid_t *owner = i ? &files->owner : NULL;
    struct stat st;
    FILE *f = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | (i ? O_NONBLOCK : 0)); /* a pipe in conf.d holds nobody up */
    if (fd < 0 || fstat(fd, &st) < 0)
        *error = not_opened(err, errno, path);
    else
        *error = check_file(&st, owner, path, err);
    if (*error == 0 && !(f = fdopen(fd, "r")))
        *error = not_opened(err, errno, path);
    if (!f && fd >= 0)
        close(fd);
    return f;
}

static int is_ours(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return e->d_name[0] != '.' && n > 5 && strcmp(e->d_name + n - 5, ".conf") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int take_names(struct config_files *files, const char *folder, struct dirent **found, int n,
    struct config_error *err)
{
    if (n > CONFIG_FILES_MAX)
        return refuse(err, -E2BIG, folder, "has %d files; at most %d are read", n, CONFIG_FILES_MAX);
    for (int i = 0; i < n; i++) {
        if (asprintf(&files->paths[files->n], "%s/%s", folder, found[i]->d_name) < 0)
            return refuse(err, -ENOMEM, folder, "out of memory");
        files->n++;
    }
    return 0;
}

static int find_in_folder(struct config_files *files, const char *folder, struct config_error *err)
{
    struct dirent **found = NULL;
    struct stat st;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return not_opened(err, errno, folder);
    int r = fstat(fd, &st) < 0 ? not_opened(err, errno, folder) : check_writers(&st, &files->owner, folder, err);
    int n = r == 0 ? scandirat(fd, ".", &found, is_ours, by_bytes) : 0;
    if (n < 0)
        r = not_opened(err, errno, folder);
    if (r == 0)
        r = take_names(files, folder, found, n, err);
    for (int i = 0; i < n; i++)
        free(found[i]);
    free(found);
    close(fd);
    return r;
}

int config_files_find(struct config_files *files, const char *path, struct config_error *err)
{
    char *folder = NULL;
    struct stat st;
    memset(files, 0, sizeof *files);
    if (stat(path, &st) < 0)
        return not_opened(err, errno, path);
    files->owner = st.st_uid;
    files->paths[0] = strdup(path);
    files->n = files->paths[0] != NULL;
    const char *slash = strrchr(path, '/');
    if (!files->n || asprintf(&folder, "%.*sconf.d", slash ? (int)(slash + 1 - path) : 0, path) < 0)
        return refuse(err, -ENOMEM, path, "out of memory");
    int r = S_ISREG(st.st_mode) ? find_in_folder(files, folder, err) : 0; /* a pipe has nothing beside it */
    free(folder);
    return r;
}

void config_files_finish(struct config_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->paths[i]);
    files->n = 0;
}
