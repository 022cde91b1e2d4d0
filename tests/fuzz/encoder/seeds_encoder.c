/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes first inputs for both harnesses into two folders: a film that plays, and each way in which it goes wrong. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *folder;

static void save(const char *name, const uint8_t *p, size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0)
        abort();
}
#define SAVE(name, ...) save(name, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* Records for fuzz_encoder_serve.c: open id width odd height rate bytes, picture id serial key bytes, close id. */
#define OPEN(id) 1, 6, id, 2, 0, 2, 30, 20
#define PICTURE(id, serial, key) 2, 4, id, serial, key, 20
#define PLANES(what, len, qp) 4, 3, what, len, qp
#define CLOSE(id) 3, 1, id

static void for_the_encoder(void)
{
    SAVE("film", OPEN(1), PLANES(2, 9, 26), PICTURE(1, 1, 1), PICTURE(1, 2, 0), PICTURE(1, 3, 0), CLOSE(1));
    SAVE("fails", OPEN(1), PLANES(6, 0, 0), PICTURE(1, 1, 1), PICTURE(1, 2, 0), OPEN(2), PICTURE(2, 1, 1));
    SAVE("longest", OPEN(1), PLANES(3, 0, 0), PICTURE(1, 1, 1));
    SAVE("too-long", OPEN(1), PLANES(4, 0, 0), PICTURE(1, 1, 1), PICTURE(1, 2, 0));
    SAVE("much-too-long", OPEN(1), PLANES(5, 0, 0), PICTURE(1, 1, 1));
    SAVE("empty", OPEN(1), PLANES(0, 0, 0), PICTURE(1, 1, 1));
    SAVE("four", OPEN(1), OPEN(2), OPEN(3), OPEN(4), CLOSE(2), OPEN(5), PICTURE(5, 1, 1));
    SAVE("twice", OPEN(1), OPEN(1), PICTURE(1, 1, 1), CLOSE(1), PICTURE(1, 2, 1), CLOSE(1), CLOSE(1));
    SAVE("nobody", PICTURE(7, 1, 1), CLOSE(9), OPEN(1));
    SAVE("odd", 1, 6, 1, 2, 1, 2, 30, 20, 1, 6, 2, 0, 0, 0, 30, 20, 1, 6, 3, 2, 0, 2, 13, 20, 1, 6, 4, 2, 0, 2, 30, 0);
    SAVE("raw", 0, 12, 1, 0, 3, 0, 4, 0, 0, 0, 1, 0, 0, 0);
}

/* Records for fuzz_encoder_link.c: hello name, opened id film memory, packet id film serial key qp which; and the
 * caller's. */
#define HELLO 1, 3, 'x', '2', '6'
#define OPENED(id, film, memory) 2, 3, id, film, memory
#define PACKET(id, film, serial, which) 3, 6, id, film, serial, 1, 26, which
#define FILM(film) 4, 3, film, 2, 2
#define SUBMIT(film) 5, 2, film, 1
#define COLLECT(film) 6, 1, film
#define GONE 10, 0
#define ANOTHER 11, 0

static void for_the_peer(void)
{
    char name[] = "memory-0";
    SAVE("film", HELLO, FILM(0), OPENED(1, 0, 0), SUBMIT(0), PACKET(1, 0, 1, 1), COLLECT(0), SUBMIT(0),
        PACKET(1, 0, 2, 2), COLLECT(0), 7, 1, 0);
    SAVE("late", HELLO, FILM(0), SUBMIT(0), OPENED(1, 0, 0), COLLECT(0), PACKET(1, 0, 1, 1), COLLECT(0));
    SAVE("too-long", HELLO, FILM(0), OPENED(1, 0, 0), SUBMIT(0), PACKET(1, 0, 1, 3), COLLECT(0), SUBMIT(0));
    SAVE("unasked", HELLO, FILM(0), OPENED(1, 0, 0), PACKET(1, 0, 0, 1), COLLECT(0));
    SAVE("wrong-serial", HELLO, FILM(0), OPENED(1, 0, 0), SUBMIT(0), PACKET(1, 0, 2, 1), COLLECT(0));
    SAVE("twice", HELLO, FILM(0), OPENED(1, 0, 0), OPENED(1, 0, 0), SUBMIT(0), PACKET(1, 0, 1, 1), PACKET(1, 0, 1, 1),
        COLLECT(0), COLLECT(0));
    SAVE("fails", HELLO, FILM(0), OPENED(1, 0, 0), SUBMIT(0), PACKET(1, 0, 1, 0), COLLECT(0), OPENED(1, 0, 0),
        SUBMIT(0));
    SAVE("hello-twice", HELLO, FILM(0), HELLO, COLLECT(0), ANOTHER, HELLO, FILM(1), OPENED(2, 1, 0), SUBMIT(1));
    SAVE("restart", HELLO, FILM(0), OPENED(1, 0, 0), SUBMIT(0), GONE, COLLECT(0), ANOTHER, HELLO, PACKET(1, 0, 1, 1),
        COLLECT(0), FILM(1), OPENED(2, 1, 0), SUBMIT(1), PACKET(2, 1, 1, 1), COLLECT(1));
    SAVE("given-up", HELLO, FILM(0), 9, 1, 0, COLLECT(0), ANOTHER, 1, 0, GONE, ANOTHER, HELLO);
    SAVE("four", HELLO, FILM(0), FILM(1), FILM(2), FILM(3), 7, 1, 1, FILM(3), OPENED(4, 3, 0), SUBMIT(3), 8, 2, 3, 9,
        PACKET(4, 3, 1, 1), COLLECT(3));
    for (uint8_t kind = 1; kind < 9; kind++) {
        name[sizeof name - 2] = (char)('0' + kind);
        SAVE(name, HELLO, FILM(0), OPENED(1, 0, kind), SUBMIT(0), COLLECT(0));
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    folder = argv[1];
    for_the_encoder();
    folder = argv[2];
    for_the_peer();
    return 0;
}
