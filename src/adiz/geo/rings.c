/* The rings of one zone beside each other: their boxes, and the edges they share.
 *
 * Where two rings of a zone share an edge (a zone cut in two at the antimeridian, a hole that
 * touches the rim) that edge is no boundary: both of its sides are inside, or neither is.
 *
 * A zone is what an odd number of its rings enclose, so two edges between the same two points
 * cancel, whichever way they run. Points closer than WELD are made one first: 180 and -180 degrees
 * are one meridian, and an edge made dense from its other end has points a few nanometres off.
 * Rings stay closed by this, so no gap can open in the boundary.
 */
#include "rings.h"

#include <stdlib.h>
#include <string.h>

#include "geodesic.h"

#define PIECE_MARGIN_M 15.0
#define WELD 1e-9 /* in equatorial radii: 6 mm */

/* ---- boxes ---------------------------------------------------------------------------------- */

double edge_margin_m(double lat1, double lon1, double lat2, double lon2) {
    double high = fmin(fmax(fabs(lat1), fabs(lat2)), 89.9);
    double low = fmin(fabs(lat1), fabs(lat2));
    double east = fabs(lon2 - lon1) * 111320.0 * cos(low * DEG);
    return PIECE_MARGIN_M + east * east * tan(high * DEG) / (8.0 * MEAN_RADIUS_M);
}

RingBox ring_box(const double *points, int32_t n) {
    RingBox box = NO_BOX;
    for (int32_t k = 0; k < n; k++) {
        const double *a = points + 2 * k, *b = points + 2 * ((k + 1) % n);
        double lon2 = a[1] + remainder(b[1] - a[1], 360.0);
        box.margin_m = fmax(box.margin_m, edge_margin_m(a[0], a[1], b[0], lon2));
        box.south = fmin(box.south, a[0]);
        box.north = fmax(box.north, a[0]);
        box.west = fmin(box.west, a[1]);
        box.east = fmax(box.east, a[1]);
    }
    return box;
}

double ring_shift(const RingBox *all, const RingBox *ring) {
    if (all->west > all->east) return 0.0;
    return 360.0 * round((all->west + all->east - ring->west - ring->east) / 720.0);
}

void widen(RingBox *all, const RingBox *ring, double shift) {
    all->south = fmin(all->south, ring->south);
    all->north = fmax(all->north, ring->north);
    all->west = fmin(all->west, ring->west + shift);
    all->east = fmax(all->east, ring->east + shift);
    all->margin_m = fmax(all->margin_m, ring->margin_m);
}

/* ---- shared edges ------------------------------------------------------------------------- */

typedef struct {
    double x;
    int32_t point;
} ByX;

typedef struct {
    int32_t lo, hi, edge; /* its corners, the lower number first */
} Side;

static int by_x(const void *a, const void *b) {
    const ByX *p = a, *q = b;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    return (p->point > q->point) - (p->point < q->point);
}

static int by_corners(const void *a, const void *b) {
    const Side *p = a, *q = b;
    if (p->lo != q->lo) return p->lo < q->lo ? -1 : 1;
    if (p->hi != q->hi) return p->hi < q->hi ? -1 : 1;
    return (p->edge > q->edge) - (p->edge < q->edge);
}

static void find_corners(Welded *w, ByX *order) {
    for (int32_t i = 0; i < w->n; i++) order[i] = (ByX){w->place[i][0], i};
    qsort(order, w->n, sizeof *order, by_x);
    for (int32_t i = 0; i < w->n; i++) {
        const double *p = w->place[order[i].point];
        w->corner[order[i].point] = order[i].point;
        for (int32_t k = i - 1; k >= 0 && order[i].x - order[k].x <= WELD; k--) {
            const double *q = w->place[order[k].point];
            if (fabs(p[1] - q[1]) > WELD || fabs(p[2] - q[2]) > WELD) continue;
            w->corner[order[i].point] = w->corner[order[k].point];
            break;
        }
    }
}

static void find_sides(Welded *w, Side *side) {
    for (int32_t i = 0; i < w->n; i++) {
        int32_t a = w->corner[i], b = w->corner[w->next[i]];
        side[i] = a < b ? (Side){a, b, i} : (Side){b, a, i};
    }
    qsort(side, w->n, sizeof *side, by_corners);
    for (int32_t i = 0, k; i < w->n; i = k) {
        for (k = i + 1; k < w->n && side[k].lo == side[i].lo && side[k].hi == side[i].hi;) k++;
        w->kept[side[i].edge] = side[i].lo != side[i].hi && (k - i) % 2;
    }
}

int weld(const double *points, const int32_t *ring_n, int32_t n_rings, Welded *w) {
    int32_t n = 0;
    for (int32_t i = 0; i < n_rings; i++) n += ring_n[i];
    size_t room = n > 0 ? n : 1;
    *w = (Welded){n, malloc(room * sizeof *w->next), malloc(room * sizeof *w->corner),
                  malloc(room * sizeof *w->place), calloc(room, 1)};
    ByX *order = malloc(room * sizeof *order);
    Side *side = malloc(room * sizeof *side);
    int ok = w->next && w->corner && w->place && w->kept && order && side;
    for (int32_t i = 0, at = 0; ok && i < n_rings; at += ring_n[i++])
        for (int32_t k = 0; k < ring_n[i]; k++) {
            const double *p = points + 2 * (at + k);
            to_ecef(p[0], p[1], w->place[at + k]);
            w->next[at + k] = at + (k + 1) % ring_n[i];
        }
    if (ok) {
        find_corners(w, order);
        find_sides(w, side);
    }
    free(order), free(side);
    return ok;
}

void welded_free(Welded *w) { free(w->next), free(w->corner), free(w->place), free(w->kept); }
