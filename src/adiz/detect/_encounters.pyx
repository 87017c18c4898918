# distutils: language = c
"""The compiled sweep behind :mod:`adiz.detect.encounters`, which documents it.

Reads reports through the Arrow C stream interface (columns in the order of ``COLUMNS``), so that
neither numpy nor pyarrow is imported.
"""

import struct
import zlib

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport NAN, atan2, fabs, isnan, remainder, sqrt
from libc.stdint cimport INT64_MIN, UINT32_MAX, int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memcmp, memcpy

cdef extern from "arrow.h":
    struct ArrowSchema:
        const char *format
        int64_t n_children
        ArrowSchema **children
        void (*release)(ArrowSchema *)
    struct ArrowArray:
        int64_t length, null_count, offset, n_buffers, n_children
        const void **buffers
        ArrowArray **children
        void (*release)(ArrowArray *)
    struct ArrowArrayStream:
        int (*get_schema)(ArrowArrayStream *, ArrowSchema *)
        int (*get_next)(ArrowArrayStream *, ArrowArray *)
        const char *(*get_last_error)(ArrowArrayStream *)

cdef extern from "geodesic.h":
    double DEG, WGS84_E2

cdef extern from "encounters.h":
    int64_t NO_TIME
    enum: POINT_HAS_ADDRESS, POINT_GROUND
    ctypedef struct Point:
        int64_t t
        double p[3]
        float baro, geom
        uint32_t source, flags
    ctypedef struct Track:
        Point *points
        uint32_t n, cap, first, open
        char *name
        uint32_t name_len, hash
        uint8_t dirty, used
    ctypedef struct Sums:
        double speed_s, heading_s, heading_w, lateral_s, lateral2_s, trail_s
        double vertical_s, vertical_w, path_m, weight_s, turned, turned_s
    ctypedef struct Pair:
        uint32_t a, b
        int64_t start, last, min_time
        double min_q, min_vertical
        int64_t known_us, unknown_us
        uint32_t source_a, source_b
        uint8_t appeared, vanished
        double la[3]
        double lb[3]
        double start_mid[3]
        double start_alt, last_alt
        Sums sums
    ctypedef struct Settings:
        int64_t max_gap_us, for_us, lateness_us, step_us
        double within_m, within_ft, max_speed_mps
    ctypedef struct Counts:
        int64_t late, same_time, too_fast, unusable
    ctypedef struct Fold:
        Settings set
        Track *tracks
        uint32_t n_tracks
        Pair *pairs
        uint32_t n_pairs
        Pair *done
        uint32_t n_done
        char **sources
        uint32_t n_sources
        int64_t watermark, swept
        Counts counts
        int failed
    Fold *fold_new(const Settings *) nogil
    void fold_free(Fold *) nogil
    uint32_t fold_track(Fold *, const char *, uint32_t, uint32_t) nogil
    void place_block(const double *, const double *, int, double *, double *, double *) nogil
    void fold_fetch(const Fold *, uint32_t) nogil
    uint32_t fold_source(Fold *, const char *, uint32_t) nogil
    void fold_add(Fold *, uint32_t, int64_t, const double *, double, double, uint32_t,
                  uint32_t) nogil
    void fold_advance(Fold *, int64_t, int) nogil
    void fold_forget(Fold *) nogil
    Point *fold_points(Fold *, uint32_t, uint32_t) nogil
    void fold_put_pair(Fold *, const Pair *) nogil
    void pair_sum_up(Pair *) nogil
    double geodesic_from_chord(double) nogil

COLUMNS = ("time", "track_id", "lat_deg", "lon_deg", "alt_baro_ft", "alt_geom_ft", "on_ground",
           "icao24", "source")
FORMATS = (b"tsu:UTC", b"vu", b"g", b"g", b"g", b"g", b"b", b"vu", b"vu")

cdef struct Column:
    const uint8_t *valid
    const void **buffers
    const void *data
    int64_t offset

cdef struct Text:
    const char *s
    uint32_t n

cdef const char *EMPTY = ""


cdef inline bint has(const Column *c, int64_t i) noexcept nogil:
    i += c.offset
    return c.valid == NULL or (c.valid[i >> 3] >> (i & 7)) & 1


cdef inline double number(const Column *c, int64_t i) noexcept nogil:
    return (<const double *>c.data)[c.offset + i] if has(c, i) else NAN


cdef inline bint truth(const Column *c, int64_t i) noexcept nogil:
    cdef int64_t j = c.offset + i
    return has(c, i) and ((<const uint8_t *>c.data)[j >> 3] >> (j & 7)) & 1


cdef inline Text text(const Column *c, int64_t i) noexcept nogil:
    """A string view: short texts lie in the view, longer ones in a buffer it names."""
    cdef const int32_t *view = (<const int32_t *>c.data) + 4 * (c.offset + i)
    cdef Text t
    if not has(c, i):
        t.s = EMPTY
        t.n = 0
        return t
    t.n = <uint32_t>view[0]
    t.s = <const char *>(view + 1)
    if t.n > 12:
        t.s = (<const char *>c.buffers[2 + view[2]]) + view[3]
    return t


cdef uint32_t address(Text t) noexcept nogil:
    """Flags of a 24-bit address in hex; 0 where it is none."""
    cdef uint32_t value = 0, digit, i
    if t.n != 6:
        return 0
    for i in range(6):
        digit = <uint8_t>t.s[i]
        if 48 <= digit <= 57:
            digit -= 48
        elif 97 <= (digit | 32) <= 102:
            digit = (digit | 32) - 87
        else:
            return 0
        value = value << 4 | digit
    return value | POINT_HAS_ADDRESS


cdef enum:
    BLOCK = 64

cdef int64_t FAR_US = 10**17 * 4  # some 12,000 years; beyond, sums of times might overflow


cdef int64_t add_rows(Fold *f, const Column *c, int64_t n) noexcept nogil:
    """Take rows, block by block: who and where, then the reports; returns the latest time."""
    cdef int64_t first = 0, latest = INT64_MIN, t, row
    cdef int i, count
    cdef Text name, source, last_name, last_source
    cdef uint32_t track = 0, from_source = 0, flags
    cdef uint32_t tracks[BLOCK]
    cdef double lat[BLOCK]
    cdef double lon[BLOCK]
    cdef double x[BLOCK]
    cdef double y[BLOCK]
    cdef double z[BLOCK]
    cdef double place[3]
    last_name.s = last_source.s = NULL
    last_name.n = last_source.n = 0
    while first < n:
        count = <int>min(<int64_t>BLOCK, n - first)
        for i in range(count):
            row = first + i
            name = text(&c[1], row)
            if (last_name.s == NULL or name.n != last_name.n
                    or memcmp(name.s, last_name.s, name.n)):
                track = fold_track(f, name.s, name.n, track)
                last_name = name
            if f.failed:
                return latest
            tracks[i] = track
            fold_fetch(f, track)
            lat[i], lon[i] = number(&c[2], row), number(&c[3], row)
            t = (<const int64_t *>c[0].data)[c[0].offset + row]
            if not has(&c[0], row) or not has(&c[1], row) or not (
                    fabs(lat[i]) <= 90.0 and fabs(lon[i]) <= 1e6 and -FAR_US <= t <= FAR_US):
                tracks[i] = UINT32_MAX
                lat[i] = lon[i] = 0.0
            elif fabs(lon[i]) > 180.0:
                lon[i] = remainder(lon[i], 360.0)
        place_block(lat, lon, count, x, y, z)
        for i in range(count):
            if tracks[i] == UINT32_MAX:
                f.counts.unusable += 1
                continue
            row = first + i
            source = text(&c[8], row)
            if last_source.s == NULL or source.n != last_source.n or memcmp(
                    source.s, last_source.s, source.n):
                from_source = fold_source(f, source.s, source.n)
                last_source = source
            flags = address(text(&c[7], row)) | (POINT_GROUND if truth(&c[6], row) else 0)
            t = (<const int64_t *>c[0].data)[c[0].offset + row]
            place[0], place[1], place[2] = x[i], y[i], z[i]
            fold_add(f, tracks[i], t, place, number(&c[4], row), number(&c[5], row),
                     from_source, flags)
            if t > latest:
                latest = t
        first += count
    return latest


cdef class Sweep:
    """A fold over rows given as an Arrow stream; events come out as tuples."""

    cdef Fold *f

    def __cinit__(self, int64_t max_gap_us, int64_t for_us, int64_t lateness_us, int64_t step_us,
                  double within_m, double within_ft, double max_speed_mps):
        cdef Settings s
        s.max_gap_us, s.for_us, s.lateness_us, s.step_us = max_gap_us, for_us, lateness_us, step_us
        s.within_m, s.within_ft, s.max_speed_mps = within_m, within_ft, max_speed_mps
        self.f = fold_new(&s)
        if self.f == NULL:
            raise MemoryError

    def __dealloc__(self):
        fold_free(self.f)

    def step(self, object stream_capsule):
        """Take the rows of a stream, move on, return finished encounters."""
        cdef ArrowArrayStream *stream = <ArrowArrayStream *>PyCapsule_GetPointer(
            stream_capsule, "arrow_array_stream")
        cdef ArrowSchema schema
        cdef ArrowArray batch
        cdef Column columns[9]
        cdef int64_t latest = self.f.watermark, seen
        if stream.get_schema(stream, &schema):
            raise ValueError("the rows have no schema")
        found = [schema.children[i].format for i in range(schema.n_children)]
        schema.release(&schema)
        if tuple(found) != FORMATS:
            raise ValueError(f"columns are {found}, not {FORMATS}")
        while True:
            if stream.get_next(stream, &batch):
                raise ValueError(stream.get_last_error(stream).decode())
            if batch.release == NULL:
                break
            for i in range(9):
                columns[i].buffers = batch.children[i].buffers
                columns[i].valid = <const uint8_t *>columns[i].buffers[0]
                if batch.children[i].null_count == 0:
                    columns[i].valid = NULL
                columns[i].data = columns[i].buffers[1]
                columns[i].offset = batch.offset + batch.children[i].offset
            with nogil:
                seen = add_rows(self.f, columns, batch.length)
            if seen > latest:
                latest = seen
            batch.release(&batch)
        with nogil:
            fold_advance(self.f, latest, 0)
        return self._take()

    def flush(self):
        """Finish everything."""
        with nogil:
            fold_advance(self.f, NO_TIME, 1)
        return self._take()

    def under_way(self):
        """Encounters that have not ended, as far as time has been swept."""
        cdef uint32_t i
        cdef Pair pair
        rows = []
        for i in range(self.f.n_pairs):
            pair = self.f.pairs[i]
            if pair.last - pair.start >= self.f.set.for_us:
                pair_sum_up(&pair)
                rows.append(row_of(self.f, &pair))
        return rows

    cdef list _take(self):
        cdef uint32_t i
        if self.f.failed:
            raise MemoryError("encounters")
        rows = [row_of(self.f, &self.f.done[i]) for i in range(self.f.n_done)]
        self.f.n_done = 0
        with nogil:
            fold_forget(self.f)
        return rows

    @property
    def counts(self):
        """Reports and legs that could not be used, by reason."""
        c = self.f.counts
        return {"late": c.late, "same_time": c.same_time, "too_fast": c.too_fast,
                "unusable": c.unusable}

    @property
    def settled_us(self):
        """No encounter that is still to come began before this; None before the first report."""
        cdef int64_t least = self.f.swept
        cdef uint32_t i
        for i in range(self.f.n_pairs):
            if self.f.pairs[i].start < least:
                least = self.f.pairs[i].start
        return None if least == NO_TIME else least

    @property
    def held(self):
        """How many reports and open encounters the fold holds."""
        cdef uint32_t i, n = 0
        for i in range(self.f.n_tracks):
            n += self.f.tracks[i].n
        return n, self.f.n_pairs

    def save(self):
        """The whole state as bytes."""
        cdef uint32_t i, n = 0
        cdef Track *t
        f = self.f
        parts = []
        place = {}
        for i in range(f.n_tracks):
            t = &f.tracks[i]
            if t.used:
                place[i] = n
                n += 1
                parts.append(struct.pack("<IIIB", t.name_len, t.n, t.first, t.dirty))
                parts.append(t.name[:t.name_len])
                parts.append(PyBytes_FromStringAndSize(<char *>t.points, t.n * sizeof(Point)))
        cdef Pair pair
        for i in range(f.n_pairs):
            pair = f.pairs[i]
            pair.a, pair.b = place[pair.a], place[pair.b]
            parts.append(PyBytes_FromStringAndSize(<char *>&pair, sizeof(Pair)))
        for i in range(f.n_sources):
            parts.append(struct.pack("<I", len(f.sources[i])))
            parts.append(<bytes>f.sources[i])
        head = struct.pack("<8s2I3I2q4q", b"adizenc1", sizeof(Point), sizeof(Pair), n, f.n_pairs,
                           f.n_sources, f.watermark, f.swept, f.counts.late, f.counts.same_time,
                           f.counts.too_fast, f.counts.unusable)
        body = head + PyBytes_FromStringAndSize(<char *>&f.set, sizeof(Settings)) + b"".join(parts)
        return body + struct.pack("<I", zlib.crc32(body))

    @staticmethod
    def restore(bytes state not None):
        """The fold that was saved. Raises ValueError where the bytes are not one."""
        fixed = struct.calcsize("<8s2I3I2q4q")
        if len(state) < fixed + 4 or state[:8] != b"adizenc1":
            raise ValueError("not the saved state of an encounters fold")
        body, (crc,) = state[:-4], struct.unpack("<I", state[-4:])
        if zlib.crc32(body) != crc:
            raise ValueError("the saved state is damaged")
        _, point, pair_size, tracks, pairs, sources, watermark, swept, late, same, fast, bad = (
            struct.unpack("<8s2I3I2q4q", body[:fixed]))
        if point != sizeof(Point) or pair_size != sizeof(Pair):
            raise ValueError("saved by another version of adiz")
        cdef Settings s
        cdef const char *raw = body
        cdef Py_ssize_t at = fixed
        memcpy(&s, raw + at, sizeof(Settings))
        at += sizeof(Settings)
        cdef Sweep self = Sweep(s.max_gap_us, s.for_us, s.lateness_us, s.step_us, s.within_m,
                                s.within_ft, s.max_speed_mps)
        cdef uint32_t slot, n
        cdef Point *points
        cdef Pair one
        for _ in range(tracks):
            name_len, n, first, dirty = struct.unpack_from("<IIIB", body, at)
            at += struct.calcsize("<IIIB")
            slot = fold_track(self.f, raw + at, name_len, 0)
            at += name_len
            points = fold_points(self.f, slot, n)
            if self.f.failed:
                raise MemoryError
            memcpy(points, raw + at, n * sizeof(Point))
            self.f.tracks[slot].first, self.f.tracks[slot].dirty = first, dirty
            at += n * sizeof(Point)
        for _ in range(pairs):
            memcpy(&one, raw + at, sizeof(Pair))
            fold_put_pair(self.f, &one)
            at += sizeof(Pair)
        for _ in range(sources):
            (n,) = struct.unpack_from("<I", body, at)
            fold_source(self.f, raw + at + 4, n)
            at += 4 + n
        if self.f.failed:
            raise MemoryError
        self.f.watermark, self.f.swept = watermark, swept
        self.f.counts.late, self.f.counts.same_time = late, same
        self.f.counts.too_fast, self.f.counts.unusable = fast, bad
        return self


cdef str name_of(Fold *f, uint32_t slot):
    return f.tracks[slot].name[:f.tracks[slot].name_len].decode("utf-8", "replace")


cdef tuple place(double x, double y, double z):
    """Latitude and longitude of a point near the ellipsoid."""
    return atan2(z / (1.0 - WGS84_E2), sqrt(x * x + y * y)) / DEG, atan2(y, x) / DEG


cdef tuple row_of(Fold *f, const Pair *p):
    """One encounter, in the order of ENCOUNTERS."""
    cdef const Sums *s = &p.sums
    cdef double mean = s.lateral_s / s.weight_s, minutes = (p.last - p.start) / 60e6
    known = "known" if p.unknown_us == 0 else "unknown" if p.known_us == 0 else "partly"
    spread = s.lateral2_s / s.weight_s - mean * mean
    return (
        name_of(f, p.a),
        name_of(f, p.b),
        p.start,
        p.last,
        (p.last - p.start) / 1e6,
        "appeared" if p.appeared else "crossed",
        "vanished" if p.vanished else "crossed",
        geodesic_from_chord(sqrt(p.min_q)),
        p.min_time,
        None if isnan(p.min_vertical) else p.min_vertical,
        known,
        geodesic_from_chord(mean),
        sqrt(spread) if spread > 0.0 else 0.0,
        s.vertical_s / s.vertical_w if s.vertical_w > 0.0 else None,
        s.speed_s / s.weight_s * 3600.0 / 1852.0,
        s.heading_s / s.heading_w / DEG if s.heading_w > 0.0 else None,
        s.trail_s / s.weight_s,
        s.turned / s.turned_s * 60.0 / DEG if s.turned_s > 0.0 else None,
        s.path_m / s.weight_s * 3600.0 / 1852.0,
        None if isnan(p.last_alt) else 0.5 * (p.start_alt + p.last_alt),
        None if isnan(p.last_alt) else (p.last_alt - p.start_alt) / minutes,
        *place(p.start_mid[0], p.start_mid[1], p.start_mid[2]),
        *place(p.la[0] + p.lb[0], p.la[1] + p.lb[1], p.la[2] + p.lb[2]),
        f.sources[p.source_a].decode("utf-8", "replace"),
        f.sources[p.source_b].decode("utf-8", "replace"),
    )
