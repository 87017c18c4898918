/* How long an aircraft may have been inside a zone between two sightings outside it.
 *
 * It enters at one point of the boundary and leaves at another; what it flies outside is the way
 * to the first and from the second, and the whole way must not exceed the budget. The least of
 * that over all pairs of points is found best first over pairs of stretches of the boundary, the
 * pair with the least bound being cut in two until it is short. Whenever the search stops, the
 * least bound left is one that nothing flyable can beat.
 *
 * The bound of a pair: a stretch lies within r of a segment, and along two segments every length in
 * question is convex, so it is nowhere below its tangent plane at the middles. Least outside and
 * within the budget is then a linear programme of two variables and one condition, solved by its
 * dual. Where the ellipse that the budget allows is thin, moving along it hardly changes the whole
 * way: bounds by the length of a stretch alone would not settle there.
 */
#include <stdlib.h>

#include "zoneindex.h"

#define MOST_CUTS 2000 /* about a hundred are usual */
#define SHORT_M 50.0

/* Part of the boundary: a node's run, or (node < 0) part of one edge. */
typedef struct {
    int32_t node, edge;
    double t0, t1;
} Stretch;

typedef struct {
    double bound;
    Stretch in, out;
} Pair;

typedef struct {
    const ZoneIndex *index;
    const double *p1, *p2;
    double budget_m;
    Pair *heap;
    int32_t n_heap;
} Way;

/* The segment of a stretch: its middle and half of it as a vector; all of the stretch is within r. */
typedef struct {
    double middle[3], half[3], r;
} Segment;

static Segment segment_of(const ZoneIndex *x, const Stretch *s) {
    Segment g;
    const double *a, *b;
    double t0 = s->t0, t1 = s->t1;
    if (s->node >= 0) {
        const Node *n = &x->nodes[s->node];
        a = n->a, b = n->b, g.r = n->r, t0 = 0, t1 = 1;
    } else {
        a = x->edges[s->edge].a, b = x->edges[s->edge].b, g.r = 0;
    }
    for (int k = 0; k < 3; k++) {
        g.middle[k] = a[k] + 0.5 * (t0 + t1) * (b[k] - a[k]);
        g.half[k] = 0.5 * (t1 - t0) * (b[k] - a[k]);
    }
    return g;
}

/* Length in metres from q to p, how it grows with p along v, and with the straight distance. */
static double length_m(const double q[3], const double p[3], const double v[3], double *along,
                       double *grows) {
    double d[3] = {p[0] - q[0], p[1] - q[1], p[2] - q[2]}, c = sqrt(dot3(d, d));
    double half = 0.5 * fmin(c * (WGS84_A / MEAN_RADIUS_M), 1.99);
    *grows = WGS84_A / sqrt(1.0 - half * half);
    *along = c > 0 ? *grows * dot3(d, v) / c : 0.0;
    return arc_of_chord_m(c);
}

/* Least flown outside by way of a pair of stretches, never too much; INFINITY: beyond the budget. */
static double pair_bound(const Way *w, const Segment *in, const Segment *out) {
    double g1, g2, m1, m2, k1, k2, km, spare;
    double d1 = length_m(w->p1, in->middle, in->half, &g1, &k1);
    double d2 = length_m(w->p2, out->middle, out->half, &g2, &k2);
    double m = length_m(out->middle, in->middle, in->half, &m1, &km);
    length_m(in->middle, out->middle, out->half, &m2, &km);
    double outside = d1 + d2 - k1 * in->r - k2 * out->r;
    double q1 = g1 + m1, q2 = g2 + m2;
    spare = outside + m - km * (in->r + out->r) - w->budget_m;
    if (spare - fabs(q1) - fabs(q2) > 0) return INFINITY;
    double best = fmax(0.0, outside - fabs(g1) - fabs(g2));
    double price[2] = {-g1 / q1, -g2 / q2}; /* of the budget, where a variable turns */
    for (int i = 0; i < 2; i++)
        if (price[i] > 0 && price[i] < 1e9)
            best = fmax(best, outside + price[i] * spare - fabs(g1 + price[i] * q1) -
                                  fabs(g2 + price[i] * q2));
    return best;
}

static void consider(Way *w, Stretch in, Stretch out) {
    Segment a = segment_of(w->index, &in), b = segment_of(w->index, &out);
    Pair pair = {pair_bound(w, &a, &b), in, out};
    if (pair.bound == INFINITY) return;
    int32_t i = w->n_heap++;
    for (; i && w->heap[(i - 1) / 2].bound > pair.bound; i = (i - 1) / 2)
        w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = pair;
}

static Pair least_pair(Way *w) {
    Pair least = w->heap[0], last = w->heap[--w->n_heap];
    int32_t i = 0, child;
    while ((child = 2 * i + 1) < w->n_heap) {
        if (child + 1 < w->n_heap && w->heap[child + 1].bound < w->heap[child].bound) child++;
        if (w->heap[child].bound >= last.bound) break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = last;
    return least;
}

static double size_m(const Way *w, const Stretch *s) {
    Segment g = segment_of(w->index, s);
    return 2 * WGS84_A * (sqrt(dot3(g.half, g.half)) + g.r);
}

/* A stretch cut into two, or a leaf into its edges; returns how many. */
static int parts_of(const ZoneIndex *x, const Stretch *s, Stretch part[4]) {
    if (s->node < 0) {
        double middle = 0.5 * (s->t0 + s->t1);
        part[0] = (Stretch){-1, s->edge, s->t0, middle};
        part[1] = (Stretch){-1, s->edge, middle, s->t1};
        return 2;
    }
    const Node *n = &x->nodes[s->node];
    if (n->right) {
        part[0] = (Stretch){s->node + 1, -1, 0, 1};
        part[1] = (Stretch){n->right, -1, 0, 1};
        return 2;
    }
    int k = 0;
    for (int32_t e = n->lo; e < n->hi && k < 4; e++) part[k++] = (Stretch){-1, e, 0, 1};
    return k;
}

static double search(Way *w, int32_t root) {
    Stretch whole = {root, -1, 0, 1}, part[4];
    consider(w, whole, whole);
    for (int cuts = 0; w->n_heap && cuts < MOST_CUTS; cuts++) {
        Pair p = least_pair(w);
        double in = size_m(w, &p.in), out = size_m(w, &p.out);
        if (in + out < SHORT_M) return p.bound;
        int n = parts_of(w->index, in > out ? &p.in : &p.out, part);
        for (int i = 0; i < n; i++)
            if (in > out) consider(w, part[i], p.out);
            else consider(w, p.in, part[i]);
    }
    return w->n_heap ? w->heap[0].bound : 0.0;
}

double least_outside_m(const ZoneIndex *x, int32_t zone, const double p1[3], const double p2[3],
                       double budget_m) {
    double found = 0.0;
    Pair *heap = malloc((3 * MOST_CUTS + 4) * sizeof *heap);
    if (heap) { /* else 0: no bound, which is true if useless */
        Way way = {x, p1, p2, budget_m, heap, 0};
        found = search(&way, x->zones[zone].root);
    }
    free(heap);
    return found;
}
