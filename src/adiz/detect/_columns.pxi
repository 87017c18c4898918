# Columns of tables into the stays kernel and out of it, by the Arrow C data interface.

cdef class _Column:
    """One column taken in: a single chunk, kept alive while in use."""

    cdef ArrowArray array
    cdef bytes format

    def __cinit__(self, series):
        cdef ArrowArrayStream *stream
        cdef ArrowSchema schema
        cdef ArrowArray rest
        capsule = series.__arrow_c_stream__()
        stream = <ArrowArrayStream *>PyCapsule_GetPointer(capsule, "arrow_array_stream")
        memset(&self.array, 0, sizeof(ArrowArray))
        memset(&schema, 0, sizeof(ArrowSchema))
        memset(&rest, 0, sizeof(ArrowArray))
        if stream.get_schema(stream, &schema) or stream.get_next(stream, &self.array):
            raise ValueError("the Arrow stream of a column failed")
        self.format = schema.format
        if schema.release != NULL:
            schema.release(&schema)
        if self.array.release != NULL:
            if stream.get_next(stream, &rest):
                raise ValueError("the Arrow stream of a column failed")
            if rest.release != NULL:
                rest.release(&rest)
                raise ValueError("a column has several chunks")

    def __dealloc__(self):
        if self.array.release != NULL:
            self.array.release(&self.array)

    cdef const void *values(self, bytes format, size_t width) except? NULL:
        if not self.format.startswith(format):
            raise TypeError(f"column is {self.format!r}, not {format!r}")
        if self.array.length == 0:
            return NULL
        return <const char *>self.array.buffers[1] + self.array.offset * width

    cdef const uint8_t *valid(self) noexcept:
        if self.array.length == 0 or self.array.null_count == 0:
            return NULL
        return <const uint8_t *>self.array.buffers[0]


cdef void _free_schema(object capsule) noexcept:
    cdef ArrowSchema *schema = <ArrowSchema *>PyCapsule_GetPointer(capsule, "arrow_schema")
    if schema.release != NULL:
        schema.release(schema)
    free(schema)


cdef void _free_array(object capsule) noexcept:
    cdef ArrowArray *array = <ArrowArray *>PyCapsule_GetPointer(capsule, "arrow_array")
    if array.release != NULL:
        array.release(array)
    free(array)


cdef class Out:
    """A column handed out, once, to whoever speaks the Arrow PyCapsule interface."""

    cdef object schema, array

    def __arrow_c_array__(self, requested_schema=None):
        return self.schema, self.array


cdef Out _out(const char *format, int64_t n, void *first, void *second):
    cdef ArrowSchema *schema = <ArrowSchema *>malloc(sizeof(ArrowSchema))
    cdef ArrowArray *array = <ArrowArray *>malloc(sizeof(ArrowArray))
    cdef Out out = Out()
    if schema == NULL or array == NULL or adiz_column_out(schema, array, format, n, first, second):
        raise MemoryError("result column")
    out.schema = PyCapsule_New(schema, "arrow_schema", _free_schema)
    out.array = PyCapsule_New(array, "arrow_array", _free_array)
    return out


cdef dict _rows(const Stay *rows, int64_t n):
    """Rows as raw columns by name."""
    cdef int64_t i
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
