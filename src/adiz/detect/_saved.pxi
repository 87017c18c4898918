# Saved states of encounters: what is large in them, copied as few times as can be.

from cpython.bytes cimport PyBytes_AS_STRING


cdef bytes _points_of(Track *t):
    """The reports of a track, one after the other."""
    cdef bytes points = PyBytes_FromStringAndSize(NULL, t.n * sizeof(Point))
    cdef char *into = PyBytes_AS_STRING(points)
    cdef uint32_t k
    for k in range(t.n):
        memcpy(into + k * sizeof(Point), t.points[k], sizeof(Point))
    return points


cdef bytes _summed(list parts):
    """Parts as one, with their checksum at the end."""
    cdef uint32_t crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return b"".join([*parts, struct.pack("<I", crc)])
