# What the kernel of encounters.h looks like from Cython.

from libc.stdint cimport int64_t, uint8_t, uint32_t

cdef extern from "arrow.h":
    struct ArrowSchema:
        const char *format
        void (*release)(ArrowSchema *)
    struct ArrowArray:
        int64_t length, null_count, offset
        const void **buffers
        void (*release)(ArrowArray *)
    struct ArrowArrayStream:
        int (*get_schema)(ArrowArrayStream *, ArrowSchema *)
        int (*get_next)(ArrowArrayStream *, ArrowArray *)
        const char *(*get_last_error)(ArrowArrayStream *)

cdef extern from "geodesic.h":
    double DEG, WGS84_E2

cdef extern from "encounters.h":
    int64_t NO_TIME
    enum: ROWS_COLUMNS
    ctypedef struct Point:
        int64_t t
    ctypedef struct Name:
        const char *text
        uint32_t len
    ctypedef struct Track:
        Point **points
        uint32_t n, first, saved
        Name name
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
    ctypedef struct Column:
        const uint8_t *valid
        const void **buffers
        const void *data
        int64_t offset
        int absent, same
    ctypedef struct Rows:
        const Column *columns
        int64_t first, n
    ctypedef struct Chunk:
        int64_t latest
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
    void name_set(Name *, const char *, uint32_t) nogil
    uint32_t fold_track(Fold *, const Name *) nogil
    uint32_t fold_source(Fold *, const char *, uint32_t) nogil
    int64_t rows_least_time(const Rows *) nogil
    void chunk_fill(Chunk *, const Settings *, const Rows *, uint32_t) nogil
    void chunk_free(Chunk *) nogil
    void fold_take(Fold *, Chunk *) nogil
    void fold_advance(Fold *, int64_t, int) nogil
    void fold_taken(Fold *) nogil
    void fold_forget(Fold *) nogil
    int64_t held_since(const Fold *) nogil
    void track_settle(Fold *, Track *) nogil
    int fold_points(Fold *, uint32_t, const void *, uint32_t) nogil
    void boxes_reset(Fold *) nogil
    void fold_put_pair(Fold *, const Pair *) nogil
    void pair_sum_up(Pair *) nogil
    double geodesic_from_chord(double) nogil
