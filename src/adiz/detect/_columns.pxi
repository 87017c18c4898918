# Columns of stays out of the kernel.

cdef dict _rows(const Stay *rows, int64_t n):
    """Rows as raw columns by name; nothing at all where there are none."""
    cdef int64_t i
    if not n:
        return {}
    cdef int64_t *longs[5]
    cdef double *doubles[6]
    cdef int32_t *ints[2]
    cdef uint8_t *bytes_[4]
    cdef int k
    for k in range(5):
        longs[k] = <int64_t *>malloc(n * 8 + 8)
    for k in range(6):
        doubles[k] = <double *>malloc(n * 8 + 8)
    for k in range(2):
        ints[k] = <int32_t *>malloc(n * 4 + 4)
    for k in range(4):
        bytes_[k] = <uint8_t *>malloc(n + 1)
    if not (longs[4] and doubles[5] and ints[1] and bytes_[3]):
        raise MemoryError("result")
    with nogil:
        for i in range(n):
            longs[0][i] = rows[i].entry_us
            longs[1][i] = rows[i].exit_us
            longs[2][i] = rows[i].earliest_us
            longs[3][i] = rows[i].latest_us
            longs[4][i] = rows[i].report_count
            doubles[0][i] = rows[i].entry_lat
            doubles[1][i] = rows[i].entry_lon
            doubles[2][i] = rows[i].exit_lat
            doubles[3][i] = rows[i].exit_lon
            doubles[4][i] = rows[i].depth_m
            doubles[5][i] = rows[i].longest_s
            ints[0][i] = rows[i].track
            ints[1][i] = rows[i].zone
            bytes_[0][i] = rows[i].entry_kind
            bytes_[1][i] = rows[i].exit_kind
            bytes_[2][i] = rows[i].certainty
            bytes_[3][i] = rows[i].vertical
    result = {}
    for k, name in enumerate(("entry_time", "exit_time", "earliest_entry", "latest_exit",
                              "report_count")):
        result[name] = _out("l", n, longs[k], NULL)
    for k, name in enumerate(("entry_lat_deg", "entry_lon_deg", "exit_lat_deg", "exit_lon_deg",
                              "max_depth_m", "longest_inside_s")):
        result[name] = _out("g", n, doubles[k], NULL)
    for k, name in enumerate(("track", "zone")):
        result[name] = _out("i", n, ints[k], NULL)
    for k, name in enumerate(("entry_kind", "exit_kind", "certainty", "vertical")):
        result[name] = _out("C", n, bytes_[k], NULL)
    return result
