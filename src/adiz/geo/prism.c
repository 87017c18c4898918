/* Distances to a zone's boundary, and what a gap in a track allows.
 *
 * An aircraft seen at p1 and later at p2 that can fly at most `budget` metres in between may have
 * been at x exactly if d(p1, x) + d(x, p2) <= budget: the footprint of the space-time prism
 * (Kuijpers, Grimson & Othman, "An analytic solution to the alibi query in the space-time prisms
 * model for moving object data", IJGIS 25(2), 2011). Each question below is a minimum over the
 * boundary, found by branch and bound over bounding capsules; along one edge the distances are
 * convex, so golden section finds the minimum.
 *
 * Distances are geodesic lengths from earth-centred chords on the mean radius: within 2 m at
 * 600 km, 0.1 km at 2,000 km.
 */
#include "zoneindex.h"

#include <string.h>

#define GOLDEN 0.61803398874989485

/* A point of an edge's chord, at most 8 m below the surface. */
static void chord_point(const Edge *e, double t, double o[3]) {
    for (int k = 0; k < 3; k++) o[k] = e->a[k] + t * (e->b[k] - e->a[k]);
}

/* The same, put back on the surface. */
void edge_point(const Edge *e, double t, double o[3]) {
    double ra = sqrt(dot3(e->a, e->a)), rb = sqrt(dot3(e->b, e->b)), n;
    for (int k = 0; k < 3; k++) o[k] = e->a[k] + t * (e->b[k] - e->a[k]);
    n = (ra + t * (rb - ra)) / sqrt(dot3(o, o));
    for (int k = 0; k < 3; k++) o[k] *= n;
}

typedef struct {
    const ZoneIndex *index;
    const double *p1, *p2;
    double budget_m;       /* of the sum of both */
    double best_m;
    int of_sum;            /* minimise the sum, else the distance from p1 within the budget */
    double at[3];          /* where */
} Search;

static double sum_at(const Search *s, const Edge *e, double t) {
    double x[3];
    chord_point(e, t, x);
    return arc_m(s->p1, x) + arc_m(x, s->p2);
}
static double near_at(const Search *s, const Edge *e, double t) {
    double x[3];
    chord_point(e, t, x);
    return arc_m(s->p1, x);
}

typedef double (*Along)(const Search *, const Edge *, double);

/* Where along an edge a convex length is least, between t0 and t1. */
static double least(Along along, const Search *s, const Edge *e, double t0, double t1) {
    double length = arc_m(e->a, e->b);
    double a = t1 - GOLDEN * (t1 - t0), b = t0 + GOLDEN * (t1 - t0);
    double fa = along(s, e, a), fb = along(s, e, b);
    for (int i = 0; i < 40 && (t1 - t0) * length > 0.05; i++)
        if (fa <= fb) {
            t1 = b, b = a, fb = fa;
            a = t1 - GOLDEN * (t1 - t0), fa = along(s, e, a);
        } else {
            t0 = a, a = b, fa = fb;
            b = t0 + GOLDEN * (t1 - t0), fb = along(s, e, b);
        }
    /* the ends themselves may be least */
    double best = fa <= fb ? a : b, f = fmin(fa, fb);
    double f0 = along(s, e, t0), f1 = along(s, e, t1);
    return f0 <= f && f0 <= f1 ? t0 : f1 < f ? t1 : best;
}

/* The last t from `in` (within budget) towards `out` (beyond it) that is within. */
static double within(const Search *s, const Edge *e, double in, double out) {
    for (int i = 0; i < 50; i++) {
        double t = 0.5 * (in + out);
        if (sum_at(s, e, t) <= s->budget_m) in = t;
        else out = t;
    }
    return in;
}

static void take(Search *s, const Edge *e, double t, double f) {
    if (f < s->best_m) {
        s->best_m = f;
        edge_point(e, t, s->at);
    }
}

static void search_edge(Search *s, const Edge *e) {
    if (s->of_sum) {
        double t = least(sum_at, s, e, 0.0, 1.0);
        take(s, e, t, sum_at(s, e, t));
        return;
    }
    double t = least(near_at, s, e, 0.0, 1.0);
    if (near_at(s, e, t) >= s->best_m) return;
    if (sum_at(s, e, t) > s->budget_m) {
        double in = least(sum_at, s, e, 0.0, 1.0);
        if (sum_at(s, e, in) > s->budget_m) return;
        t = within(s, e, in, t); /* convex: the allowed part is one interval about `in` */
    }
    take(s, e, t, near_at(s, e, t));
}

/* Least chord, and least arc, from a point to anything in a node's run. */
static inline double node_distance(const Node *n, const double p[3]) {
    double where;
    return sqrt(segment_distance2(n->a, n->b, p, &where)) - n->r;
}
static double node_arc_m(const Node *n, const double p[3]) {
    return arc_of_chord_m(fmax(0.0, node_distance(n, p)));
}

static double node_bound(const Search *s, const Node *n) {
    double d1 = node_arc_m(n, s->p1), d2 = node_arc_m(n, s->p2);
    if (s->of_sum) return d1 + d2;
    return d1 + d2 > s->budget_m ? INFINITY : d1;
}

static void search(Search *s, int32_t at) {
    const Node *n = &s->index->nodes[at];
    if (!n->right) {
        for (int32_t e = n->lo; e < n->hi; e++) search_edge(s, &s->index->edges[e]);
        return;
    }
    int32_t first = at + 1, second = n->right;
    double b1 = node_bound(s, &s->index->nodes[first]);
    double b2 = node_bound(s, &s->index->nodes[second]);
    if (b2 < b1) {
        int32_t i = first;
        double b = b1;
        first = second, second = i, b1 = b2, b2 = b;
    }
    if (b1 < s->best_m) search(s, first);
    if (b2 < s->best_m) search(s, second);
}

/* The distance alone has a closed form along a chord, so its search is the quick one. */
typedef struct {
    double best, best2, where; /* chord, its square, place on the edge */
    double stop;               /* near enough: no need to look for the nearest */
    int32_t edge;
} Nearest;

static void nearest(const ZoneIndex *x, int32_t at, const double p[3], Nearest *found) {
    const Node *n = &x->nodes[at];
    while (n->right) {
        int32_t left = at + 1, right = n->right;
        double dl = node_distance(&x->nodes[left], p), dr = node_distance(&x->nodes[right], p);
        int32_t first = dr < dl ? right : left, second = dr < dl ? left : right;
        double far = dr < dl ? dl : dr, close = dr < dl ? dr : dl;
        if (close >= found->best) return;
        if (far < found->best) {
            nearest(x, first, p, found);
            if (far >= found->best || found->best <= found->stop) return;
            at = second;
        } else {
            at = first;
        }
        n = &x->nodes[at];
    }
    for (int32_t i = n->lo; i < n->hi; i++) {
        double where, q = segment_distance2(x->edges[i].a, x->edges[i].b, p, &where);
        if (q >= found->best2) continue;
        found->best = sqrt(q), found->best2 = q, found->where = where, found->edge = i;
    }
}

static double nearest_point(const ZoneIndex *x, int32_t zone, const double p[3], double stop_m,
                            int32_t *edge, double at[3]) {
    Nearest found = {INFINITY, INFINITY, 0, stop_m / WGS84_A * 0.99, -1};
    if (*edge >= 0) {
        found.edge = *edge;
        const Edge *e = &x->edges[*edge];
        found.best2 = segment_distance2(e->a, e->b, p, &found.where);
        found.best = sqrt(found.best2);
    }
    nearest(x, x->zones[zone].root, p, &found);
    if (found.edge < 0) return NAN;
    *edge = found.edge;
    edge_point(&x->edges[found.edge], found.where, at);
    return arc_m(p, at);
}

double boundary_distance_m(const ZoneIndex *x, int32_t zone, const double p[3], double stop_m,
                           int32_t *edge) {
    double at[3];
    return nearest_point(x, zone, p, stop_m, edge, at);
}

double edge_distance_m(const ZoneIndex *x, int32_t edge, const double p[3]) {
    const Edge *e = &x->edges[edge];
    double where;
    return arc_of_chord_m(sqrt(segment_distance2(e->a, e->b, p, &where)));
}

static double least_from(const ZoneIndex *x, int32_t zone, const double *p1, const double *p2,
                         double budget_m, int of_sum, double at[3]) {
    Search s = {x, p1, p2, budget_m, INFINITY, of_sum, {0}};
    search(&s, x->zones[zone].root);
    memcpy(at, s.at, sizeof s.at);
    return s.best_m;
}

void prism_query(const ZoneIndex *x, int32_t zone, const double p1[3], const double p2[3],
                 int inside1, int inside2, double budget_m, Prism *out) {
    const Node *root = &x->nodes[x->zones[zone].root];
    int32_t edge1 = -1, edge2 = -1;
    double near1[3], near2[3], d1 = 0, d2 = 0, sum1, sum2, touch[3], sum;
    *out = (Prism){inside1 || inside2, 0, 0.0, 0.0, 0.0};
    if (!out->reachable && node_arc_m(root, p1) + node_arc_m(root, p2) > budget_m) return;
    d1 = nearest_point(x, zone, p1, 0, &edge1, near1);
    if (!out->reachable && d1 > budget_m) return;
    d2 = nearest_point(x, zone, p2, 0, &edge2, near2);
    out->certain = inside1 && inside2 && d1 + d2 > budget_m;
    if (out->certain || (!out->reachable && d1 + d2 > budget_m)) return;
    sum1 = d1 + arc_m(near1, p2);
    sum2 = d2 + arc_m(near2, p1);
    sum = fmin(sum1, sum2);
    if (sum > budget_m) { /* the nearest points do not settle it */
        sum = least_from(x, zone, p1, p2, INFINITY, 1, touch);
        out->certain = inside1 && inside2 && sum > budget_m;
        if (out->certain || (!out->reachable && sum > budget_m)) return;
        budget_m = fmax(budget_m, sum) + 0.5; /* so that rounding excludes nothing */
    }
    out->reachable = 1;
    if (!inside1)
        out->to_entry_m = sum1 <= budget_m ? d1 : least_from(x, zone, p1, p2, budget_m, 0, near1);
    if (!inside2)
        out->from_exit_m = sum2 <= budget_m ? d2 : least_from(x, zone, p2, p1, budget_m, 0, near2);
    out->outside_m = out->to_entry_m + out->from_exit_m;
    if (!inside1 && !inside2 && out->outside_m + arc_m(near1, near2) > budget_m)
        out->outside_m = fmax(out->outside_m, least_outside_m(x, zone, p1, p2, budget_m));
}
