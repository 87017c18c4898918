# Saved states of encounters. What is large in them, the reports, is copied as few times as can be.
#
# Whole: settings, tracks with their reports, pairs, sources. In parts: the same without the
# reports, which are in parts beside it. Each part holds what is new of a track since the part
# before: from which time on that replaces what parts before told, and reports in order of time. A
# part that holds nothing any more that the fold still does is needed no more.

cdef str HEAD = "<8s2I3I2q4q"
cdef str TRACK = "<IIIB"
cdef bytes WHOLE = b"adizenc3"
cdef bytes IN_PARTS = b"adizenc4"

cdef struct Gathered:  # reports of a track from several parts
    char *points
    uint32_t n, cap, wanted
    int64_t first_t, last_t

cdef struct Entry:  # before a track's name and its reports in a part
    uint32_t name_len, n
    int64_t since  # what there is from then on is replaced


cdef bytes _points_of(Track *t):
    """The reports of a track, one after the other."""
    cdef bytes points = PyBytes_FromStringAndSize(NULL, t.n * sizeof(Point))
    _copy_points(t, 0, PyBytes_AS_STRING(points))
    return points


cdef void _copy_points(Track *t, uint32_t first, char *into) noexcept nogil:
    cdef uint32_t k
    for k in range(first, t.n):
        memcpy(into, t.points[k], sizeof(Point))
        into += sizeof(Point)


cdef bytes _summed(list parts):
    """Parts as one, with their checksum at the end."""
    cdef uint32_t crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return b"".join([*parts, struct.pack("<I", crc)])


cdef bytes _saved(Fold *f, list parts_us):
    """The state; with a list of the latest times of its parts without the reports."""
    cdef uint32_t i, n = 0
    cdef Track *t
    cdef Pair pair
    kept = []
    place = {}
    for i in range(f.n_tracks):
        t = &f.tracks[i]
        if not t.used:
            continue
        place[i] = n
        n += 1
        kept.append(struct.pack(TRACK, t.name.len, t.n, t.first, t.dirty))
        kept.append(t.name.text[:t.name.len])
        if parts_us is None:
            kept.append(_points_of(t))
        elif t.n:
            kept.append(struct.pack("<qq", t.points[0].t, t.points[t.n - 1].t))
    for i in range(f.n_pairs):
        pair = f.pairs[i]
        pair.a, pair.b = place[pair.a], place[pair.b]
        kept.append(PyBytes_FromStringAndSize(<char *>&pair, sizeof(Pair)))
    for i in range(f.n_sources):
        kept.append(struct.pack("<I", len(f.sources[i])))
        kept.append(<bytes>f.sources[i])
    if parts_us is not None:
        kept.append(struct.pack(f"<I{len(parts_us)}q", len(parts_us), *parts_us))
    head = struct.pack(HEAD, WHOLE if parts_us is None else IN_PARTS, sizeof(Point), sizeof(Pair),
                       n, f.n_pairs, f.n_sources, f.watermark, f.swept, f.counts.late,
                       f.counts.same_time, f.counts.too_fast, f.counts.unusable)
    kept[:0] = [head, PyBytes_FromStringAndSize(<char *>&f.set, sizeof(Settings))]
    return _summed(kept)


cdef bytes _part(Fold *f):
    """The reports that no part holds yet."""
    cdef uint32_t i
    cdef size_t size = 0
    cdef Track *t
    cdef Entry entry
    for i in range(f.n_tracks):
        t = &f.tracks[i]
        if t.used:
            track_settle(f, t)
            if t.saved < t.n:
                size += sizeof(Entry) + t.name.len + (t.n - t.saved) * sizeof(Point)
    cdef bytes part = PyBytes_FromStringAndSize(NULL, size)
    cdef char *into = PyBytes_AS_STRING(part)
    for i in range(f.n_tracks):
        t = &f.tracks[i]
        if not t.used or t.saved >= t.n:
            continue
        entry.name_len, entry.n = t.name.len, t.n - t.saved
        entry.since = t.points[t.saved].t if t.saved else NO_TIME
        memcpy(into, &entry, sizeof(Entry))
        into += sizeof(Entry)
        memcpy(into, t.name.text, t.name.len)
        into += t.name.len
        _copy_points(t, t.saved, into)
        into += entry.n * sizeof(Point)
    return part


cdef void _mark_saved(Fold *f, bint is_saved) noexcept nogil:
    cdef uint32_t i
    for i in range(f.n_tracks):
        f.tracks[i].saved = f.tracks[i].n if is_saved else 0


cdef _gather(dict slots, Gathered *gathered, bytes part):
    """Put the reports of a part behind, and in place of, those of the parts before."""
    cdef const char *raw = part
    cdef size_t at = 0, size = len(part)
    cdef Entry entry
    cdef Gathered *g
    cdef char *more
    while at < size:
        if size - at < sizeof(Entry):
            raise ValueError("a part of the saved state is damaged")
        memcpy(&entry, raw + at, sizeof(Entry))
        at += sizeof(Entry)
        if size - at < entry.name_len + <size_t>entry.n * sizeof(Point):
            raise ValueError("a part of the saved state is damaged")
        place = slots.get(part[at:at + entry.name_len])
        at += entry.name_len
        if place is not None:
            g = &gathered[<Py_ssize_t>place]
            while g.n and (<Point *>(g.points + (g.n - 1) * sizeof(Point))).t >= entry.since:
                g.n -= 1
            if g.n + entry.n > g.cap:
                more = <char *>realloc(g.points, (2 * g.n + entry.n) * sizeof(Point))
                if more == NULL:
                    raise MemoryError
                g.points, g.cap = more, 2 * g.n + entry.n
            memcpy(g.points + g.n * sizeof(Point), raw + at, entry.n * sizeof(Point))
            g.n += entry.n
        at += <size_t>entry.n * sizeof(Point)


cdef _put_gathered(Fold *f, uint32_t slot, Gathered *g):
    """Give a track the last of what was gathered, which is what it held."""
    cdef const char *points = g.points + (<int64_t>g.n - g.wanted) * <int64_t>sizeof(Point)
    if g.n < g.wanted or (g.wanted and (
            (<Point *>points).t != g.first_t
            or (<Point *>(points + (g.wanted - 1) * sizeof(Point))).t != g.last_t)):
        raise ValueError("the parts of the saved state do not belong to it")
    if not fold_points(f, slot, points, g.wanted):
        raise MemoryError
    free(g.points)
    g.points = NULL


cdef class _Body:
    """A saved state that is read from its beginning."""

    cdef bytes octets
    cdef Py_ssize_t at

    def __init__(self, bytes octets):
        self.octets = octets

    cdef tuple take(self, str form):
        found = struct.unpack_from(form, self.octets, self.at)
        self.at += struct.calcsize(form)
        return found

    cdef const char *skip(self, Py_ssize_t size) except NULL:
        """What is here and goes on for so many octets."""
        cdef const char *here = self.octets
        if size > len(self.octets) - self.at:
            raise ValueError("the saved state is damaged")
        here += self.at
        self.at += size
        return here


cdef _restore_tracks(Fold *f, _Body body, uint32_t tracks, parts):
    """Tracks and their reports, these out of the parts unless they are None."""
    cdef uint32_t slot, n, i
    cdef Name name
    cdef Gathered *gathered = <Gathered *>calloc(tracks + 1, sizeof(Gathered))
    slots = {}
    firsts = []
    if gathered == NULL:
        raise MemoryError
    try:
        for i in range(tracks):
            name_len, n, first, dirty = body.take(TRACK)
            name_set(&name, body.skip(name_len), name_len)
            slot = fold_track(f, &name)
            if f.failed:
                raise MemoryError
            if parts is None:
                if not fold_points(f, slot, body.skip(n * sizeof(Point)), n):
                    raise MemoryError
                f.tracks[slot].first, f.tracks[slot].dirty = first, dirty
                continue
            gathered[i].wanted = n
            if n:
                gathered[i].first_t, gathered[i].last_t = body.take("<qq")
            slots[body.octets[body.at - (16 if n else 0) - name_len:
                              body.at - (16 if n else 0)]] = i
            firsts.append((slot, first))
        for part in parts or ():
            _gather(slots, gathered, part)
        for i, (slot, first) in enumerate(firsts):
            _put_gathered(f, slot, &gathered[i])
            f.tracks[slot].first = first
    finally:
        for i in range(tracks):
            free(gathered[i].points)
        free(gathered)


cdef list _restore(Fold *f, bytes state, list parts):
    """Fill a new fold; the latest times of the parts, none where the state is whole."""
    cdef _Body body = _Body(state[:-4])
    cdef Pair one
    magic, point, pair_size, tracks, pairs, sources, watermark, swept, late, same, fast, bad = (
        body.take(HEAD))
    if point != sizeof(Point) or pair_size != sizeof(Pair):
        raise ValueError("saved by another version of adiz")
    body.skip(sizeof(Settings))
    _restore_tracks(f, body, tracks, parts if magic == IN_PARTS else None)
    for _ in range(pairs):
        memcpy(&one, body.skip(sizeof(Pair)), sizeof(Pair))
        fold_put_pair(f, &one)
    for _ in range(sources):
        (n,) = body.take("<I")
        fold_source(f, body.skip(n), n)
    if f.failed:
        raise MemoryError
    parts_us = []
    if magic == IN_PARTS:
        (n,) = body.take("<I")
        parts_us = list(body.take(f"<{n}q"))
        if len(parts_us) != len(parts):
            raise ValueError(f"the saved state has {len(parts_us)} parts, not {len(parts)}")
        _mark_saved(f, True)
    f.watermark, f.swept = watermark, swept
    boxes_reset(f)
    f.counts.late, f.counts.same_time = late, same
    f.counts.too_fast, f.counts.unusable = fast, bad
    return parts_us


cdef Settings _settings(bytes state) except *:
    """The settings in a saved state that is one."""
    cdef Settings s
    cdef const char *raw = state
    cdef Py_ssize_t fixed = struct.calcsize(HEAD)
    if len(state) < fixed + <Py_ssize_t>sizeof(Settings) + 4 or state[:8] not in (WHOLE, IN_PARTS):
        raise ValueError("not the saved state of an encounters fold")
    if zlib.crc32(memoryview(state)[:-4]).to_bytes(4, "little") != state[-4:]:
        raise ValueError("the saved state is damaged")
    memcpy(&s, raw + fixed, sizeof(Settings))
    return s
