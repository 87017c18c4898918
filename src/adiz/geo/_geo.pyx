# distutils: language = c
"""Compiled geodesics and dense edges; public wrappers are in :mod:`adiz.geo`."""

from cpython.array cimport array, clone
from libc.math cimport remainder
from libc.stdlib cimport free
from libc.string cimport memcpy

cdef extern from "geodesic.h":
    ctypedef struct Points:
        double *data
        size_t n
        size_t cap
        int failed
    int geodesic_inverse(double, double, double, double, double *, double *, double *) nogil
    void geodesic_direct(double, double, double, double, double *, double *) nogil
    int c_densify_edge "densify_edge"(int, int, double, double, double, double, double, Points *) nogil
    void c_densify_arc "densify_arc"(int, double, double, double, double, double, double, double, Points *) nogil

cdef array _template = array("d")


def inverse(double lat1_deg, double lon1_deg, double lat2_deg, double lon2_deg):
    cdef double s, a1, a2
    if geodesic_inverse(lat1_deg, lon1_deg, lat2_deg, lon2_deg, &s, &a1, &a2):
        raise ValueError("points are nearly antipodal: no single shortest line")
    return s, a1, a2


def direct(double lat_deg, double lon_deg, double azimuth_deg, double distance_m):
    cdef double lat, lon
    geodesic_direct(lat_deg, lon_deg, azimuth_deg, distance_m, &lat, &lon)
    return lat, lon


cdef array _take(Points *p):
    cdef array out
    if p.failed:
        free(p.data)
        raise MemoryError("dense ring")
    out = clone(_template, p.n, False)
    if p.n:
        memcpy(out.data.as_doubles, p.data, p.n * sizeof(double))
    free(p.data)
    return out


def densify_edge(int edge, bint planar, double lat1_deg, double lon1_deg,
                 double lat2_deg, double lon2_deg, double tolerance_m):
    cdef Points p
    p.data = NULL
    p.n = p.cap = 0
    p.failed = 0
    if c_densify_edge(edge, planar, lat1_deg, lon1_deg, lat2_deg, lon2_deg, tolerance_m, &p):
        free(p.data)
        raise ValueError("the ends of an edge are nearly antipodal: no single shortest line")
    return _take(&p)


def densify_corners(array corners, bytes edges, bint planar, double tolerance_m):
    """As :func:`densify_edge` for a whole ring of corners (lat, lon, …) and its edges' codes."""
    cdef Py_ssize_t n = len(corners) // 2, i, k
    cdef double *c = corners.data.as_doubles
    cdef const unsigned char *code = edges
    cdef Points p
    cdef double turn
    p.data = NULL
    p.n = p.cap = 0
    p.failed = 0
    for i in range(n):
        k = (i + 1) % n
        turn = remainder(c[2 * k + 1] - c[2 * i + 1], 360.0)
        if c[2 * i] == c[2 * k] and turn == 0.0:
            continue
        if c_densify_edge(code[i], planar, c[2 * i], c[2 * i + 1], c[2 * k],
                          c[2 * i + 1] + turn, tolerance_m, &p):
            free(p.data)
            raise ValueError("the ends of an edge are nearly antipodal: no single shortest line")
    return _take(&p)


def densify_arc(bint planar, double center_lat_deg, double center_lon_deg, double azimuth_deg,
                double sweep_deg, double start_radius_m, double end_radius_m, double tolerance_m):
    cdef Points p
    p.data = NULL
    p.n = p.cap = 0
    p.failed = 0
    c_densify_arc(planar, center_lat_deg, center_lon_deg, azimuth_deg, sweep_deg,
                  start_radius_m, end_radius_m, tolerance_m, &p)
    return _take(&p)


def unwrap(array points):
    """Points of a ring with longitudes made continuous and repeated points left out; and by how
    much the longitude changes once round."""
    cdef Py_ssize_t n = len(points) // 2, i, m = 1
    cdef double *src = points.data.as_doubles
    cdef array out = clone(_template, 2 * n, False)
    cdef double *dst = out.data.as_doubles
    cdef double lat, lon
    if not n:
        return out, 0.0
    dst[0], dst[1] = src[0], src[1]
    for i in range(1, n):
        lat = src[2 * i]
        lon = dst[2 * m - 1] + remainder(src[2 * i + 1] - dst[2 * m - 1], 360.0)
        if lat != dst[2 * m - 2] or lon != dst[2 * m - 1]:
            dst[2 * m], dst[2 * m + 1] = lat, lon
            m += 1
    lon = dst[2 * m - 1] + remainder(dst[1] - dst[2 * m - 1], 360.0)
    turn = lon - dst[1]
    if m > 1 and dst[0] == dst[2 * m - 2] and lon == dst[2 * m - 1]:
        m -= 1
    return out[:2 * m], turn
