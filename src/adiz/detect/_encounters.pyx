# distutils: language = c
"""The compiled sweep behind :mod:`adiz.detect.encounters`, which documents it.

Reads reports column by column through the Arrow C stream interface, as they lie in memory, so that
neither numpy nor pyarrow is imported and nothing is copied.
"""

import struct
import zlib
from collections import deque
from itertools import islice

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.math cimport atan2, isnan, sqrt
from libc.stdint cimport INT64_MAX, int64_t, uint8_t, uint32_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset

include "_saved.pxi"
COLUMNS = ("time", "track_id", "lat_deg", "lon_deg", "alt_baro_ft", "alt_geom_ft", "on_ground",
           "icao24", "source")
FORMATS = (b"tsu:UTC", b"vu", b"g", b"g", b"g", b"g", b"b", b"vu", b"vu")

CHUNK_ROWS = 65_536  # small enough to stay in a processor's cache
cdef enum:
    FORGET_CHUNKS = 4  # after so many, and at the end of a step, what is dealt with is let go


cdef class _Reports:
    """The rows of some columns, all held until this is let go, cut into chunks.

    A column of one row, where the first has more, has the same value in all of them.
    """

    cdef ArrowArray *arrays  # one column's after another's
    cdef Column *columns
    cdef Rows *parts
    cdef Py_ssize_t n_arrays, n_parts
    cdef list places, ends  # of a column: its place in COLUMNS, the end of its arrays
    cdef list chunks  # first part, parts, earliest time

    def __cinit__(self, list columns):
        self.places, self.ends, self.chunks = [], [], []
        for series in columns:
            self._take(COLUMNS.index(series.name), series.__arrow_c_stream__())
        self._cut(len(columns[0]), [len(series) == 1 for series in columns])

    def __dealloc__(self):
        for i in range(self.n_arrays):
            self.arrays[i].release(&self.arrays[i])
        free(self.arrays)
        free(self.columns)
        free(self.parts)

    cdef _take(self, Py_ssize_t place, object capsule):
        """Take all arrays of a column."""
        cdef ArrowArrayStream *stream = <ArrowArrayStream *>PyCapsule_GetPointer(
            capsule, "arrow_array_stream")
        cdef ArrowSchema schema
        cdef ArrowArray array
        cdef ArrowArray *more
        if stream.get_schema(stream, &schema):
            raise ValueError("a column has no schema")
        cdef bytes found = schema.format
        schema.release(&schema)
        if found != FORMATS[place]:
            raise ValueError(f"{COLUMNS[place]} is {found}, not {FORMATS[place]}")
        while True:
            if stream.get_next(stream, &array):
                raise ValueError(stream.get_last_error(stream).decode())
            if array.release == NULL:
                break
            more = <ArrowArray *>realloc(self.arrays, (self.n_arrays + 1) * sizeof(ArrowArray))
            if more == NULL:
                array.release(&array)
                raise MemoryError
            self.arrays = more
            self.arrays[self.n_arrays] = array
            self.n_arrays += 1
        self.places.append(place)
        self.ends.append(self.n_arrays)

    cdef _cut(self, int64_t left, list same):
        """Cut the rows into chunks, and these where an array of any column ends."""
        cdef Py_ssize_t i, n = self.n_arrays + left // CHUNK_ROWS + 2
        cdef Py_ssize_t at[ROWS_COLUMNS]
        cdef int64_t past[ROWS_COLUMNS]  # rows of that array that are dealt with
        cdef int64_t rows = 0, take, least = INT64_MAX, seen
        cdef ArrowArray *array
        cdef Column *c
        cdef Py_ssize_t begun = 0
        cdef int64_t rows_in_all = left
        self.columns = <Column *>malloc(n * ROWS_COLUMNS * sizeof(Column))
        self.parts = <Rows *>malloc(n * sizeof(Rows))
        if self.columns == NULL or self.parts == NULL:
            raise MemoryError
        for i in range(len(self.places)):
            at[i] = self.ends[i - 1] if i else 0
            past[i] = 0
        while left:
            part = &self.parts[self.n_parts]
            c = &self.columns[self.n_parts * ROWS_COLUMNS]
            part.columns = c
            self.n_parts += 1
            for i in range(ROWS_COLUMNS):
                memset(&c[i], 0, sizeof(Column))
                c[i].absent = 1
            take = min(CHUNK_ROWS - rows, left)
            for i, place in enumerate(self.places):
                while past[i] == self.arrays[at[i]].length:
                    at[i] += 1
                    past[i] = 0
                    if at[i] == self.ends[i]:
                        raise ValueError("columns are of different length")
                array = &self.arrays[at[i]]
                _column_of(&c[<Py_ssize_t>place], array, past[i])
                if same[i] and rows_in_all > 1:
                    c[<Py_ssize_t>place].same = 1
                else:
                    take = min(take, array.length - past[i])
            part.first, part.n = 0, take
            for i in range(len(self.places)):
                past[i] += 0 if same[i] else take
            with nogil:
                seen = rows_least_time(part)
            least = min(least, seen)
            rows += take
            left -= take
            if rows == CHUNK_ROWS or not left:
                self.chunks.append((begun, self.n_parts - begun, least))
                begun, rows, least = self.n_parts, 0, INT64_MAX


cdef void _column_of(Column *c, ArrowArray *array, int64_t past) noexcept:
    """The rows of an array from .past on."""
    c.buffers = array.buffers
    c.valid = NULL
    if array.null_count:
        c.valid = <const uint8_t *>array.buffers[0]
    c.data = array.buffers[1]
    c.offset = array.offset + past
    c.absent = array.null_count == array.length
    c.same = 0


cdef class _Filled:
    """Room for the reports of one chunk, used again and again."""

    cdef Chunk chunk
    cdef Settings settings

    def __cinit__(self, Sweep sweep):
        memset(&self.chunk, 0, sizeof(Chunk))
        self.settings = sweep.f.set

    def __dealloc__(self):
        chunk_free(&self.chunk)

    def fill(self, _Reports reports, Py_ssize_t first, uint32_t parts):
        """Make reports of some parts; may run beside the sweep."""
        with nogil:
            chunk_fill(&self.chunk, &self.settings, reports.parts + first, parts)
        return self


cdef class Prepared:
    """Rows on their way into the fold."""

    cdef _Reports reports
    cdef list later  # of a chunk, the last one first: the earliest time that follows it
    cdef object todo, jobs

    def __cinit__(self, list columns):
        self.reports = _Reports(columns)
        # After a chunk time may move on if nothing that follows would then come too late.
        self.later = [INT64_MAX]
        for chunk in reversed(self.reports.chunks[1:]):
            self.later.append(min(self.later[-1], chunk[2]))
        self.todo, self.jobs = iter(self.reports.chunks), deque()


cdef class Sweep:
    """A fold over rows given as an Arrow stream; events come out as tuples."""

    cdef Fold *f
    cdef object _room  # not in use, a deque
    cdef list _parts_us  # of the parts saved and still needed: the latest time of each
    cdef uint32_t _held  # chunks taken
    cdef int64_t _latest  # time of the reports taken, which may be ahead of the watermark

    def __cinit__(self, int64_t max_gap_us, int64_t for_us, int64_t lateness_us, int64_t step_us,
                  double within_m, double within_ft, double max_speed_mps):
        cdef Settings s
        s.max_gap_us, s.for_us, s.lateness_us, s.step_us = max_gap_us, for_us, lateness_us, step_us
        s.within_m, s.within_ft, s.max_speed_mps = within_m, within_ft, max_speed_mps
        self._room, self._parts_us = deque(), []
        self.f = fold_new(&s)
        if self.f == NULL:
            raise MemoryError

    def __dealloc__(self):
        fold_free(self.f)

    def prepare(self, list columns, object pool=None, int ahead=1):
        """Rows for step(), which may be made ready while it is at work on others.

        Columns are series named as in COLUMNS; one that is missing has no values. With a pool (an
        executor of threads) up to `ahead` of their chunks are made into reports before they are
        needed.
        """
        cdef Prepared given = Prepared(columns)
        if pool is not None and len(given.reports.chunks) > 1:
            for _ in range(ahead):
                self._begin(given, pool)
        return given

    cdef _begin(self, Prepared given, object pool):
        """Have a thread make reports of the next chunk, if there is one."""
        for chunk in islice(given.todo, 1):
            room = self._take_room()
            first, parts, _ = chunk
            job = pool.submit((<_Filled>room).fill, given.reports, first, parts)
            given.jobs.append((job, room, first, parts))

    cdef _take_room(self):
        try:
            return self._room.pop()
        except IndexError:
            return _Filled(self)

    def step(self, Prepared given, object pool=None):
        """Take rows, move on, return finished encounters."""
        self._latest = self.f.watermark
        try:
            while given.jobs:
                job, room, first, parts = given.jobs.popleft()
                if not job.done() and job.cancel():  # sooner done here than waited for
                    room.fill(given.reports, first, parts)
                else:
                    job.result()
                self._take_chunk(room, given.later.pop())
                self._begin(given, pool)
        finally:
            for job, *_ in given.jobs:
                job.cancel() or job.exception()
        for first, parts, _ in given.todo:
            self._take_chunk(self._take_room().fill(given.reports, first, parts), given.later.pop())
        with nogil:
            fold_advance(self.f, self._latest, 0)
            fold_forget(self.f)
        return self._take()

    cdef _take_chunk(self, _Filled filled, int64_t least_later):
        cdef Fold *f = self.f
        cdef Chunk *chunk = &filled.chunk
        self._latest = max(self._latest, chunk.latest)
        cdef int64_t latest = self._latest
        with nogil:
            fold_take(f, chunk)
            if latest != NO_TIME and least_later >= latest - f.set.lateness_us:
                fold_advance(f, latest, 0)
                self._held += 1
                if self._held % FORGET_CHUNKS == 0:
                    fold_forget(f)
        self._room.append(filled)

    def flush(self):
        """Finish everything."""
        with nogil:
            fold_advance(self.f, NO_TIME, 1)
            fold_forget(self.f)
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
        fold_taken(self.f)
        return rows

    @property
    def counts(self):
        """Reports and legs that could not be used, by reason."""
        c = self.f.counts
        return {"late": c.late, "same_time": c.same_time, "too_fast": c.too_fast,
                "unusable": c.unusable}

    @property
    def swept_us(self):
        """An encounter still to come that is not open began no earlier; None before any report."""
        return None if self.f.swept == NO_TIME else self.f.swept

    def open_pairs(self):
        """Track, other track and beginning (us) of each encounter that has not ended."""
        cdef uint32_t i
        return [(name_of(self.f, self.f.pairs[i].a), name_of(self.f, self.f.pairs[i].b),
                 self.f.pairs[i].start) for i in range(self.f.n_pairs)]

    @property
    def held(self):
        """How many reports and open encounters the fold holds."""
        cdef uint32_t i, n = 0
        for i in range(self.f.n_tracks):
            n += self.f.tracks[i].n
        return n, self.f.n_pairs

    def save(self):
        """The whole state as bytes."""
        return _saved(self.f, None)

    def parts_needed(self):
        """How many of the last parts saved hold what the fold still does."""
        cdef int64_t since_us = held_since(self.f)
        while self._parts_us and self._parts_us[0] < since_us:
            del self._parts_us[0]
        return len(self._parts_us)

    def save_part(self):
        """The state without its reports, and a part: the reports that no part holds yet."""
        part = _part(self.f)  # first, for it puts the tracks in order
        return _saved(self.f, [*self._parts_us, self.f.watermark]), part

    def mark_saved(self, bint is_saved):
        """All that the fold holds is in the parts, with one more; or nothing of it is."""
        _mark_saved(self.f, is_saved)
        self._parts_us = [*self._parts_us, self.f.watermark] if is_saved else []

    @staticmethod
    def restore(bytes state not None, object parts=()):
        """The fold that was saved. Raises ValueError where the bytes are not one."""
        cdef Settings s = _settings(state)
        cdef Sweep self = Sweep(s.max_gap_us, s.for_us, s.lateness_us, s.step_us, s.within_m,
                                s.within_ft, s.max_speed_mps)
        self._parts_us = _restore(self.f, state, list(parts))
        return self


cdef str name_of(Fold *f, uint32_t slot):
    return f.tracks[slot].name.text[:f.tracks[slot].name.len].decode("utf-8", "replace")


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
