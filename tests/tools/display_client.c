/* SPDX-License-Identifier: GPL-3.0-or-later */
/* display_client: a front end of the display protocol on the command line.
 *
 *   display_client --fd N  [--size WxH]           speak on an inherited link
 *   display_client --agent PROGRAM [--size WxH]   start an agent for DISPLAY and be its leader, too
 *
 * Commands on standard input, one a line; each answer is one line on standard output:
 *   settle MS            take messages until MS ms were quiet: "frames F buffers B cursors C leds L WxH"
 *   ppm FILE             write the picture
 *   pixel X Y            "rrggbb"
 *   down|up SCANCODE [e] a key (hexadecimal; e: extended)
 *   char CODEPOINT       a character (hexadecimal)
 *   move X Y, click X Y BUTTON, wheel DELTA
 *   locks BITS, size WxH [WxH …] (monitors side by side), hold 0|1, suppress 0|1
 */
#include "tests/tools/front.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_sizes(char *text, struct display_layout *l)
{
    *l = (struct display_layout){0};
    char *save = NULL;
    int32_t x = 0;
    char *t = strtok_r(text, " ", &save);
    for (; t && l->nmonitors < DISPLAY_MONITORS_MAX; t = strtok_r(NULL, " ", &save)) {
        struct display_monitor *m = &l->monitors[l->nmonitors];
        if (sscanf(t, "%ux%u", &m->width, &m->height) != 2)
            return false;
        m->x = x;
        m->primary = l->nmonitors++ == 0;
        x += (int32_t)m->width;
    }
    return l->nmonitors > 0;
}

static int click(struct front *f, int x, int y, unsigned button)
{
    struct display_event e = {.type = INPUT_BUTTON, .code = button, .flags = INPUT_DOWN, .x = x, .y = y};
    int r = front_event(f, &e);
    e.flags = 0;
    return r < 0 ? r : front_event(f, &e);
}

static int pixel(const struct front *f, unsigned x, unsigned y)
{
    if (!f->picture || x >= f->buffer.width || y >= f->buffer.height)
        return -1;
    const uint8_t *p = f->picture + ((size_t)y * f->buffer.width + x) * 4;
    printf("%02x%02x%02x\n", p[2], p[1], p[0]);
    return 1;
}

static int settle(struct front *f, int ms)
{
    int r = front_settle(f, ms, 20 * ms + 1000);
    printf("frames %u buffers %u cursors %u leds %u %ux%u\n", f->frames, f->buffers, f->cursors, f->leds.locks,
        f->buffer.width, f->buffer.height);
    return r < 0 ? r : 1;
}

/* Returns negative on failure, 0 when "ok" is the answer, 1 when one was given. */
static int command(struct front *f, char *line)
{
    char word[16] = "", arg[256] = "";
    unsigned a = 0, b = 0, c = 0;
    int i = 0, j = 0, used = 0;
    if (sscanf(line, "%15s %n", word, &used) != 1)
        return 0;
    char *rest = line + used;
    if (!strcmp(word, "settle") && sscanf(rest, "%d", &i) == 1)
        return settle(f, i);
    if (!strcmp(word, "ppm") && sscanf(rest, "%255s", arg) == 1)
        return front_ppm(f, arg);
    if (!strcmp(word, "pixel") && sscanf(rest, "%u %u", &a, &b) == 2)
        return pixel(f, a, b);
    if ((!strcmp(word, "down") || !strcmp(word, "up")) && sscanf(rest, "%x %3s", &a, arg) >= 1)
        return front_key(f, a, (word[0] == 'd' ? INPUT_DOWN : 0) | (arg[0] == 'e' ? INPUT_EXTENDED : 0));
    if (!strcmp(word, "char") && sscanf(rest, "%x", &a) == 1)
        return front_event(f, &(struct display_event){.type = INPUT_UNICODE, .code = a, .flags = INPUT_DOWN});
    if (!strcmp(word, "move") && sscanf(rest, "%d %d", &i, &j) == 2)
        return front_event(f, &(struct display_event){.type = INPUT_MOVE, .x = i, .y = j});
    if (!strcmp(word, "click") && sscanf(rest, "%d %d %u", &i, &j, &c) == 3)
        return click(f, i, j, c);
    if (!strcmp(word, "wheel") && sscanf(rest, "%d", &i) == 1)
        return front_event(f, &(struct display_event){.type = INPUT_WHEEL, .value = i});
    if (!strcmp(word, "locks") && sscanf(rest, "%x", &a) == 1)
        return front_event(f, &(struct display_event){.type = INPUT_LOCKS, .code = a});
    struct display_layout l;
    if (!strcmp(word, "size") && parse_sizes(rest, &l))
        return wire_send(f->sock, &display_layout_def, &l, NULL);
    if (!strcmp(word, "hold") && sscanf(rest, "%u", &a) == 1) {
        f->hold = a;
        return f->hold ? 0 : front_done(f);
    }
    if (!strcmp(word, "suppress") && sscanf(rest, "%u", &a) == 1)
        return wire_send(f->sock, &display_suppress_def, &(struct display_suppress){.on = a != 0}, NULL);
    return -1;
}

int main(int argc, char **argv)
{
    struct display_layout l = {.nmonitors = 1, .monitors = {{.width = 1024, .height = 768, .primary = 1}}};
    const char *program = NULL;
    int fd = -1;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--size") && !parse_sizes(argv[i + 1], &l))
            return 2;
        if (!strcmp(argv[i], "--fd"))
            fd = (int)strtol(argv[i + 1], NULL, 10);
        if (!strcmp(argv[i], "--agent"))
            program = argv[i + 1];
    }
    struct front_agent agent;
    const char *display = getenv("DISPLAY");
    if (program && display) {
        if (front_agent_start(&agent, program, display, &l, 0x409, 0) < 0)
            return 1;
        fd = front_agent_client(&agent, 1, ROLE_CONTROL);
    }
    struct front f;
    front_init(&f, fd);
    if (fd < 0 || front_open(&f, &l, 0x409) < 0)
        return 1;
    char line[1024];
    int r = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (r >= 0 && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        r = command(&f, line);
        if (r <= 0)
            puts(r < 0 ? "failed" : "ok");
    }
    front_finish(&f);
    if (program)
        (void)front_agent_stop(&agent);
    return r < 0 ? 1 : 0;
}
