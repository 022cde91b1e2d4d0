/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "codecs/picture/classify.h"

#include "codecs/pixel.h"

#define CELL TEXTURE_CELL
#define PIXELS_MIN 40 /* smaller areas cost next to nothing exactly */
/* measured: photographs 2 - 15, text 55 - 95, interfaces 70 - 99 */
#define EQUAL_PERCENT 30
#define TURNS_PERCENT 25   /* grain 40 - 66, gradients 0 - 10 */
#define COLOURS_PERCENT 40 /* of the samples: photographs 60 - 100, gradients 3 - 20 */
#define STEEP_PERCENT 4    /* edges: grain 0, writing 10 - 50 */
/* The commonest colour's share: photographs 2 - 20, the densest writing 25 - 60 */
#define MODE_PERCENT 20
#define BUCKETS 256
#define LINE_MIN 8 /* pixels: shorter lines tell nothing */

static int step_over(int n)
{
    return n > CELL ? n / 8 : 2;
}

/* Some 64 samples: how many colours, and how often the commonest? Colours that share a bucket count as one. */
static int colours_of(const struct surface *s, struct box b, int *mode, int *n)
{
    uint8_t seen[BUCKETS] = {0};
    int colours = 0;
    *mode = *n = 0;
    int dx = step_over(b.x1 - b.x0), dy = step_over(b.y1 - b.y0);
    for (int y = b.y0; y < b.y1; y += dy)
        for (int x = b.x0 + (y >> 1 & 1); x < b.x1; x += dx, ++*n) {
            uint8_t *k = &seen[pixel(surface_cur(s, x, y)) * 2654435761u >> 24];
            colours += *k == 0;
            *mode = ++*k > *mode ? *k : *mode;
        }
    return colours;
}

struct counts {
    int equal, steep, turns;
};

static bool block_is_picture(const struct surface *s, struct box b, struct counts t)
{
    int mode, n, pixels = (b.x1 - b.x0) * ((b.y1 - b.y0 + TEXTURE_ROW_STEP - 1) / TEXTURE_ROW_STEP);
    if (pixels * TEXTURE_ROW_STEP < PIXELS_MIN || t.equal * 100 >= pixels * EQUAL_PERCENT)
        return false;
    bool grain = t.turns * 100 > pixels * TURNS_PERCENT;
    if (grain && t.steep * 100 < pixels * STEEP_PERCENT)
        return true;
    int colours = colours_of(s, b, &mode, &n);
    return mode * 100 <= n * MODE_PERCENT && (grain || colours * 100 > n * COLOURS_PERCENT);
}

static struct box cell_box(const struct box *tile, int cell)
{
    int x = tile->x0 + cell % 4 * CELL, y = tile->y0 + cell / 4 * CELL;
    return box_intersect((struct box){x, y, x + CELL, y + CELL}, tile);
}

/* The tile's picture cells as bits, looked at again only when its content is new. */
static uint16_t picture_cells(const struct surface *s, int tile)
{
    struct tile *k = &s->tiles[tile];
    struct box b = surface_tile_box(s, tile);
    struct texture t;
    if (k->flags & TILE_LOOKED_AT)
        return k->picture;
    k->picture = 0;
    k->flags |= TILE_LOOKED_AT;
    if (s->ops->is_calm(surface_cur(s, b.x0, b.y0), s->stride, b.x1 - b.x0, b.y1 - b.y0, EQUAL_PERCENT))
        return 0;
    s->ops->texture(surface_cur(s, b.x0, b.y0), s->stride, b.x1 - b.x0, b.y1 - b.y0, &t);
    for (int cell = 0; cell < 16; cell++) {
        struct box c = cell_box(&b, cell);
        if (!box_empty(&c) && block_is_picture(s, c, (struct counts){t.equal[cell], t.steep[cell], t.turns[cell]}))
            k->picture |= (uint16_t)(1u << cell);
    }
    return k->picture;
}

bool tile_has_picture(const struct surface *s, int tile)
{
    return picture_cells(s, tile) != 0;
}

static int box_area(const struct box *b)
{
    return box_empty(b) ? 0 : (b->x1 - b->x0) * (b->y1 - b->y0);
}

/* How much of `a` lies in picture cells of this tile, and the box around those cells' parts. */
static int picture_area(const struct surface *s, int tile, const struct box *a, struct box *around)
{
    struct box b = surface_tile_box(s, tile);
    unsigned cells = picture_cells(s, tile);
    int area = 0;
    *around = (struct box){0, 0, 0, 0};
    for (; cells; cells &= cells - 1) {
        struct box c = cell_box(&b, __builtin_ctz(cells));
        c = box_intersect(c, a);
        area += box_area(&c);
        box_add(around, &c);
    }
    return area;
}

bool is_picture(const struct surface *s, struct box a)
{
    struct box around;
    int area = 0;
    for (int ty = a.y0 / TILE; ty <= (a.y1 - 1) / TILE; ty++)
        for (int tx = a.x0 / TILE; tx <= (a.x1 - 1) / TILE; tx++)
            area += picture_area(s, ty * s->tiles_x + tx, &a, &around);
    return box_area(&a) >= PIXELS_MIN && area * 2 > box_area(&a);
}

/* A line of which most pixels differ from their neighbours along it lies in a picture. */
static bool busy(const struct surface *s, struct box line)
{
    bool across = line.y1 - line.y0 == 1;
    int n = across ? line.x1 - line.x0 : line.y1 - line.y0, differ = 0;
    size_t step = across ? 4 : s->stride;
    const uint8_t *p = surface_cur(s, line.x0, line.y0);
    for (int i = 1; i < n; i++, p += step)
        differ += pixel(p) != pixel(p + step);
    return n >= LINE_MIN && differ * 10 > n * 6;
}

/* Push the edges from cells to the picture's own. */
static void grow(const struct surface *s, struct box a, struct box *b)
{
    for (int i = 0; i < CELL && b->y0 > a.y0 && busy(s, (struct box){b->x0, b->y0 - 1, b->x1, b->y0}); i++)
        b->y0--;
    for (int i = 0; i < CELL && b->y1 < a.y1 && busy(s, (struct box){b->x0, b->y1, b->x1, b->y1 + 1}); i++)
        b->y1++;
    for (int i = 0; i < CELL && b->x0 > a.x0 && busy(s, (struct box){b->x0 - 1, b->y0, b->x0, b->y1}); i++)
        b->x0--;
    for (int i = 0; i < CELL && b->x1 < a.x1 && busy(s, (struct box){b->x1, b->y0, b->x1 + 1, b->y1}); i++)
        b->x1++;
}

/* Mostly flat; a line too short to say so: all of one colour. */
static bool calm(const struct surface *s, struct box line)
{
    int width = line.x1 - line.x0, height = line.y1 - line.y0;
    if (width >= LINE_MIN || height >= LINE_MIN)
        return !busy(s, line);
    return width * height > 2 && s->ops->uniform(surface_cur(s, line.x0, line.y0), s->stride, width, height);
}

void picture_trim(const struct surface *s, struct box *b)
{
    for (int i = 0; i < CELL && b->y1 - b->y0 > 1 && calm(s, (struct box){b->x0, b->y0, b->x1, b->y0 + 1}); i++)
        b->y0++;
    for (int i = 0; i < CELL && b->y1 - b->y0 > 1 && calm(s, (struct box){b->x0, b->y1 - 1, b->x1, b->y1}); i++)
        b->y1--;
    for (int i = 0; i < CELL && b->x1 - b->x0 > 1 && calm(s, (struct box){b->x0, b->y0, b->x0 + 1, b->y1}); i++)
        b->x0++;
    for (int i = 0; i < CELL && b->x1 - b->x0 > 1 && calm(s, (struct box){b->x1 - 1, b->y0, b->x1, b->y1}); i++)
        b->x1--;
}

/* What changed may be a strip too narrow for cells. */
static bool piece_is_picture(const struct surface *s, struct box a)
{
    struct texture t;
    struct counts sum = {0, 0, 0};
    s->ops->texture(surface_cur(s, a.x0, a.y0), s->stride, a.x1 - a.x0, a.y1 - a.y0, &t);
    for (int i = 0; i < 16; i++) {
        sum.equal += t.equal[i];
        sum.steep += t.steep[i];
        sum.turns += t.turns[i];
    }
    return block_is_picture(s, a, sum);
}

bool picture_part(const struct surface *s, struct box a, struct box *part)
{
    struct box around;
    int area = picture_area(s, a.y0 / TILE * s->tiles_x + a.x0 / TILE, &a, &around);
    *part = a;
    if (area == box_area(&a) || piece_is_picture(s, a))
        return true;
    if (area < PIXELS_MIN || area * 4 < box_area(&around) * 3)
        return false;
    grow(s, a, &around);
    *part = around;
    return true;
}
