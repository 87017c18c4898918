/* The zone index.
 *
 * The Earth is cut into cells of a tenth of a degree, kept in two levels (one-degree cells, split
 * only where needed). A cell that no boundary passes belongs to one class: the set of zones that
 * hold all of it. A cell that a boundary passes keeps the edges in it, a 64-bit mask of the parts
 * they touch, and for each zone whether the cell's reference point is inside; a point's containment
 * is that, changed once for every edge between the reference point and the point.
 *
 * Sides are signs of triple products of earth-centred coordinates, so nothing depends on a map
 * projection and the antimeridian is no place like another. Edges are great ellipses between dense
 * points (densify.c says how dense). Every edge is entered in the cells within a margin of it: the
 * margin covers what a great ellipse strays from a straight line in longitude and latitude, both
 * for the edge and for any piece of track of at most three cells.
 */
#include "zoneindex.h"

#include "rings.h"

#include <stdlib.h>
#include <string.h>

#define M_PER_DEG 111000.0 /* a little short, which makes margins a little wide */

/* Make room for one more; 0 when out of memory. */
static int room(void **data, int32_t n, int32_t *cap, size_t size) {
    if (n < *cap) return 1;
    int32_t more = *cap ? *cap * 2 : 64;
    void *grown = realloc(*data, (size_t)more * size);
    if (!grown) return 0;
    *data = grown;
    *cap = more;
    return 1;
}
#define ROOM(x, what) room((void **)&(x)->what, (x)->n_##what, &(x)->cap_##what, sizeof *(x)->what)

ZoneIndex *zoneindex_new(void) {
    ZoneIndex *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->coarse = calloc(360 * 180, sizeof *x->coarse); /* class 0: no zone */
    if (!x->coarse || !ROOM(x, classes)) {
        zoneindex_free(x);
        return NULL;
    }
    x->classes[x->n_classes++] = (Class){0, 0, 0};
    return x;
}

void zoneindex_free(ZoneIndex *x) {
    if (!x) return;
    free(x->zones), free(x->edges), free(x->nodes), free(x->coarse), free(x->blocks);
    free(x->cells), free(x->entries), free(x->edge_refs), free(x->classes), free(x->class_zones);
    free(x->class_memo), free(x->class_memo_stamp);
    free(x);
}

static void ref_point(int32_t row, int32_t col, double p[3]) {
    /* off the middle, so that round coordinates never fall on it */
    to_ecef((row + 0.4871) / CELLS_PER_DEG - 90.0, (col + 0.5127) / CELLS_PER_DEG - 180.0, p);
}

/* The class of c's zones and zone z, the newest. -1: out of memory. */
static int32_t class_with(ZoneIndex *x, int32_t c, int32_t z) {
    if (c < x->cap_memo && x->class_memo_stamp[c] == z + 1) return x->class_memo[c];
    if (!ROOM(x, classes)) return -1;
    if (x->cap_memo < x->cap_classes) {
        int32_t *memo = realloc(x->class_memo, x->cap_classes * sizeof *memo);
        if (memo) x->class_memo = memo;
        int32_t *stamp = realloc(x->class_memo_stamp, x->cap_classes * sizeof *stamp);
        if (stamp) x->class_memo_stamp = stamp;
        if (!memo || !stamp) return -1;
        memset(stamp + x->cap_memo, 0, (x->cap_classes - x->cap_memo) * sizeof *stamp);
        x->cap_memo = x->cap_classes;
    }
    Class from = x->classes[c], made = {x->n_class_zones, from.n + 1,
                                        from.limited | x->zones[z].limited};
    for (int32_t i = 0; i <= from.n; i++) {
        if (!ROOM(x, class_zones)) return -1;
        x->class_zones[x->n_class_zones++] = i < from.n ? x->class_zones[from.lo + i] : z;
    }
    x->class_memo_stamp[c] = z + 1;
    x->class_memo[c] = x->n_classes;
    x->classes[x->n_classes] = made;
    return x->n_classes++;
}

static int32_t *fine_cell(ZoneIndex *x, int32_t row, int32_t col) {
    int32_t *coarse = &x->coarse[(row / 10) * 360 + col / 10];
    if (*coarse >= 0) {
        if (!ROOM(x, blocks)) return NULL;
        for (int i = 0; i < 100; i++) x->blocks[x->n_blocks][i] = *coarse;
        *coarse = -1 - x->n_blocks++;
    }
    return &x->blocks[-1 - *coarse][(row % 10) * 10 + col % 10];
}

/* ---- one zone, while it is being added ---------------------------------------------------- */

typedef struct {
    int32_t row0, rows, col0, cols; /* its cells; columns unwrapped */
    uint64_t *mask;                 /* by cell */
    int32_t *start;                 /* by cell: where its edges begin in refs */
    int32_t *pairs, n_pairs, cap_pairs; /* (cell, edge), (cell, edge), … in doubles of int32 */
    int32_t *refs;
    uint32_t *stamp;                /* by edge: when last counted */
} Draft;

static int draft_add(Draft *d, int32_t cell, int32_t edge, uint64_t bit, int32_t from) {
    d->mask[cell] |= bit;
    for (int32_t i = d->n_pairs - 2; i >= from; i -= 2)
        if (d->pairs[i] == cell) return 1;
    if (d->n_pairs + 2 > d->cap_pairs) {
        int32_t cap = d->cap_pairs ? d->cap_pairs * 2 : 256;
        int32_t *grown = realloc(d->pairs, cap * sizeof *grown);
        if (!grown) return 0;
        d->pairs = grown;
        d->cap_pairs = cap;
    }
    d->pairs[d->n_pairs++] = cell;
    d->pairs[d->n_pairs++] = edge;
    return 1;
}

/* Enter an edge in every part of every cell within the margin of it. */
static int draft_edge(Draft *d, int32_t edge, double lat1, double lon1, double lat2, double lon2) {
    double margin = edge_margin_m(lat1, lon1, lat2, lon2) / M_PER_DEG;
    double high = fmin(fmax(fabs(lat1), fabs(lat2)) + margin, 89.9);
    double margin_lon = margin / cos(high * DEG), per = CELLS_PER_DEG * SUB;
    double south = fmin(lat1, lat2) - margin, north = fmax(lat1, lat2) + margin;
    int32_t s0 = (int32_t)floor((fmax(south, -90.0) + 90.0) * per);
    int32_t s1 = (int32_t)floor((fmin(north, 89.9999999) + 90.0) * per), from = d->n_pairs;
    for (int32_t s = s0; s <= s1; s++) {
        double lo = s / per - 90.0 - margin, hi = (s + 1) / per - 90.0 + margin, t0 = 0, t1 = 1;
        if (lat1 != lat2) {
            t0 = (lo - lat1) / (lat2 - lat1);
            t1 = (hi - lat1) / (lat2 - lat1);
            if (t0 > t1) {
                double t = t0;
                t0 = t1;
                t1 = t;
            }
            t0 = fmax(t0, 0.0);
            t1 = fmin(t1, 1.0);
            if (t0 > t1) continue;
        }
        double x0 = lon1 + t0 * (lon2 - lon1), x1 = lon1 + t1 * (lon2 - lon1);
        int32_t c0 = (int32_t)floor((fmin(x0, x1) - margin_lon + 180.0) * per);
        int32_t c1 = (int32_t)floor((fmax(x0, x1) + margin_lon + 180.0) * per);
        for (int32_t c = c0; c <= c1; c++) {
            int32_t col = (int32_t)floor((double)c / SUB), row = s / SUB;
            uint64_t bit = 1ull << ((s % SUB) * SUB + (c - col * SUB));
            if (!draft_add(d, (row - d->row0) * d->cols + col - d->col0, edge, bit, from)) return 0;
        }
    }
    return 1;
}

/* Sort the (cell, edge) pairs by cell. */
static int draft_sort(Draft *d) {
    int32_t n = d->rows * d->cols;
    d->refs = malloc((d->n_pairs / 2 + 1) * sizeof *d->refs);
    if (!d->refs) return 0;
    for (int32_t i = 0; i < d->n_pairs; i += 2) d->start[d->pairs[i] + 1]++;
    for (int32_t i = 0; i < n; i++) d->start[i + 1] += d->start[i];
    for (int32_t i = 0; i < d->n_pairs; i += 2) d->refs[d->start[d->pairs[i]]++] = d->pairs[i + 1];
    for (int32_t i = n; i > 0; i--) d->start[i] = d->start[i - 1];
    d->start[0] = 0;
    return 1;
}

static int count_crossings(const ZoneIndex *x, Draft *d, int32_t cell, const double p[3],
                           const double q[3], const double m[3], int32_t edge_lo, uint32_t now) {
    int n = 0;
    double f;
    for (int32_t i = d->start[cell]; i < d->start[cell + 1]; i++) {
        int32_t e = d->refs[i];
        if (d->stamp[e - edge_lo] == now) continue;
        d->stamp[e - edge_lo] = now;
        n += crosses(&x->edges[e], p, q, m, &f);
    }
    return n;
}

static int place_cell(ZoneIndex *x, const Draft *d, int32_t z, int32_t cell, int inside) {
    int32_t row = d->row0 + cell / d->cols, col = d->col0 + cell % d->cols;
    int32_t n = d->start[cell + 1] - d->start[cell], c;
    if (!n && !inside) return 1;
    int32_t *value = fine_cell(x, row, ((col % COLS) + COLS) % COLS);
    if (!value) return 0;
    if (!n) {
        int32_t *class = *value >= 0 ? value : &x->cells[-1 - *value].base;
        return (c = class_with(x, *class, z)) >= 0 ? (*class = c, 1) : 0;
    }
    if (*value >= 0) {
        if (!ROOM(x, cells)) return 0;
        x->cells[x->n_cells] = (Cell){*value, -1, 0};
        *value = -1 - x->n_cells++;
    }
    Cell *record = &x->cells[-1 - *value];
    if (!ROOM(x, entries)) return 0;
    Entry *entry = &x->entries[x->n_entries];
    *entry = (Entry){z, inside, x->n_edge_refs, x->n_edge_refs + n, record->first, d->mask[cell]};
    record->first = x->n_entries++;
    record->mask |= entry->mask;
    for (int32_t i = d->start[cell]; i < d->start[cell + 1]; i++) {
        if (!ROOM(x, edge_refs)) return 0;
        x->edge_refs[x->n_edge_refs++] = d->refs[i];
    }
    return 1;
}

/* Walk each row of cells from outside eastwards, keeping count of the edges passed. */
static int draft_fill(ZoneIndex *x, Draft *d, int32_t z) {
    int32_t lo = x->zones[z].edge_lo;
    uint32_t now = 0;
    for (int32_t r = 0; r < d->rows; r++) {
        double p[3], q[3], m[3];
        int inside = 0;
        for (int32_t c = 0; c < d->cols; c++) {
            int32_t cell = r * d->cols + c;
            int here = d->start[cell + 1] > d->start[cell];
            int before = c && d->start[cell] > d->start[cell - 1];
            if (here || before) {
                ref_point(d->row0 + r, d->col0 + c - 1, p);
                ref_point(d->row0 + r, d->col0 + c, q);
                cross3(p, q, m);
                now++;
                int n = before ? count_crossings(x, d, cell - 1, p, q, m, lo, now) : 0;
                if (here) n += count_crossings(x, d, cell, p, q, m, lo, now);
                inside ^= n & 1;
            }
            if (!place_cell(x, d, z, cell, inside)) return 0;
        }
    }
    return 1;
}

/* ---- bounding capsules --------------------------------------------------------------------- */

static int32_t build_node(ZoneIndex *x, int32_t lo, int32_t hi) {
    if (!ROOM(x, nodes)) return -1;
    int32_t me = x->n_nodes++, right = 0;
    const double *a = x->edges[lo].a, *b = x->edges[hi - 1].b;
    double most2 = 0, where;
    for (int32_t e = lo; e < hi; e++) {
        most2 = fmax(most2, segment_distance2(a, b, x->edges[e].a, &where));
        most2 = fmax(most2, segment_distance2(a, b, x->edges[e].b, &where));
    }
    Node node = {{a[0], a[1], a[2]}, {b[0], b[1], b[2]}, sqrt(most2) * (1 + 1e-12), lo, hi, 0};
    if (hi - lo > 4) {
        int32_t mid = lo + (hi - lo) / 2;
        if (build_node(x, lo, mid) < 0 || (right = build_node(x, mid, hi)) < 0) return -1;
    }
    node.right = right;
    x->nodes[me] = node;
    return me;
}

/* ---- the public part ------------------------------------------------------------------------ */

static int add_edges(ZoneIndex *x, const Welded *w, int32_t *number) {
    for (int32_t i = 0; i < w->n; i++) {
        number[i] = -1;
        if (!w->kept[i]) continue;
        if (!ROOM(x, edges)) return 0;
        number[i] = x->n_edges;
        Edge *e = &x->edges[x->n_edges++];
        memcpy(e->a, w->place[w->corner[i]], sizeof e->a);
        memcpy(e->b, w->place[w->corner[w->next[i]]], sizeof e->b);
        cross3(e->a, e->b, e->n);
    }
    return 1;
}

static int enter_edges(Draft *d, const double *points, const int32_t *ring_n, int32_t n_rings,
                       const int32_t *number) {
    RingBox all = NO_BOX;
    for (int32_t i = 0; i < n_rings; points += 2 * ring_n[i++]) {
        RingBox ring = ring_box(points, ring_n[i]);
        double shift = ring_shift(&all, &ring);
        widen(&all, &ring, shift);
        for (int32_t k = 0; k < ring_n[i]; k++, number++) {
            if (*number < 0) continue;
            const double *a = points + 2 * k, *b = points + 2 * ((k + 1) % ring_n[i]);
            double lon1 = a[1] + shift, lon2 = lon1 + remainder(b[1] - a[1], 360.0);
            if (!draft_edge(d, *number, a[0], lon1, b[0], lon2)) return 0;
        }
    }
    return 1;
}

/* The cells that the rings and their margins lie in, with one column to spare on either side. */
static int draft_size(Draft *d, const double *points, const int32_t *ring_n, int32_t n_rings) {
    RingBox all = NO_BOX;
    for (int32_t i = 0; i < n_rings; points += 2 * ring_n[i++]) {
        RingBox ring = ring_box(points, ring_n[i]);
        widen(&all, &ring, ring_shift(&all, &ring));
    }
    double margin = all.margin_m / M_PER_DEG;
    double high = fmin(fmax(fabs(all.south), fabs(all.north)) + margin, 89.9);
    double margin_lon = margin / cos(high * DEG);
    d->row0 = cell_row(fmax(all.south - margin, -90.0));
    d->rows = cell_row(fmin(all.north + margin, 90.0)) - d->row0 + 1;
    d->col0 = (int32_t)floor((all.west - margin_lon + 180.0) * CELLS_PER_DEG) - 1;
    d->cols = (int32_t)floor((all.east + margin_lon + 180.0) * CELLS_PER_DEG) - d->col0 + 2;
    return d->rows > 0 && d->cols > 0 && d->cols <= COLS;
}

int zoneindex_add(ZoneIndex *x, const double *points, const int32_t *ring_n, int32_t n_rings,
                  double floor_ft, double ceil_ft, int64_t from_us, int64_t to_us,
                  int32_t unchecked) {
    if (!ROOM(x, zones)) return 1;
    int32_t z = x->n_zones++, ok;
    int vertical = unchecked || isfinite(floor_ft) || isfinite(ceil_ft);
    ZoneInfo *zone = &x->zones[z];
    *zone = (ZoneInfo){x->n_edges, 0, 0, floor_ft, ceil_ft, from_us, to_us, vertical, unchecked,
                       vertical || from_us != INT64_MIN || to_us != INT64_MAX};
    Draft d = {0};
    if (!draft_size(&d, points, ring_n, n_rings)) return 2;
    Welded welded;
    int32_t *number = NULL;
    ok = weld(points, ring_n, n_rings, &welded) &&
         (number = malloc(welded.n * sizeof *number)) && add_edges(x, &welded, number);
    welded_free(&welded);
    zone->edge_hi = x->n_edges;
    if (!ok || zone->edge_lo == zone->edge_hi) {
        free(number);
        return ok ? 3 : 1;
    }
    size_t cells = (size_t)d.rows * (size_t)d.cols;
    d.mask = calloc(cells, sizeof *d.mask);
    d.start = calloc(cells + 1, sizeof *d.start);
    d.stamp = calloc(x->n_edges - zone->edge_lo + 1, sizeof *d.stamp);
    ok = d.mask && d.start && d.stamp && enter_edges(&d, points, ring_n, n_rings, number) &&
         draft_sort(&d) && draft_fill(x, &d, z);
    free(d.mask), free(d.start), free(d.pairs), free(d.refs), free(d.stamp), free(number);
    if (!ok) return 1;
    zone = &x->zones[z];
    zone->root = build_node(x, zone->edge_lo, zone->edge_hi);
    return zone->root < 0;
}

void zoneindex_finish(ZoneIndex *x) {
    /* A one-degree cell whose hundred parts are alike needs no parts. */
    for (int32_t i = 0; i < 360 * 180; i++) {
        if (x->coarse[i] >= 0) continue;
        const int32_t *block = x->blocks[-1 - x->coarse[i]];
        int same = block[0] >= 0;
        for (int k = 1; same && k < 100; k++) same = block[k] == block[0];
        if (same) x->coarse[i] = block[0];
    }
    free(x->class_memo), free(x->class_memo_stamp);
    x->class_memo = x->class_memo_stamp = NULL;
    x->cap_memo = 0;
}

int entry_inside(const ZoneIndex *x, const Entry *entry, int32_t row, int32_t col,
                 const double p[3]) {
    double ref[3], m[3], f;
    int inside = entry->inside;
    ref_point(row, col, ref);
    cross3(ref, p, m);
    for (int32_t i = entry->lo; i < entry->hi; i++)
        inside ^= crosses(&x->edges[x->edge_refs[i]], ref, p, m, &f);
    return inside;
}
