/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main() of a fuzz harness outside libFuzzer: run each file of the named files and folders once. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (1 << 20)

static unsigned runs;

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MAX);
    if (!f || !data) {
        fprintf(stderr, "cannot read %s\n", path);
        free(data);
        return 1;
    }
    size_t n = fread(data, 1, INPUT_MAX, f);
    fclose(f);
    uint8_t *exact = malloc(n ? n : 1); /* so that the sanitizer sees a read past the end */
    for (size_t i = 0; exact && i < n; i++)
        exact[i] = data[i];
    if (exact)
        (void)LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    free(data);
    runs++;
    return 0;
}

static int run_path(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return run_file(path);
    DIR *d = opendir(path);
    int r = d ? 0 : 1;
    for (struct dirent *e; d && (e = readdir(d));) {
        char file[4096];
        if (e->d_name[0] == '.')
            continue;
        if (snprintf(file, sizeof file, "%s/%s", path, e->d_name) < (int)sizeof file)
            r |= run_path(file);
    }
    if (d)
        closedir(d);
    return r;
}

int main(int argc, char **argv)
{
    int r = 0;
    for (int i = 1; i < argc; i++)
        r |= run_path(argv[i]);
    printf("%u inputs replayed\n", runs);
    return r || runs == 0;
}
