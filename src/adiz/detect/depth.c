/* How deep a path goes into a zone: the greatest distance from the boundary along it.
 *
 * Branch and bound: stretches of the path whose bound does not beat the best found are dropped,
 * the others cut in two. Two bounds are used.
 *   The distance to any one edge is no less than that to the boundary, and along a straight line
 *   it is convex: greatest at an end. So a stretch that strays from the chord between its ends by
 *   no more than delta is bounded by the greater of the two distances to either end's nearest
 *   edge, plus delta.
 *   The distance to the boundary changes by no more than the way flown, so along a leg of length s
 *   between distances d1 and d2 it is at most (d1 + d2 + s) / 2.
 * A stretch is cut where its ends' nearest edges seem equally far: the deepest point is mostly
 * near. An upper bound of a distance serves as well as the distance, so the nearest edge is looked
 * for only where the edge that was nearest before leaves room for a new best. The result is never
 * more than the true maximum, and less by at most 1 m or 0.1 %.
 */
#include "stays.h"

typedef struct {
    const ZoneIndex *index;
    int32_t zone, near_edge;
    const double (*point)[2]; /* lat, lon */
    double best;
} Follow;

/* A place on the path: point number s (with a fraction between points). */
typedef struct {
    double s, d, p[3];
    int32_t edge; /* d is no more than the distance to it; -1: none is known */
} Place;

static double enough(const Follow *f) { return f->best + fmax(1.0, 1e-3 * f->best); }

static void locate(const Follow *f, double s, Place *at) {
    int32_t i = (int32_t)s;
    double t = s - i, q[3], *p = at->p;
    at->s = s;
    to_ecef(f->point[i][0], f->point[i][1], p);
    if (t > 0) {
        to_ecef(f->point[i + 1][0], f->point[i + 1][1], q);
        double rp = sqrt(dot3(p, p)), rq = sqrt(dot3(q, q)), n;
        for (int k = 0; k < 3; k++) p[k] += t * (q[k] - p[k]);
        n = (rp + t * (rq - rp)) / sqrt(dot3(p, p));
        for (int k = 0; k < 3; k++) p[k] *= n;
    }
}

static void measure(Follow *f, double s, Place *at) {
    locate(f, s, at);
    at->edge = f->near_edge;
    if (f->near_edge >= 0) {
        at->d = edge_distance_m(f->index, f->near_edge, at->p);
        if (at->d <= f->best) return;
    }
    at->d = boundary_distance_m(f->index, f->zone, at->p, f->best, &f->near_edge);
    at->edge = f->near_edge;
    if (at->d > f->best) f->best = at->d;
}

/* How far the path strays from the chord between two places, never too little: on a flat chart of
   the stretch, plus what the chart and the chord leave out on a curved Earth. Stretches of more
   than one leg begin and end at whole points. */
static double strays_m(const Follow *f, const Place *a, const Place *b) {
    int32_t i0 = (int32_t)a->s, i1 = (int32_t)b->s;
    const double *p = f->point[i0], *q = f->point[i1];
    double middle = 0.5 * (p[0] + q[0]) * DEG, c = cos(middle), most2 = 0;
    if (b->s - a->s > 1.0) {
        double east = remainder(q[1] - p[1], 360.0) * c, north = q[0] - p[0];
        double chord2 = east * east + north * north;
        for (int32_t i = i0 + 1; i < i1; i++) {
            double x = (f->point[i][1] - p[1]) * c, y = f->point[i][0] - p[0], off2;
            double dot = x * east + y * north, side = x * north - y * east;
            if (dot <= 0) off2 = x * x + y * y;
            else if (dot >= chord2) off2 = (x - east) * (x - east) + (y - north) * (y - north);
            else off2 = side * side / chord2;
            if (off2 > most2) most2 = off2;
        }
    }
    double stray = 111700.0 * sqrt(most2), length = arc_m(a->p, b->p) + 2.0 * stray;
    return stray + length * length / (8.0 * MEAN_RADIUS_M) * (1.0 + 1.6 * fabs(tan(middle)));
}

/* Whether a stretch cannot hold a new best; else *cut is where, of its length, to cut it. */
static int beaten(const Follow *f, const Place *a, const Place *b, double *cut) {
    double most = enough(f), far_a = INFINITY, far_b = INFINITY;
    *cut = 0.5;
    if (b->s - a->s <= 1.0 && 0.5 * (a->d + b->d + arc_m(a->p, b->p) * (1 + 1e-6)) <= most) return 1;
    if (a->edge >= 0) far_a = edge_distance_m(f->index, a->edge, b->p);
    if (b->edge >= 0) far_b = edge_distance_m(f->index, b->edge, a->p);
    double bound = fmin(fmax(a->d, far_a), fmax(b->d, far_b));
    if (bound <= most && bound + strays_m(f, a, b) <= most) return 1;
    if (a->edge != b->edge && a->d < far_b && b->d < far_a && far_a + far_b < INFINITY)
        *cut = (far_b - a->d) / (far_b - a->d + far_a - b->d);
    return 0;
}

static void stretch(Follow *f, const Place *a, const Place *b, int depth) {
    Place mid;
    double cut, s, span = b->s - a->s;
    if (depth > 60 || beaten(f, a, b, &cut)) return;
    cut = fmin(0.9, fmax(0.1, cut));
    if (span > 1.0) {
        s = a->s + fmin(span - 1.0, fmax(1.0, round(cut * span)));
    } else {
        s = a->s + cut * span;
    }
    if (!(s > a->s && s < b->s)) return;
    measure(f, s, &mid);
    int left_first = a->d >= b->d;
    stretch(f, left_first ? a : &mid, left_first ? &mid : b, depth + 1);
    stretch(f, left_first ? &mid : a, left_first ? b : &mid, depth + 1);
}

void depth_follow(const ZoneIndex *index, Member *member, const double (*point)[2], int32_t n,
                  int32_t end_edge) {
    Follow f = {index, member->zone, member->near_edge, point, member->stay.depth_m};
    Place first, last;
    if (member->head_m >= 0) {
        locate(&f, 0, &first);
        first.d = member->head_m;
        first.edge = member->near_edge;
    } else {
        measure(&f, 0, &first);
    }
    last = first;
    if (end_edge >= 0) {
        locate(&f, n - 1, &last);
        last.d = 0;
        last.edge = end_edge;
    } else if (n > 1) {
        measure(&f, n - 1, &last);
    }
    if (n > 1) stretch(&f, &first, &last, 0);
    member->stay.depth_m = f.best;
    member->near_edge = f.near_edge;
    member->head_m = last.d;
    member->head_lat = point[n - 1][0];
    member->head_lon = point[n - 1][1];
}
