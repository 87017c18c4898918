/* Direct and inverse geodesics on WGS84.
 *
 * T. Vincenty, "Direct and inverse solutions of geodesics on the ellipsoid with application of
 * nested equations", Survey Review 23(176), 1975; series in the third flattening-like k1 of the
 * 1976 note. Error below 0.1 mm on the Earth. The inverse does not converge for points within
 * about half a degree of antipodal: that is reported, never guessed.
 */
#include "geodesic.h"

static const double B_AXIS = WGS84_A * (1.0 - WGS84_F);

/* Vincenty's A and B from u^2, through k1. */
static void series(double u2, double *big_a, double *big_b) {
    double root = sqrt(1.0 + u2);
    double k1 = (root - 1.0) / (root + 1.0);
    *big_a = (1.0 + k1 * k1 / 4.0) / (1.0 - k1);
    *big_b = k1 * (1.0 - 3.0 / 8.0 * k1 * k1);
}

static double delta_sigma(double b, double sin_sigma, double cos_sigma, double cos_2m) {
    double c2 = cos_2m * cos_2m;
    return b * sin_sigma *
           (cos_2m + b / 4.0 *
                         (cos_sigma * (-1.0 + 2.0 * c2) -
                          b / 6.0 * cos_2m * (-3.0 + 4.0 * sin_sigma * sin_sigma) *
                              (-3.0 + 4.0 * c2)));
}

int geodesic_inverse(double lat1, double lon1, double lat2, double lon2,
                     double *distance_m, double *azimuth1_deg, double *azimuth2_deg) {
    const double f = WGS84_F;
    double dl = remainder(lon2 - lon1, 360.0) * DEG;
    double tan_u1 = (1.0 - f) * tan(lat1 * DEG), cos_u1 = 1.0 / sqrt(1.0 + tan_u1 * tan_u1);
    double tan_u2 = (1.0 - f) * tan(lat2 * DEG), cos_u2 = 1.0 / sqrt(1.0 + tan_u2 * tan_u2);
    double sin_u1 = tan_u1 * cos_u1, sin_u2 = tan_u2 * cos_u2;
    double lambda = dl, sin_l, cos_l, sin_s, cos_s, sigma, sin_a, cos2_a, cos_2m;
    int i, done = 0;

    if (distance_m) *distance_m = NAN;
    if (azimuth1_deg) *azimuth1_deg = NAN;
    if (azimuth2_deg) *azimuth2_deg = NAN;
    for (i = 0; i < 200 && !done; i++) {
        sin_l = sin(lambda);
        cos_l = cos(lambda);
        double p = cos_u2 * sin_l, q = cos_u1 * sin_u2 - sin_u1 * cos_u2 * cos_l;
        sin_s = sqrt(p * p + q * q);
        cos_s = sin_u1 * sin_u2 + cos_u1 * cos_u2 * cos_l;
        if (sin_s < 1e-15) {
            if (cos_s < 0.0) return 1; /* antipodal */
            if (distance_m) *distance_m = 0.0;
            if (azimuth1_deg) *azimuth1_deg = 0.0;
            if (azimuth2_deg) *azimuth2_deg = 0.0;
            return 0;
        }
        sigma = atan2(sin_s, cos_s);
        sin_a = cos_u1 * cos_u2 * sin_l / sin_s;
        cos2_a = 1.0 - sin_a * sin_a;
        cos_2m = cos2_a > 1e-16 ? cos_s - 2.0 * sin_u1 * sin_u2 / cos2_a : 0.0;
        double c = f / 16.0 * cos2_a * (4.0 + f * (4.0 - 3.0 * cos2_a));
        double next = dl + (1.0 - c) * f * sin_a *
                               (sigma + c * sin_s * (cos_2m + c * cos_s * (-1.0 + 2.0 * cos_2m * cos_2m)));
        done = fabs(next - lambda) < 1e-13;
        lambda = next;
        if (fabs(lambda) > PI + 0.1) return 1;
    }
    if (!done || !(sigma == sigma)) return 1;
    double u2 = cos2_a * (WGS84_A * WGS84_A - B_AXIS * B_AXIS) / (B_AXIS * B_AXIS), a, b;
    series(u2, &a, &b);
    if (distance_m) *distance_m = B_AXIS * a * (sigma - delta_sigma(b, sin_s, cos_s, cos_2m));
    sin_l = sin(lambda);
    cos_l = cos(lambda);
    if (azimuth1_deg)
        *azimuth1_deg = atan2(cos_u2 * sin_l, cos_u1 * sin_u2 - sin_u1 * cos_u2 * cos_l) / DEG;
    if (azimuth2_deg)
        *azimuth2_deg = atan2(cos_u1 * sin_l, -sin_u1 * cos_u2 + cos_u1 * sin_u2 * cos_l) / DEG;
    return 0;
}

void geodesic_direct(double lat, double lon, double azimuth_deg, double distance_m,
                     double *lat2, double *lon2) {
    const double f = WGS84_F;
    double sin_a1 = sin(azimuth_deg * DEG), cos_a1 = cos(azimuth_deg * DEG);
    double tan_u1 = (1.0 - f) * tan(lat * DEG), cos_u1 = 1.0 / sqrt(1.0 + tan_u1 * tan_u1);
    double sin_u1 = tan_u1 * cos_u1;
    double sigma1 = atan2(tan_u1, cos_a1);
    double sin_a = cos_u1 * sin_a1, cos2_a = 1.0 - sin_a * sin_a;
    double u2 = cos2_a * (WGS84_A * WGS84_A - B_AXIS * B_AXIS) / (B_AXIS * B_AXIS), a, b;
    series(u2, &a, &b);
    double base = distance_m / (B_AXIS * a), sigma = base, sin_s = 0, cos_s = 1, cos_2m = 1;
    for (int i = 0; i < 100; i++) {
        cos_2m = cos(2.0 * sigma1 + sigma);
        sin_s = sin(sigma);
        cos_s = cos(sigma);
        double next = base + delta_sigma(b, sin_s, cos_s, cos_2m);
        int done = fabs(next - sigma) < 1e-14;
        sigma = next;
        if (done) break;
    }
    cos_2m = cos(2.0 * sigma1 + sigma);
    sin_s = sin(sigma);
    cos_s = cos(sigma);
    double x = sin_u1 * sin_s - cos_u1 * cos_s * cos_a1;
    *lat2 = atan2(sin_u1 * cos_s + cos_u1 * sin_s * cos_a1,
                  (1.0 - f) * sqrt(sin_a * sin_a + x * x)) / DEG;
    double lambda = atan2(sin_s * sin_a1, cos_u1 * cos_s - sin_u1 * sin_s * cos_a1);
    double c = f / 16.0 * cos2_a * (4.0 + f * (4.0 - 3.0 * cos2_a));
    double dl = lambda - (1.0 - c) * f * sin_a *
                             (sigma + c * sin_s * (cos_2m + c * cos_s * (-1.0 + 2.0 * cos_2m * cos_2m)));
    *lon2 = lon + dl / DEG;
}
