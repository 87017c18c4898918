# Columns in and out by the Arrow C data interface, and saved blocks: what kernels share.

from cpython.buffer cimport PyBUF_READ
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.memoryview cimport PyMemoryView_FromMemory
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

cdef extern from "arrow.h":
    struct ArrowSchema:
        const char *format
        void (*release)(ArrowSchema *) noexcept nogil
    struct ArrowArray:
        int64_t length
        int64_t null_count
        int64_t offset
        int64_t n_buffers
        const void **buffers
        void (*release)(ArrowArray *) noexcept nogil
    struct ArrowArrayStream:
        int (*get_schema)(ArrowArrayStream *, ArrowSchema *) noexcept nogil
        int (*get_next)(ArrowArrayStream *, ArrowArray *) noexcept nogil
    int adiz_column_out(ArrowSchema *, ArrowArray *, const char *, int64_t, void *, void *) nogil


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


cdef object _octets(const void *data, int64_t n):
    """Memory to be joined at once, while what owns it does not change: it is not copied."""
    return PyMemoryView_FromMemory(<char *>data, n, PyBUF_READ) if n else b""


cdef void *_block(bytes data) except NULL:
    cdef void *p = malloc(len(data) + 8)
    if p == NULL:
        raise MemoryError("saved state")
    memcpy(p, PyBytes_AS_STRING(data), len(data))
    return p
