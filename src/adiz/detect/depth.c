/* How deep a path goes into a zone: the greatest distance from the boundary along it.
 *
 * The distance to the boundary changes by no more than the way flown, so along a stretch of length
 * s between distances d1 and d2 it is at most (d1 + d2 + s) / 2. Stretches whose bound does not
 * beat the best found are dropped, the others halved (branch and bound). An upper bound of a
 * distance serves as well as the distance, so the nearest edge is looked for only where the edge
 * that was nearest before leaves room for a new best. The result is never more than the true
 * maximum, and less by at most 1 m or 0.1 %.
 */
#include "stays.h"

typedef struct {
    const ZoneIndex *index;
    int32_t zone, near_edge;
    const double *lat, *lon;
    double along[PATH_POINTS + 2]; /* metres flown up to each point, never too little */
    double best;
} Follow;

static double enough(const Follow *f) { return f->best + fmax(1.0, 1e-3 * f->best); }

static double dist_at(Follow *f, double s) {
    int32_t i = (int32_t)s;
    double t = s - i, p[3], q[3];
    to_ecef(f->lat[i], f->lon[i], p);
    if (t > 0) {
        to_ecef(f->lat[i + 1], f->lon[i + 1], q);
        double rp = sqrt(dot3(p, p)), rq = sqrt(dot3(q, q)), n;
        for (int k = 0; k < 3; k++) p[k] += t * (q[k] - p[k]);
        n = (rp + t * (rq - rp)) / sqrt(dot3(p, p));
        for (int k = 0; k < 3; k++) p[k] *= n;
    }
    if (f->near_edge >= 0) {
        double most = edge_distance_m(f->index, f->near_edge, p);
        if (most <= f->best) return most;
    }
    double d = boundary_distance_m(f->index, f->zone, p, &f->near_edge);
    if (d > f->best) f->best = d;
    return d;
}

static double flown(const Follow *f, double s) {
    int32_t i = (int32_t)s;
    double t = s - i;
    return t > 0 ? f->along[i] + t * (f->along[i + 1] - f->along[i]) : f->along[i];
}

/* Half-way between two parameters by distance flown: at a report while any lies between. */
static double halfway(const Follow *f, double s0, double s1) {
    if (s1 - s0 <= 1.0) return 0.5 * (s0 + s1);
    double want = 0.5 * (flown(f, s0) + flown(f, s1));
    int32_t lo = (int32_t)s0, hi = (int32_t)s1;
    while (hi - lo > 1) {
        int32_t mid = (lo + hi) / 2;
        if (f->along[mid] <= want) lo = mid;
        else hi = mid;
    }
    if (lo > s0 && (hi >= s1 || want - f->along[lo] < f->along[hi] - want)) return lo;
    return hi;
}

static void stretch(Follow *f, double s0, double d0, double s1, double d1, int depth) {
    double bound = 0.5 * (d0 + d1 + flown(f, s1) - flown(f, s0));
    if (bound <= enough(f) || depth > 60) return;
    double mid = halfway(f, s0, s1);
    if (!(mid > s0 && mid < s1)) return;
    double d = dist_at(f, mid);
    if (d0 >= d1) {
        stretch(f, s0, d0, mid, d, depth + 1);
        stretch(f, mid, d, s1, d1, depth + 1);
    } else {
        stretch(f, mid, d, s1, d1, depth + 1);
        stretch(f, s0, d0, mid, d, depth + 1);
    }
}

/* A little more than the way on the ellipsoid between two near points. */
static double way_m(double lat1, double lon1, double lat2, double lon2) {
    double x = fmin(fabs(lat1), fabs(lat2)) * DEG, x2 = x * x, east = fabs(lon2 - lon1);
    double c = 1 - x2 * (1 / 2. - x2 * (1 / 24. - x2 * (1 / 720. - x2 / 40320.))); /* cos, -0 +2e-5 */
    if (east > 180.0) east = 360.0 - east;
    east *= c * 111700.0;
    double north = (lat2 - lat1) * 111700.0;
    return sqrt(east * east + north * north);
}

void depth_follow(const ZoneIndex *index, Member *member, const double *lat, const double *lon,
                  int32_t n, double end_m) {
    Follow f;
    f.index = index;
    f.zone = member->zone;
    f.near_edge = member->near_edge;
    f.lat = lat;
    f.lon = lon;
    f.best = member->stay.depth_m;
    f.along[0] = 0;
    for (int32_t i = 1; i < n; i++)
        f.along[i] = f.along[i - 1] + way_m(lat[i - 1], lon[i - 1], lat[i], lon[i]);
    double d0 = member->head_m >= 0 ? member->head_m : dist_at(&f, 0);
    double d1 = end_m >= 0 ? end_m : n > 1 ? dist_at(&f, n - 1) : d0;
    stretch(&f, 0, d0, n - 1, d1, 0);
    member->stay.depth_m = f.best;
    member->near_edge = f.near_edge;
    member->head_m = d1;
    member->head_lat = lat[n - 1];
    member->head_lon = lon[n - 1];
}
