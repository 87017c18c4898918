# distutils: language = c
"""Compiled warnings kernel; :mod:`adiz.detect.warnings` is its public face."""

from array import array

include "_arrow.pxi"

cdef extern from "warn.h":
    ctypedef struct ZoneIndex:
        int32_t n_zones
    ctypedef struct StringView:
        int32_t length
    ctypedef struct Names:
        char *text
        int64_t n_text, cap_text
        int64_t *start
        int32_t n, cap
    ctypedef struct WarnTrack:
        int64_t t
    ctypedef struct Watch:
        int32_t zone
    ctypedef struct WarnSettings:
        const double *horizon_s
        double longest_s
        double cone_deg, cone_horizon_s, turn_ahead_s, turn_min_deg_s, smooth_s
        double clear_factor, min_speed_mps, max_speed_mps
        int64_t every_us, max_gap_us, hold_us
        int32_t agree, of, clear_after
    ctypedef struct Change:
        int32_t track, zone
        uint8_t change, course, reason, vertical
        int64_t time_us, raised_us, entry_us
        double lat, lon, gs_kt, course_deg, alt_ft
    ctypedef struct Warn:
        Names names
        WarnTrack *tracks
        Watch *watches
        Change *out
        int32_t cap_tracks, n_watches, cap_watches, free_watches, n_dead
        int64_t n_out, n_reports, n_invalid, n_disorder, n_updates, n_solved, n_raised
        int64_t n_suppressed
    ctypedef struct Optional:
        const double *value
        const uint8_t *valid
        int64_t offset
    ctypedef struct WarnColumns:
        int64_t n
        const int64_t *time_us
        const StringView *track_id
        const char *const *track_data
        const double *lat
        const double *lon
        Optional baro, geom, gs, course, climb
        const uint8_t *ground
        const uint8_t *suppressed
    Warn *warn_new(const ZoneIndex *, const WarnSettings *) nogil
    void warn_free(Warn *) nogil
    int warn_step(Warn *, const WarnColumns *) nogil
    int warn_silent(Warn *, int64_t) nogil
    int warn_standing(Warn *) nogil
    int warn_compact(Warn *) nogil
    int warn_rezone(Warn *, const ZoneIndex *, const double *, const int32_t *) nogil
    void warn_renumber(Warn *, const int32_t *) nogil
    int names_rehash(Names *) nogil
    enum: MAX_SET, STEP_OK, STEP_NO_MEMORY, STEP_CROWDED

cdef int64_t EVER = 2**63 - 1


cdef double *_horizons(const ZoneIndex *x, values) except NULL:
    cdef list given = list(values)
    cdef double *horizon
    if len(given) != x.n_zones:
        raise ValueError("the index is of other zones")
    horizon = <double *>malloc((len(given) + 1) * sizeof(double))
    if horizon == NULL:
        raise MemoryError("warnings")
    for i, value in enumerate(given):
        horizon[i] = value
    return horizon


cdef class Kernel:
    """The state of the fold."""

    cdef Warn *w
    cdef object index

    def __cinit__(self, index, horizons_s, dict settings):
        cdef WarnSettings s
        cdef ZoneIndex *x = <ZoneIndex *>PyCapsule_GetPointer(index.pointer, "adiz.zoneindex")
        cdef double *horizon = _horizons(x, horizons_s)
        memset(&s, 0, sizeof(s))
        s.horizon_s = horizon
        s.cone_deg = settings["cone_deg"]
        s.cone_horizon_s = settings["cone_horizon_s"]
        s.turn_ahead_s = settings["turn_ahead_s"]
        s.turn_min_deg_s = settings["turn_min_deg_s"]
        s.smooth_s = settings["smooth_s"]
        s.clear_factor = settings["clear_factor"]
        s.min_speed_mps = settings["min_speed_mps"]
        s.max_speed_mps = settings["max_speed_mps"]
        s.every_us = settings["every_us"]
        s.max_gap_us = settings["max_gap_us"]
        s.hold_us = settings["hold_us"]
        s.agree = settings["agree"]
        s.of = settings["of"]
        s.clear_after = settings["clear_after"]
        self.index = index
        self.w = warn_new(x, &s)
        free(horizon)
        if self.w == NULL:
            raise MemoryError("warnings")

    def __dealloc__(self):
        warn_free(self.w)

    def step(self, time, track_id, lat, lon, dict optional, ground=None, suppressed=None):
        """Fold in columns (polars Series of one chunk each)."""
        cdef _Column c_time = _Column(time), c_id = _Column(track_id)
        cdef _Column c_lat = _Column(lat), c_lon = _Column(lon), column
        cdef WarnColumns c
        cdef Optional *into
        cdef int status
        memset(&c, 0, sizeof(c))
        c.n = c_time.array.length
        if not c.n:
            return
        c.time_us = <const int64_t *>c_time.values(b"tsu:", 8)
        c.track_id = <const StringView *>c_id.values(b"vu", 16)
        c.track_data = <const char *const *>(c_id.array.buffers + 2)
        c.lat = <const double *>c_lat.values(b"g", 8)
        c.lon = <const double *>c_lon.values(b"g", 8)
        kept = [c_id, c_lat, c_lon]
        for name, series in optional.items():
            column = _Column(series)
            kept.append(column)
            into = (&c.baro if name == "alt_baro_ft" else &c.geom if name == "alt_geom_ft" else
                    &c.gs if name == "gs_kt" else &c.course if name == "track_true_deg" else
                    &c.climb)
            into.value = <const double *>column.values(b"g", 8)
            into.valid = column.valid()
            into.offset = column.array.offset
        if ground is not None:
            column = _Column(ground)
            kept.append(column)
            c.ground = <const uint8_t *>column.values(b"C", 1)
        if suppressed is not None:
            column = _Column(suppressed)
            kept.append(column)
            c.suppressed = <const uint8_t *>column.values(b"C", 1)
        for column in kept:
            if column.array.length != c.n:
                raise ValueError("columns of different length")
        with nogil:
            status = warn_step(self.w, &c)
        self._check(status)

    def silent(self, before_us):
        """Tracks not heard since are lost and given up; None: all."""
        cdef int64_t before = EVER if before_us is None else before_us
        cdef int status
        with nogil:
            status = warn_silent(self.w, before)
        self._check(status)

    def rezone(self, index, horizons_s, list numbers):
        """Other zones; numbers: the new number of each present one, -1 where it is gone.

        The changes must be taken before :meth:`renumber`.
        """
        cdef ZoneIndex *x = <ZoneIndex *>PyCapsule_GetPointer(index.pointer, "adiz.zoneindex")
        cdef bytes packed = array("i", numbers).tobytes()
        cdef double *horizon = _horizons(x, horizons_s)
        cdef int status = warn_rezone(self.w, x, horizon,
                                      <const int32_t *><char *>PyBytes_AS_STRING(packed))
        free(horizon)
        self.index = index
        self._check(status)

    def renumber(self, list numbers):
        cdef bytes packed = array("i", numbers).tobytes()
        warn_renumber(self.w, <const int32_t *><char *>PyBytes_AS_STRING(packed))

    def standing(self):
        self._check(warn_standing(self.w))

    cdef _check(self, int status):
        if status == STEP_NO_MEMORY:
            raise MemoryError("warnings")
        if status == STEP_CROWDED:
            raise ValueError(f"more than {MAX_SET} zones lie over one point")

    @property
    def counts(self):
        cdef Warn *w = self.w
        return {"used": w.n_reports, "invalid": w.n_invalid, "out_of_order": w.n_disorder,
                "updates": w.n_updates, "solved": w.n_solved, "raised": w.n_raised,
                "suppressed": w.n_suppressed}

    @property
    def held(self):
        """Tracks in memory."""
        return self.w.names.n - self.w.n_dead

    def take(self):
        """The changes so far, as raw columns by name; they leave the fold."""
        cdef int64_t n = self.w.n_out, i, length = 0, at = 0
        cdef Change *rows = self.w.out
        cdef Names *names = &self.w.names
        cdef int64_t *longs[4]
        cdef double *doubles[5]
        cdef uint8_t *bytes_[4]
        cdef int32_t *zone = <int32_t *>malloc(n * 4 + 4)
        cdef char *text
        cdef int k
        for k in range(4):
            longs[k] = <int64_t *>malloc(n * 8 + 8)
            bytes_[k] = <uint8_t *>malloc(n + 1)
        for k in range(5):
            doubles[k] = <double *>malloc(n * 8 + 8)
        for i in range(n):
            length += names.start[rows[i].track + 1] - names.start[rows[i].track]
        text = <char *>malloc(length + 1)
        if zone == NULL or text == NULL or not (longs[3] and bytes_[3] and doubles[4]):
            raise MemoryError("result")
        for i in range(n):
            longs[0][i] = rows[i].time_us
            longs[1][i] = rows[i].raised_us
            longs[2][i] = rows[i].entry_us
            longs[3][i] = at
            length = names.start[rows[i].track + 1] - names.start[rows[i].track]
            memcpy(text + at, names.text + names.start[rows[i].track], length)
            at += length
            zone[i] = rows[i].zone
            doubles[0][i] = rows[i].lat
            doubles[1][i] = rows[i].lon
            doubles[2][i] = rows[i].gs_kt
            doubles[3][i] = rows[i].course_deg
            doubles[4][i] = rows[i].alt_ft
            bytes_[0][i] = rows[i].change
            bytes_[1][i] = rows[i].course
            bytes_[2][i] = rows[i].reason
            bytes_[3][i] = rows[i].vertical
        longs[3][n] = at
        self.w.n_out = 0
        result = {"track_id": _out("U", n, longs[3], text), "zone": _out("i", n, zone, NULL)}
        for k, name in enumerate(("time", "raised_time", "predicted_entry_time")):
            result[name] = _out("l", n, longs[k], NULL)
        for k, name in enumerate(("predicted_lat_deg", "predicted_lon_deg", "gs_kt",
                                  "track_true_deg", "alt_ft")):
            result[name] = _out("g", n, doubles[k], NULL)
        for k, name in enumerate(("change", "course", "reason", "vertical")):
            result[name] = _out("C", n, bytes_[k], NULL)
        self._check(warn_compact(self.w))
        return result

    def save(self):
        """The state as bytes; the changes must have been taken."""
        cdef Warn *w = self.w
        if w.n_out:
            raise ValueError("changes have not been taken")
        head = [w.names.n, w.names.n_text, w.n_watches, w.free_watches, w.n_dead, w.n_reports,
                w.n_invalid, w.n_disorder, w.n_updates, w.n_solved, w.n_raised, w.n_suppressed,
                sizeof(WarnTrack), sizeof(Watch)]
        return b"".join([
            *[int(v).to_bytes(8, "little", signed=True) for v in head],
            _octets(w.names.start, (w.names.n + 1) * 8),
            _octets(w.names.text, w.names.n_text),
            _octets(w.tracks, w.names.n * sizeof(WarnTrack)),
            _octets(w.watches, w.n_watches * sizeof(Watch)),
        ])

    def restore(self, bytes state):
        """Take up a saved state, in a fold that is still empty."""
        cdef Warn *w = self.w
        cdef int64_t at = 14 * 8
        if len(state) < at or w.names.n:
            raise ValueError("the saved state does not fit this version")
        head = [int.from_bytes(state[i:i + 8], "little", signed=True) for i in range(0, at, 8)]
        n, n_text, n_watches, free_watches, n_dead = head[:5]
        sizes = [(n + 1) * 8, n_text, n * sizeof(WarnTrack), n_watches * sizeof(Watch)]
        if (head[12], head[13]) != (sizeof(WarnTrack), sizeof(Watch)) or min(sizes) < 0 \
                or len(state) != at + sum(sizes):
            raise ValueError("the saved state does not fit this version")
        cdef list blocks = []
        for size in sizes:
            blocks.append(state[at:at + size])
            at += size
        free(w.names.start)
        w.names.start = <int64_t *>_block(blocks[0])
        w.names.text = <char *>_block(blocks[1])
        w.names.n = w.names.cap = n
        w.names.n_text = w.names.cap_text = n_text
        w.tracks = <WarnTrack *>_block(blocks[2])
        w.cap_tracks = n
        w.watches = <Watch *>_block(blocks[3])
        w.n_watches = w.cap_watches = n_watches
        w.free_watches, w.n_dead = free_watches, n_dead
        w.n_reports, w.n_invalid, w.n_disorder, w.n_updates = head[5:9]
        w.n_solved, w.n_raised, w.n_suppressed = head[9:12]
        if names_rehash(&w.names):
            raise MemoryError("names")
