# distutils: language = c
"""Compiled stays kernel; :mod:`adiz.detect.stays` is its public face.

Columns come in and go out through the Arrow C data interface, so no other library is loaded for
it. The kernel runs without the GIL.
"""

include "_arrow.pxi"

cdef extern from "stays.h":
    ctypedef struct ZoneIndex:
        int32_t n_zones
        int32_t n_edges
        int32_t n_cells
    ctypedef struct Stay:
        int64_t entry_us, exit_us, earliest_us, latest_us, report_count
        double entry_lat, entry_lon, exit_lat, exit_lon, depth_m, longest_s
        int32_t track, zone
        uint8_t entry_kind, exit_kind, certainty, vertical
    ctypedef struct Names:
        char *text
        int64_t n_text
        int64_t cap_text
        int64_t *start
        int32_t n
        int32_t cap
    ctypedef struct Track:
        int64_t t
    ctypedef struct Member:
        int32_t zone
    ctypedef struct Path:
        int32_t next_free
    ctypedef struct StringView:
        int32_t length
    ctypedef struct Stays:
        const ZoneIndex *index
        Names names
        Track *tracks
        Member *members
        Path *paths
        Stay *out
        int32_t cap_tracks, n_members, cap_members, free_members, n_paths, cap_paths, free_paths
        int64_t n_out, cap_out, n_reports, n_invalid, n_repeated
        int live
        Stay *opened
        int64_t n_opened
        int64_t *late
        int64_t n_late
    ctypedef struct ReportColumns:
        int64_t n
        const int64_t *time_us
        const StringView *track_id
        const char *const *track_data
        const double *lat
        const double *lon
        const double *alt
        const uint8_t *alt_valid
        int64_t alt_valid_offset
        const double *speed_mps
        const uint8_t *speed_valid
        int64_t speed_valid_offset
    ctypedef struct Prism:
        int reachable, certain
        double to_entry_m, from_exit_m, outside_m
    ZoneIndex *zoneindex_new() nogil
    void zoneindex_free(ZoneIndex *) nogil
    int zoneindex_add(ZoneIndex *, const double *, const int32_t *, int32_t, double, double,
                      int64_t, int64_t, int32_t) nogil
    void zoneindex_finish(ZoneIndex *) nogil
    int32_t zones_at(const ZoneIndex *, double, double, int32_t *, int32_t) nogil
    void to_ecef(double, double, double *) nogil
    double boundary_distance_m(const ZoneIndex *, int32_t, const double *, double,
                               int32_t *) nogil
    void prism_query(const ZoneIndex *, int32_t, const double *, const double *, int, int, double,
                     Prism *) nogil
    Stays *stays_new(const ZoneIndex *, int64_t, int64_t, double) nogil
    void stays_free(Stays *) nogil
    int stays_step(Stays *, const ReportColumns *, int, int, int64_t *) nogil
    int stays_flush(Stays *) nogil
    int names_rehash(Names *) nogil
    int64_t stays_open_rows(const Stays *, Stay **) nogil
    int stays_retire(Stays *, int64_t) nogil
    int stays_compact(Stays *) nogil
    void stays_drop(Stays *, const char *, int64_t) nogil
    int stays_rezone(Stays *, const ZoneIndex *, const int32_t *) nogil
    enum: MAX_SET, STEP_OK, STEP_NO_MEMORY, STEP_DISORDER, STEP_CROWDED

FROM_ALWAYS = -(2**63)
TO_ALWAYS = 2**63 - 1


class DisorderError(Exception):
    """A report came before one of the same track that was already folded in."""


cdef class Index:
    """Zones, indexed. Read-only once finished."""

    cdef ZoneIndex *x
    cdef bint finished

    def __cinit__(self):
        self.x = zoneindex_new()
        if self.x == NULL:
            raise MemoryError("zone index")

    def __dealloc__(self):
        zoneindex_free(self.x)

    def add(self, rings, double floor_ft, double ceil_ft, int64_t from_us, int64_t to_us,
            bint unchecked):
        """Add a zone of dense rings (each an array of lat, lon, …)."""
        cdef int32_t n_rings = len(rings), i
        cdef int32_t *counts = <int32_t *>malloc((n_rings + 1) * sizeof(int32_t))
        cdef bytes joined = b"".join([memoryview(ring).cast("B") for ring in rings])
        cdef const double *points = <const double *><char *>PyBytes_AS_STRING(joined)
        cdef int status
        if counts == NULL:
            raise MemoryError("zone index")
        for i in range(n_rings):
            counts[i] = len(rings[i]) // 2
        with nogil:
            status = zoneindex_add(self.x, points, counts, n_rings, floor_ft, ceil_ft, from_us,
                                   to_us, unchecked)
        free(counts)
        if status == 1:
            raise MemoryError("zone index")
        if status == 3:
            raise ValueError("its rings cancel each other: nothing is inside")
        if status:
            raise ValueError("the zone spans all longitudes")

    def finish(self):
        zoneindex_finish(self.x)
        self.finished = True

    @property
    def pointer(self):
        """The index itself, for other kernels; it lives as long as this object."""
        return PyCapsule_New(self.x, "adiz.zoneindex", NULL)

    @property
    def counts(self):
        """Zones, edges and boundary cells."""
        return self.x.n_zones, self.x.n_edges, self.x.n_cells

    def at(self, double lat_deg, double lon_deg):
        """Numbers of the zones whose rings hold a point."""
        cdef int32_t found[1024]
        cdef int32_t n = zones_at(self.x, lat_deg, lon_deg, found, MAX_SET)
        return sorted([found[i] for i in range(n)])

    def distance_m(self, int32_t zone, double lat_deg, double lon_deg):
        """From a point to a zone's boundary, from either side."""
        cdef double p[3]
        cdef int32_t edge = -1
        if not 0 <= zone < self.x.n_zones:
            raise IndexError(zone)
        to_ecef(lat_deg, lon_deg, p)
        return boundary_distance_m(self.x, zone, p, 0.0, &edge)

    def prism(self, int32_t zone, double lat1, double lon1, double lat2, double lon2,
              bint inside1, bint inside2, double budget_m):
        """(reachable, certain, metres to entry, metres after exit, metres outside)."""
        cdef double p1[3]
        cdef double p2[3]
        cdef Prism out
        if not 0 <= zone < self.x.n_zones:
            raise IndexError(zone)
        to_ecef(lat1, lon1, p1)
        to_ecef(lat2, lon2, p2)
        prism_query(self.x, zone, p1, p2, inside1, inside2, budget_m, &out)
        return bool(out.reachable), bool(out.certain), out.to_entry_m, out.from_exit_m, out.outside_m


include "_columns.pxi"


cdef class Fold:
    """The state of the fold over one part of the tracks."""

    cdef Stays *s
    cdef readonly Index index
    cdef readonly int part, parts

    def __cinit__(self, Index index, int64_t max_gap_us, int64_t track_end_us,
                  double max_speed_mps, int part=0, int parts=1):
        self.index = index
        self.part = part
        self.parts = parts
        self.s = stays_new(index.x, max_gap_us, track_end_us, max_speed_mps)
        if self.s == NULL:
            raise MemoryError("stays")

    def __dealloc__(self):
        stays_free(self.s)

    def step(self, time, track_id, lat, lon, alt=None, speed=None):
        """Fold in columns (polars Series of one chunk each, without nulls but in alt and speed).

        Raises:
            DisorderError: a report came before one of its track already folded in. The fold must
                then be thrown away.
        """
        cdef _Column c_time = _Column(time), c_id = _Column(track_id)
        cdef _Column c_lat = _Column(lat), c_lon = _Column(lon), c_alt, c_speed
        cdef ReportColumns in_
        cdef int64_t at = 0
        cdef int status
        memset(&in_, 0, sizeof(in_))
        in_.n = c_time.array.length
        if not in_.n:
            return
        in_.time_us = <const int64_t *>c_time.values(b"tsu:", 8)
        in_.track_id = <const StringView *>c_id.values(b"vu", 16)
        in_.track_data = <const char *const *>(c_id.array.buffers + 2)
        in_.lat = <const double *>c_lat.values(b"g", 8)
        in_.lon = <const double *>c_lon.values(b"g", 8)
        if alt is not None:
            c_alt = _Column(alt)
            in_.alt = <const double *>c_alt.values(b"g", 8)
            in_.alt_valid = c_alt.valid()
            in_.alt_valid_offset = c_alt.array.offset
        if speed is not None:
            c_speed = _Column(speed)
            in_.speed_mps = <const double *>c_speed.values(b"g", 8)
            in_.speed_valid = c_speed.valid()
            in_.speed_valid_offset = c_speed.array.offset
        for column in (c_id, c_lat, c_lon):
            if (<_Column>column).array.length != in_.n:
                raise ValueError("columns of different length")
        with nogil:
            status = stays_step(self.s, &in_, self.part, self.parts, &at)
        self._check(status, at)

    def flush(self):
        cdef int status
        with nogil:
            status = stays_flush(self.s)
        self._check(status, 0)

    cdef _check(self, int status, int64_t at):
        if status == STEP_NO_MEMORY:
            raise MemoryError("stays")
        if status == STEP_DISORDER:
            raise DisorderError(at)
        if status == STEP_CROWDED:
            raise ValueError(f"more than {MAX_SET} zones lie over one point")

    @property
    def counts(self):
        """Reports folded in, rejected for their position, repeated."""
        return self.s.n_reports, self.s.n_invalid, self.s.n_repeated

    def take(self):
        """The finished rows, as raw columns by name; they leave the fold."""
        result = _rows(self.s.out, self.s.n_out)
        self.s.n_out = 0
        return result

    def watch(self):
        """From now on tell of openings, and set reports aside that come too late."""
        self.s.live = 1

    def take_opened(self):
        """The stays that began since the last call, as rows without an end."""
        result = _rows(self.s.opened, self.s.n_opened)
        self.s.n_opened = 0
        return result

    def take_late(self):
        """Rows of the last step that came too late for their track, by number."""
        cdef int64_t i
        late = [self.s.late[i] for i in range(self.s.n_late)]
        self.s.n_late = 0
        return late

    def open_rows(self):
        """The open stays as they stand, as rows that end with their track's last report."""
        cdef Stay *rows
        cdef int64_t n
        with nogil:
            n = stays_open_rows(self.s, &rows)
        if n < 0:
            raise MemoryError("stays")
        result = _rows(rows, n)
        free(rows)
        return result

    def retire(self, int64_t before_us):
        """End tracks not heard since; take the rows, then :meth:`compact`."""
        self._check(stays_retire(self.s, before_us), 0)

    def compact(self):
        """Forget the tracks that have ended."""
        self._check(stays_compact(self.s), 0)

    def drop(self, str name):
        """Forget one track as if it had never been."""
        cdef bytes text = name.encode()
        stays_drop(self.s, text, len(text))

    def rezone(self, Index index, numbers):
        """Other zones from here on; numbers gives each present one's new number, -1 if gone."""
        cdef int32_t n = len(numbers), i
        cdef int32_t *map_ = <int32_t *>malloc((n + 1) * sizeof(int32_t))
        if map_ == NULL:
            raise MemoryError("zones")
        for i in range(n):
            map_[i] = numbers[i]
        status = stays_rezone(self.s, index.x, map_)
        free(map_)
        self.index = index
        self._check(status, 0)

    def names(self):
        """Track names by number, as a string column."""
        cdef int64_t n = self.s.names.n
        cdef int64_t *start = <int64_t *>malloc((n + 1) * 8)
        cdef char *text = <char *>malloc(self.s.names.n_text + 1)
        if start == NULL or text == NULL:
            raise MemoryError("names")
        memcpy(start, self.s.names.start, (n + 1) * 8)
        if self.s.names.n_text:
            memcpy(text, self.s.names.text, self.s.names.n_text)
        return _out("U", n, start, text)

    def save(self):
        """The state as bytes; finished rows must have been taken."""
        cdef Stays *s = self.s
        if s.n_out:
            raise ValueError("finished rows have not been taken")
        head = [s.names.n, s.names.n_text, s.n_members, s.free_members, s.n_paths, s.free_paths,
                s.n_reports, s.n_invalid, s.n_repeated, self.part, self.parts,
                sizeof(Track), sizeof(Member), sizeof(Path)]
        return b"".join([
            len(head).to_bytes(8, "little"),
            *[int(v).to_bytes(8, "little", signed=True) for v in head],
            _octets(s.names.start, (s.names.n + 1) * 8),
            _octets(s.names.text, s.names.n_text),
            _octets(s.tracks, s.names.n * sizeof(Track)),
            _octets(s.members, s.n_members * sizeof(Member)),
            _octets(s.paths, s.n_paths * sizeof(Path)),
        ])

    def restore(self, bytes state):
        """Take up a saved state, in a fold that is still empty."""
        cdef Stays *s = self.s
        cdef int64_t at = 8 + 8 * int.from_bytes(state[:8], "little")
        head = [int.from_bytes(state[i:i + 8], "little", signed=True) for i in range(8, at, 8)]
        (n_names, n_text, n_members, free_members, n_paths, free_paths, n_reports, n_invalid,
         n_repeated, part, parts, track_size, member_size, path_size) = head
        sizes = [(n_names + 1) * 8, n_text, n_names * track_size, n_members * member_size,
                 n_paths * path_size]
        if (track_size, member_size, path_size) != (sizeof(Track), sizeof(Member), sizeof(Path)) \
                or min(sizes) < 0 or len(state) != at + sum(sizes) or s.names.n:
            raise ValueError("the saved state does not fit this version")
        self.part, self.parts = part, parts
        cdef list blocks = []
        for size in sizes:
            blocks.append(state[at:at + size])
            at += size
        free(s.names.start)
        s.names.start = <int64_t *>_block(blocks[0])
        s.names.text = <char *>_block(blocks[1])
        s.names.n = s.names.cap = n_names
        s.names.n_text = s.names.cap_text = n_text
        s.tracks = <Track *>_block(blocks[2])
        s.cap_tracks = n_names
        s.members = <Member *>_block(blocks[3])
        s.n_members = s.cap_members = n_members
        s.paths = <Path *>_block(blocks[4])
        s.n_paths = s.cap_paths = n_paths
        s.free_members, s.free_paths = free_members, free_paths
        s.n_reports, s.n_invalid, s.n_repeated = n_reports, n_invalid, n_repeated
        if names_rehash(&s.names):
            raise MemoryError("names")
