/* The rings of one zone: their boxes, and what is left of the boundary where two share an edge. */
#ifndef ADIZ_RINGS_H
#define ADIZ_RINGS_H

#include <stdint.h>

/* What a ring spans, longitudes unwrapped, and the widest margin of its edges. */
typedef struct {
    double south, north, west, east, margin_m;
} RingBox;

#define NO_BOX {90, -90, 1e9, -1e9, 0}

/* What a great ellipse strays from a straight line in longitude and latitude, for an edge and for
   a piece of track of at most three cells. */
double edge_margin_m(double lat1, double lon1, double lat2, double lon2);

RingBox ring_box(const double *points, int32_t n);

/* Whole turns that bring a ring nearest to the box of those before it: rings cut at the
   antimeridian then lie side by side. */
double ring_shift(const RingBox *all, const RingBox *ring);
void widen(RingBox *all, const RingBox *ring, double shift);

typedef struct {
    int32_t n;          /* points of all rings, and edges: edge i runs from point i to next[i] */
    int32_t *next;      /* of each point: the one after it in its ring */
    int32_t *corner;    /* of each point: its place, one for all points that coincide */
    double (*place)[3]; /* earth-centred */
    uint8_t *kept;      /* of each edge: part of the boundary */
} Welded;

/* Points as for zoneindex_add. Returns 1, or 0 when out of memory; free it in either case. */
int weld(const double *points, const int32_t *ring_n, int32_t n_rings, Welded *out);
void welded_free(Welded *w);

#endif
