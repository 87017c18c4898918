/* How long an aircraft may have been inside a zone between two sightings outside it.
 *
 * It enters at one point of the boundary and leaves at another; what it flies outside is the way
 * to the first and from the second, and the whole way must not exceed the budget. The least of
 * that over all pairs of points is found best first: a pair of stretches of the boundary is bounded
 * from its middles, since no distance changes by more than half a stretch, and the pair with the
 * least bound is cut in two until it is short. Whenever the search stops, the least bound left is
 * one that nothing flyable can beat.
 */
#include <stdlib.h>

#include "zoneindex.h"

#define STRETCHES 10   /* to begin with */
#define MOST_PAIRS 300
#define SHORT_M 50.0

/* Two stretches of boundary: middle and half length, in metres along it. */
typedef struct {
    double bound, in, in_half, out, out_half;
} Pair;

typedef struct {
    const Edge *edge;
    const double *start; /* of each edge, along the boundary; one more than there are */
    int32_t n;
    const double *p1, *p2;
    double budget_m;
    Pair *heap;
    int32_t n_heap;
} Way;

static void boundary_point(const Way *w, double s, double o[3]) {
    int32_t lo = 0, hi = w->n;
    while (hi - lo > 1) {
        int32_t mid = (lo + hi) / 2;
        if (w->start[mid] <= s) lo = mid;
        else hi = mid;
    }
    double length = w->start[lo + 1] - w->start[lo];
    edge_point(&w->edge[lo], length > 0 ? fmin(1.0, (s - w->start[lo]) / length) : 0.0, o);
}

/* Put a pair of stretches on the heap unless the budget cannot reach it. */
static void consider(Way *w, double in, double in_half, double out, double out_half) {
    double a[3], b[3], half = in_half + out_half;
    boundary_point(w, in, a);
    boundary_point(w, out, b);
    double outside = arc_m(w->p1, a) + arc_m(b, w->p2);
    if (outside + arc_m(a, b) - 2 * half > w->budget_m) return;
    Pair pair = {outside - half, in, in_half, out, out_half};
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

static double search(Way *w) {
    double half = w->start[w->n] / STRETCHES / 2;
    for (int i = 0; i < STRETCHES; i++)
        for (int k = 0; k < STRETCHES; k++)
            consider(w, (2 * i + 1) * half, half, (2 * k + 1) * half, half);
    while (w->n_heap && w->n_heap + 2 < MOST_PAIRS) {
        Pair p = least_pair(w);
        if (p.in_half + p.out_half < SHORT_M) return p.bound;
        if (p.in_half > p.out_half) {
            consider(w, p.in - p.in_half / 2, p.in_half / 2, p.out, p.out_half);
            consider(w, p.in + p.in_half / 2, p.in_half / 2, p.out, p.out_half);
        } else {
            consider(w, p.in, p.in_half, p.out - p.out_half / 2, p.out_half / 2);
            consider(w, p.in, p.in_half, p.out + p.out_half / 2, p.out_half / 2);
        }
    }
    return w->n_heap ? w->heap[0].bound : 0.0;
}

double least_outside_m(const ZoneIndex *x, int32_t zone, const double p1[3], const double p2[3],
                       double budget_m) {
    const ZoneInfo *z = &x->zones[zone];
    int32_t n = z->edge_hi - z->edge_lo;
    double *start = malloc((n + 1) * sizeof *start), found = 0.0;
    Pair *heap = malloc((MOST_PAIRS + STRETCHES * STRETCHES) * sizeof *heap);
    if (start && heap) { /* else 0: no bound, which is true if useless */
        start[0] = 0;
        for (int32_t i = 0; i < n; i++) {
            const Edge *e = &x->edges[z->edge_lo + i];
            start[i + 1] = start[i] + arc_m(e->a, e->b);
        }
        Way way = {&x->edges[z->edge_lo], start, n, p1, p2, budget_m, heap, 0};
        found = fmax(0.0, search(&way));
    }
    free(start), free(heap);
    return found;
}
