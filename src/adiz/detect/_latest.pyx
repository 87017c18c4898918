# distutils: language = c
"""What each track said last, and where; :mod:`adiz.run.live.labels` is its user."""

include "_arrow.pxi"

cdef extern from "latest.h":
    ctypedef struct StringView:
        int32_t length
    ctypedef struct Names:
        char *text
        int64_t *start
        int32_t n
    ctypedef struct Last:
        int64_t first_us, last_us
        double lat, lon, alt
    ctypedef struct Latest:
        Names names
        Last *last
    ctypedef struct LatestColumn:
        const void *value
        const uint8_t *valid
        int64_t offset
    ctypedef struct LatestColumns:
        int64_t n
        const int64_t *time_us
        const StringView *track_id
        const char *const *track_data
        LatestColumn place[3]
        LatestColumn text[5]
    Latest *latest_new() nogil
    void latest_free(Latest *) nogil
    int64_t latest_step(Latest *, const LatestColumns *, int64_t *) nogil
    Last *latest_of(Latest *, const char *, int64_t, int) nogil
    int latest_forget(Latest *, int64_t) nogil

cdef object _known(double value):
    return value if value == value else None

cdef tuple _told(const Last *last):
    return (last.first_us, last.last_us, _known(last.lat), _known(last.lon), _known(last.alt))


cdef class Kernel:
    """The last of every track: first and last time, latitude, longitude, altitude, texts."""

    cdef Latest *l

    def __cinit__(self):
        self.l = latest_new()
        if self.l == NULL:
            raise MemoryError("latest")

    def __dealloc__(self):
        latest_free(self.l)

    def step(self, time, track_id, list places, list texts):
        """Take columns (polars Series of one chunk each; None: one without a value).

        Returns the numbers of the rows whose texts may not be what their track said before.
        """
        cdef _Column c_time = _Column(time), c_id = _Column(track_id), column
        cdef LatestColumns c
        cdef LatestColumn *into
        cdef int64_t count, i
        cdef int k
        memset(&c, 0, sizeof(c))
        c.n = c_time.array.length
        if not c.n:
            return []
        if len(places) != 3 or len(texts) != 5:
            raise ValueError("three columns of places and five of texts are needed")
        c.time_us = <const int64_t *>c_time.values(b"tsu:", 8)
        c.track_id = <const StringView *>c_id.values(b"vu", 16)
        c.track_data = <const char *const *>(c_id.array.buffers + 2)
        kept = [c_time, c_id]
        for k, series in enumerate(places + texts):
            if series is None:
                continue
            column = _Column(series)
            kept.append(column)
            into = &c.place[k] if k < 3 else &c.text[k - 3]
            into.value = column.values(b"g", 8) if k < 3 else column.values(b"vu", 16)
            into.valid = column.valid()
            into.offset = column.array.offset
        for column in kept:
            if column.array.length != c.n:
                raise ValueError("columns of different length")
        cdef int64_t *changed = <int64_t *>malloc(c.n * 8)
        if changed == NULL:
            raise MemoryError("latest")
        with nogil:
            count = latest_step(self.l, &c, changed)
        try:
            if count < 0:
                raise MemoryError("latest")
            return [changed[i] for i in range(count)]
        finally:
            free(changed)

    def get(self, str track_id):
        """Of a track: (first_us, last_us, lat_deg, lon_deg, alt_ft); None if it is not known."""
        cdef bytes name = track_id.encode()
        cdef Last *last = latest_of(self.l, PyBytes_AS_STRING(name), len(name), 0)
        return None if last == NULL else _told(last)

    def put(self, str track_id, int64_t first_us, int64_t last_us, lat_deg, lon_deg, alt_ft):
        """Take up what :meth:`get` gave."""
        cdef bytes name = track_id.encode()
        cdef Last *last = latest_of(self.l, PyBytes_AS_STRING(name), len(name), 1)
        if last == NULL:
            raise MemoryError("latest")
        last.first_us, last.last_us = first_us, last_us
        last.lat = float("nan") if lat_deg is None else lat_deg
        last.lon = float("nan") if lon_deg is None else lon_deg
        last.alt = float("nan") if alt_ft is None else alt_ft

    def forget(self, int64_t before_us):
        """Forget the tracks not heard since; their names."""
        cdef Names *names = &self.l.names
        cdef int32_t i
        gone = [
            names.text[names.start[i]:names.start[i + 1]].decode()
            for i in range(names.n) if self.l.last[i].last_us < before_us
        ]
        if gone and latest_forget(self.l, before_us):
            raise MemoryError("latest")
        return gone

    def __len__(self):
        return self.l.names.n
