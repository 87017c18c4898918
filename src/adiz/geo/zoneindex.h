/* An index of zones for fast, exact containment and crossings. Read-only once built, so any
 * number of threads may use one. See zoneindex.c for the method. */
#ifndef ADIZ_ZONEINDEX_H
#define ADIZ_ZONEINDEX_H

#include <stdint.h>

#include "geodesic.h"

#define CELLS_PER_DEG 10
#define ROWS (180 * CELLS_PER_DEG)
#define COLS (360 * CELLS_PER_DEG)
#define SUB 8 /* a boundary cell knows which of its SUB x SUB parts hold an edge: one 64-bit mask */

/* A piece of boundary: the great ellipse between two dense points, earth-centred. */
typedef struct {
    double a[3], b[3];
    double n[3]; /* a x b: the side of a point is the sign of n . p */
} Edge;

/* Capsules over runs of consecutive edges: all points of the run lie within r of the segment from
   its first to its last. Runs along one stated edge are nearly straight, so they bound tightly.
   right == 0 marks a leaf; the left child is the next node. */
typedef struct {
    double a[3], b[3], r;
    int32_t lo, hi, right;
} Node;

typedef struct {
    int32_t edge_lo, edge_hi, root;
    double floor_ft, ceil_ft; /* -INF, +INF where unlimited */
    int64_t from_us, to_us;   /* in force from the first up to, not including, the second */
    int32_t has_vertical;     /* a floor or ceiling bounds it */
    int32_t unchecked;        /* its heights cannot be checked (above ground) */
    int32_t limited;          /* heights or validity bound it */
} ZoneInfo;

typedef struct {
    int32_t zone, inside; /* whether the cell's reference point is in the zone */
    int32_t lo, hi;       /* its edges here, in edge_refs */
    int32_t next;         /* the cell's next entry, -1 at the end */
    uint64_t mask;
} Entry;

/* A cell that some edge passes. */
typedef struct {
    int32_t base;  /* class of the zones that hold the whole cell */
    int32_t first; /* entry */
    uint64_t mask; /* of all its entries */
} Cell;

/* A set of zones. */
typedef struct {
    int32_t lo, n; /* in class_zones */
    int32_t limited;
} Class;

typedef struct {
    ZoneInfo *zones;
    Edge *edges;
    Node *nodes;
    int32_t *coarse;       /* one-degree cells: class, or -1-block */
    int32_t (*blocks)[100]; /* tenth-degree cells: class, or -1-cell */
    Cell *cells;
    Entry *entries;
    int32_t *edge_refs;
    Class *classes;
    int32_t *class_zones;
    int32_t n_zones, n_edges, n_nodes, n_blocks, n_cells, n_entries, n_edge_refs, n_classes,
        n_class_zones;
    int32_t cap_zones, cap_edges, cap_nodes, cap_blocks, cap_cells, cap_entries, cap_edge_refs,
        cap_classes, cap_class_zones;
    int32_t *class_memo, *class_memo_stamp, cap_memo; /* while building */
} ZoneIndex;

ZoneIndex *zoneindex_new(void);
void zoneindex_free(ZoneIndex *index);

/* Add a zone of dense rings (lat, lon, … degrees, longitudes unwrapped; ring_n[i] points each).
   Returns 0; 1 out of memory; 2 for a zone that spans all longitudes; 3 where its rings cancel. */
int zoneindex_add(ZoneIndex *index, const double *points, const int32_t *ring_n, int32_t n_rings,
                  double floor_ft, double ceil_ft, int64_t from_us, int64_t to_us,
                  int32_t unchecked);

/* Once all zones are in. */
void zoneindex_finish(ZoneIndex *index);

static inline int32_t cell_row(double lat) {
    int32_t r = (int32_t)((lat + 90.0) * CELLS_PER_DEG);
    return r < ROWS ? r : ROWS - 1;
}
static inline int32_t cell_col(double lon) { /* lon in [-180, 180) */
    int32_t c = (int32_t)((lon + 180.0) * CELLS_PER_DEG);
    return c < COLS ? c : COLS - 1;
}
/* >= 0: every point of the cell is in the zones of that class; < 0: -1-cell. */
static inline int32_t cell_value(const ZoneIndex *index, int32_t row, int32_t col) {
    int32_t v = index->coarse[(row / 10) * 360 + col / 10];
    return v >= 0 ? v : index->blocks[-1 - v][(row % 10) * 10 + col % 10];
}

static inline double dot3(const double a[3], const double b[3]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
static inline void cross3(const double a[3], const double b[3], double o[3]) {
    o[0] = a[1] * b[2] - a[2] * b[1];
    o[1] = a[2] * b[0] - a[0] * b[2];
    o[2] = a[0] * b[1] - a[1] * b[0];
}

/* Whether the piece p -> q (normal m = p x q) crosses an edge; *f is where, as a fraction.
   A point on a line counts as on its positive side, for edges and pieces alike, so a piece
   through a vertex crosses exactly one of its two edges. */
static inline int crosses(const Edge *e, const double p[3], const double q[3], const double m[3],
                          double *f) {
    if ((dot3(m, e->a) >= 0.0) == (dot3(m, e->b) >= 0.0)) return 0;
    double sp = dot3(e->n, p), sq = dot3(e->n, q);
    if ((sp >= 0.0) == (sq >= 0.0)) return 0;
    *f = sp / (sp - sq);
    return 1;
}

/* Square of the distance from a point to a segment, and where on it (0 to 1) the nearest lies. */
static inline double segment_distance2(const double a[3], const double b[3], const double p[3],
                                       double *where) {
    double d[3], w[3], dd, t, q = 0;
    for (int k = 0; k < 3; k++) d[k] = b[k] - a[k], w[k] = p[k] - a[k];
    dd = dot3(d, d);
    t = dot3(w, d);
    t = t <= 0 ? 0.0 : t >= dd ? 1.0 : t / dd;
    for (int k = 0; k < 3; k++) {
        double y = w[k] - t * d[k];
        q += y * y;
    }
    *where = t;
    return q;
}

/* Whether a point is in the zone of a cell's entry. */
int entry_inside(const ZoneIndex *index, const Entry *entry, int32_t row, int32_t col,
                 const double p[3]);

/* Distance in metres from a point on the ellipsoid to the zone's boundary. *edge is a guess at the
   nearest edge (-1: none) and becomes the nearest; or, once one is found within stop_m, that one. */
double boundary_distance_m(const ZoneIndex *index, int32_t zone, const double p[3], double stop_m,
                           int32_t *edge);

/* Distance in metres to one edge, never too little. */
double edge_distance_m(const ZoneIndex *index, int32_t edge, const double p[3]);

/* What a gap allows; budget_m is what can be flown. */
typedef struct {
    int reachable;       /* some path within the budget meets the zone */
    int certain;         /* every path within the budget stays inside */
    double to_entry_m;   /* least distance flown from p1 until inside */
    double from_exit_m;  /* least distance left to p2 after leaving */
    double outside_m;    /* least distance flown outside in all */
} Prism;

void prism_query(const ZoneIndex *index, int32_t zone, const double p1[3], const double p2[3],
                 int inside1, int inside2, double budget_m, Prism *out);

/* A point of an edge (0: its start, 1: its end), on the surface. */
void edge_point(const Edge *e, double t, double o[3]);

/* outside.c: least distance flown outside a zone in all, from p1 to p2 which are both outside, by
   way of it and within the budget; never too much. */
double least_outside_m(const ZoneIndex *index, int32_t zone, const double p1[3], const double p2[3],
                       double budget_m);

/* Geodesic length of a chord given in units of the equatorial radius. */
static inline double arc_of_chord_m(double chord) {
    double c = chord * (WGS84_A / MEAN_RADIUS_M), c2 = c * c;
    if (c < 0.1) return MEAN_RADIUS_M * c * (1.0 + c2 * (1.0 / 24.0 + c2 * (3.0 / 640.0)));
    return 2.0 * MEAN_RADIUS_M * asin(c < 2.0 ? 0.5 * c : 1.0);
}
static inline double chord(const double a[3], const double b[3]) {
    double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
    return sqrt(x * x + y * y + z * z);
}
/* Geodesic length between two earth-centred points, from their chord. */
static inline double arc_m(const double a[3], const double b[3]) {
    return arc_of_chord_m(chord(a, b));
}

#endif
