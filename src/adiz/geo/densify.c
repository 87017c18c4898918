/* Edges turned into dense points, each true to a stated tolerance.
 *
 * The step comes from the geodesic curvature kg of the edge against the line drawn between two
 * dense points: a piece of length s strays by s^2 kg / 8. With R the mean radius, phi the latitude
 * and alpha the azimuth,
 *   parallel and rhumb line   kg = tan(phi) sin(alpha) / R
 *   straight in lon and lat   kg = tan(phi) sin(alpha) (1 + cos^2 alpha) / R, at most 1.09 tan/R
 *   great ellipse             kg <= 0.0034 / R   (the plane through the centre leans on the normal
 *                                                 by at most the flattening)
 * The kernel joins dense points by great ellipses, so the last term is always there.
 */
#include "geodesic.h"

#include <stdlib.h>

#define MAX_STEP_M 20000.0

void points_add(Points *p, double lat, double lon) {
    if (p->n + 2 > p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 64;
        double *data = realloc(p->data, cap * sizeof(double));
        if (!data) {
            p->failed = 1;
            return;
        }
        p->data = data;
        p->cap = cap;
    }
    p->data[p->n++] = lat;
    p->data[p->n++] = lon;
}

/* Isometric latitude and its inverse (radians). */
static double isometric(double phi) {
    double e = sqrt(WGS84_E2), s = sin(phi);
    return asinh(tan(phi)) - e * atanh(e * s);
}

static double from_isometric(double psi) {
    double e = sqrt(WGS84_E2), phi = atan(sinh(psi));
    for (int i = 0; i < 20; i++) {
        double next = atan(sinh(psi + e * atanh(e * sin(phi))));
        if (fabs(next - phi) < 1e-15) return next;
        phi = next;
    }
    return phi;
}

static double step_m(double max_abs_lat, double factor, double tolerance_m) {
    double t = tan(fmin(max_abs_lat, 89.99) * DEG);
    double step = sqrt(8.0 * MEAN_RADIUS_M * tolerance_m / (factor * t + 0.0034));
    return fmin(step, MAX_STEP_M);
}

static int pieces(double length, double step) {
    double n = ceil(length / step);
    return n < 1.0 ? 1 : n > 1e7 ? 10000000 : (int)n;
}

static int densify_geodesic(int straight, double lat1, double lon1, double lat2, double lon2,
                            double tolerance_m, Points *out) {
    double s, az, az2, lat, lon;
    if (geodesic_inverse(lat1, lon1, lat2, lon2, &s, &az, &az2)) return 1;
    /* cos(u) sin(azimuth) is the same all along (Clairaut). The edge is highest at an end, or at
       its summit where it turns from poleward to equatorward; there it also leans most. */
    double clairaut = fabs(cos(atan((1.0 - WGS84_F) * tan(lat1 * DEG))) * sin(az * DEG));
    double high = fmax(fabs(lat1), fabs(lat2));
    if (cos(az * DEG) * cos(az2 * DEG) < 0.0) high = acos(fmin(1.0, clairaut)) / DEG;
    double lean = fmin(1.0, clairaut / cos(fmin(high, 89.99) * DEG));
    int n = pieces(s, step_m(high, straight == STRAIGHT_PLANAR ? fmin(1.1, 2.01 * lean) : 0.0, tolerance_m));
    points_add(out, lat1, lon1);
    for (int i = 1; i < n; i++) {
        geodesic_direct(lat1, lon1, az, s * i / n, &lat, &lon);
        points_add(out, lat, lon);
    }
    return 0;
}

int densify_edge(int edge, int straight, double lat1, double lon1, double lat2, double lon2,
                 double tolerance_m, Points *out) {
    if (edge == EDGE_GEODESIC)
        return densify_geodesic(straight, lat1, lon1, lat2, lon2, tolerance_m, out);
    double high = fmax(fabs(lat1), fabs(lat2)), low = fmin(fabs(lat1), fabs(lat2));
    if (lat1 * lat2 < 0) low = 0.0;
    double dlat = (lat2 - lat1) * DEG, dlon = (lon2 - lon1) * DEG;
    double length = MEAN_RADIUS_M * 1.004 * hypot(dlat, dlon * cos(low * DEG));
    int n = pieces(length, step_m(high, 1.1, tolerance_m));
    double psi1 = isometric(lat1 * DEG), psi2 = isometric(lat2 * DEG);
    if (straight == STRAIGHT_PLANAR && edge != EDGE_RHUMB) n = 1; /* already straight */
    if (edge == EDGE_RHUMB) /* pieces are even on the Mercator chart, so uneven on the ground */
        n = (int)fmin(1e7, n * fmax(1.0, hypot(psi2 - psi1, dlon) * cos(low * DEG) * MEAN_RADIUS_M / fmax(length, 1e-9)));
    points_add(out, lat1, lon1);
    for (int i = 1; i < n; i++) {
        double t = (double)i / n, lat = lat1 + t * (lat2 - lat1);
        if (edge == EDGE_RHUMB && lat1 != lat2)
            lat = from_isometric(psi1 + t * (psi2 - psi1)) / DEG;
        points_add(out, lat, lon1 + t * (lon2 - lon1));
    }
    return 0;
}

void densify_arc(int straight, double center_lat, double center_lon, double azimuth1_deg,
                 double sweep_deg, double r1_m, double r2_m, double tolerance_m, Points *out) {
    double r = fmax(r1_m, r2_m), lat, lon;
    double high = fmin(fabs(center_lat) + r / MEAN_RADIUS_M / DEG, 89.99);
    /* Vertices are moved outwards by up to the tolerance, so chords may stray by that much more;
       by half of it where one end of the chord is not moved. */
    double kg = 1.0 / (MEAN_RADIUS_M * tan(fmin(r / MEAN_RADIUS_M, 1.5)));
    if (straight == STRAIGHT_PLANAR) kg += 1.1 * tan(high * DEG) / MEAN_RADIUS_M;
    double length = r * fabs(sweep_deg) * DEG;
    int whole = fabs(fabs(sweep_deg) - 360.0) < 1e-9;
    double shift = fmin(tolerance_m, r * 1e-3);
    int n = pieces(length, sqrt(8.0 * (tolerance_m + shift / (whole ? 1.0 : 2.0)) / kg));
    if (n < 12 && whole) n = 12;
    for (int i = 0; i < n; i++) {
        double t = (double)i / n;
        double out_m = i || whole ? shift : 0.0; /* a given start is kept, and so is the end */
        geodesic_direct(center_lat, center_lon, azimuth1_deg + t * sweep_deg,
                        r1_m + t * (r2_m - r1_m) + out_m, &lat, &lon);
        points_add(out, lat, lon);
    }
}
