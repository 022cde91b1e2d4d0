/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "bench/scene_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEAD_BYTES 32

static int check(const struct scene *s)
{
    for (uint32_t i = 0; i < s->nframes; i++)
        if ((uint64_t)s->frames[i].first + s->frames[i].count > s->nops)
            return -EINVAL;
    for (uint32_t i = 0; i < s->nops; i++) {
        const struct scene_op *o = &s->ops[i];
        if ((uint64_t)o->x + o->width > s->width || (uint64_t)o->y + o->height > s->height || !o->height ||
            o->at + (uint64_t)(o->height - 1) * o->stride + (uint64_t)o->width * 4 > s->len || o->kind > SCENE_PICTURE)
            return -EINVAL;
    }
    return 0;
}

int scene_open(struct scene *s, const char *path)
{
    struct stat st;
    memset(s, 0, sizeof *s);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) < 0 || st.st_size < HEAD_BYTES) {
        close(fd);
        return -EINVAL;
    }
    void *m = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (m == MAP_FAILED)
        return -errno;
    s->map = m;
    s->len = (size_t)st.st_size;
    if (memcmp(s->map, "ORIELSC1", 8) != 0)
        return scene_close(s), -EINVAL;
    memcpy(&s->width, s->map + 8, 24);
    if (HEAD_BYTES + (uint64_t)s->nframes * sizeof(struct scene_frame) + (uint64_t)s->nops * sizeof(struct scene_op) >
        s->len)
        return scene_close(s), -EINVAL;
    s->frames = (const void *)(s->map + HEAD_BYTES);
    s->ops = (const void *)(s->map + HEAD_BYTES + (size_t)s->nframes * sizeof(struct scene_frame));
    int r = s->background > 1 + SCENE_PICTURE ? -EINVAL : check(s);
    if (r < 0)
        scene_close(s);
    return r;
}

void scene_close(struct scene *s)
{
    if (s->map)
        munmap((void *)(uintptr_t)s->map, s->len);
    s->map = NULL;
}

void scene_background(const struct scene *s, uint8_t *px)
{
    size_t bytes = (size_t)s->width * s->height * 4;
    size_t head =
        HEAD_BYTES + (size_t)s->nframes * sizeof(struct scene_frame) + (size_t)s->nops * sizeof(struct scene_op);
    if (s->background)
        memcpy(px, s->map + ((head + 4095) & ~(size_t)4095), bytes);
    else
        memset(px, 0x80, bytes);
}

void scene_apply(const struct scene *s, uint32_t i, uint8_t *px)
{
    const struct scene_frame *f = &s->frames[i];
    for (uint32_t k = 0; k < f->count; k++) {
        const struct scene_op *o = &s->ops[f->first + k];
        for (uint32_t y = 0; y < o->height; y++)
            memcpy(px + ((size_t)(o->y + y) * s->width + o->x) * 4, s->map + o->at + (size_t)y * o->stride,
                (size_t)o->width * 4);
    }
}

void scene_background_kinds(const struct scene *s, uint8_t *kinds)
{
    memset(kinds, s->background ? (int)s->background - 1 : SCENE_TEXT, (size_t)s->width * s->height);
}

void scene_apply_kinds(const struct scene *s, uint32_t i, uint8_t *kinds)
{
    const struct scene_frame *f = &s->frames[i];
    for (uint32_t k = 0; k < f->count; k++) {
        const struct scene_op *o = &s->ops[f->first + k];
        for (uint32_t y = 0; y < o->height; y++)
            memset(kinds + (size_t)(o->y + y) * s->width + o->x, (int)o->kind | SCENE_TOUCHED, o->width);
    }
}

static uint32_t stamp_word(uint32_t counter)
{
    uint32_t c = counter & 0xfffff;
    uint32_t sum = (c ^ c >> 4 ^ c >> 8 ^ c >> 12 ^ c >> 16 ^ 0x9) & 0xf;
    return c | sum << 20;
}

void stamp_draw(uint8_t *px, size_t stride, uint32_t counter)
{
    uint32_t word = stamp_word(counter);
    for (int y = 0; y < STAMP_CELL; y++)
        for (int x = 0; x < STAMP_BITS * STAMP_CELL; x++)
            memset(px + (size_t)y * stride + (size_t)x * 4, word >> (x / STAMP_CELL) & 1 ? 0xff : 0, 4);
}

int32_t stamp_read(const uint8_t *px, size_t stride)
{
    uint32_t word = 0;
    for (int bit = 0; bit < STAMP_BITS; bit++) {
        const uint8_t *p = px + (STAMP_CELL / 2) * stride + (size_t)(bit * STAMP_CELL + STAMP_CELL / 2) * 4;
        word |= (uint32_t)(p[1] > 127) << bit;
    }
    return stamp_word(word & 0xfffff) == word ? (int32_t)(word & 0xfffff) : -1;
}

uint64_t *draw_log_open(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return NULL;
    void *m = ftruncate(fd, DRAW_LOG_MAX * sizeof(uint64_t)) < 0
        ? MAP_FAILED
        : mmap(NULL, DRAW_LOG_MAX * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return m == MAP_FAILED ? NULL : m;
}

void draw_log_close(uint64_t *log)
{
    if (log)
        munmap(log, DRAW_LOG_MAX * sizeof *log);
}

uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}
