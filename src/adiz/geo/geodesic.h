/* Geodesics and edges on the WGS84 ellipsoid. See geodesic.c and densify.c for methods and sources. */
#ifndef ADIZ_GEODESIC_H
#define ADIZ_GEODESIC_H

#include <math.h>
#include <stddef.h>

#define WGS84_A 6378137.0
#define WGS84_F (1.0 / 298.257223563)
#define WGS84_E2 (WGS84_F * (2.0 - WGS84_F))
#define MEAN_RADIUS_M 6371008.8
#define PI 3.14159265358979323846
#define DEG (0.017453292519943295769)

/* Distance in metres and azimuths in degrees (at the start and, continuing, at the end).
   Returns 0, or 1 where the iteration does not converge (points nearly antipodal): the outputs
   are then NaN. Any output pointer may be NULL. */
int geodesic_inverse(double lat1, double lon1, double lat2, double lon2,
                     double *distance_m, double *azimuth1_deg, double *azimuth2_deg);

/* Where one gets from (lat, lon) along an azimuth; the longitude is continuous (may leave ±180). */
void geodesic_direct(double lat, double lon, double azimuth_deg, double distance_m,
                     double *lat2, double *lon2);

/* Earth-centred coordinates of a point on the ellipsoid, in units of its equatorial radius. */
static inline void to_ecef(double lat, double lon, double out[3]) {
    double s = sin(lat * DEG), c = cos(lat * DEG);
    double n = 1.0 / sqrt(1.0 - WGS84_E2 * s * s);
    out[0] = n * c * cos(lon * DEG);
    out[1] = n * c * sin(lon * DEG);
    out[2] = n * (1.0 - WGS84_E2) * s;
}

/* A list of points that grows: lat, lon, lat, lon, … in degrees. */
typedef struct {
    double *data;
    size_t n, cap; /* in doubles */
    int failed;    /* out of memory */
} Points;

void points_add(Points *p, double lat, double lon);

enum { EDGE_GEODESIC = 0, EDGE_PARALLEL = 1, EDGE_RHUMB = 2, EDGE_PLANAR = 3 };

/* What is drawn between two points of the result: the shortest line on the ellipsoid, or a
   straight line in longitude and latitude. */
enum { STRAIGHT_GEODESIC = 0, STRAIGHT_PLANAR = 1 };

/* Append the edge's first point and as many points within as keep it true to tolerance_m.
   The end is not appended. lon2 must be unwrapped (within 180 degrees of lon1).
   Returns 0, or 1 where the edge has no unique geodesic (ends nearly antipodal). */
int densify_edge(int edge, int straight, double lat1, double lon1, double lat2, double lon2,
                 double tolerance_m, Points *out);

/* Append an arc about a centre, from start to end (end excluded); azimuths in degrees, sweep
   signed (clockwise positive); the radius runs linearly from r1 to r2. A sweep of ±360 with
   r1 == r2 is a circle. */
void densify_arc(int straight, double center_lat, double center_lon, double azimuth1_deg,
                 double sweep_deg, double r1_m, double r2_m, double tolerance_m, Points *out);

#endif
