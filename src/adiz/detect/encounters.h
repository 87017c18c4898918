/* Encounters of moving points: reports in, encounters out, in one sweep over time.
 * encounters_rows.c turns rows into reports by track, encounters_tracks.c keeps the tracks,
 * encounters.c finds who is near whom, encounters_leg.c does the geometry of two legs,
 * encounters_pair.c keeps the running figures of open encounters. */
#ifndef ADIZ_ENCOUNTERS_H
#define ADIZ_ENCOUNTERS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define NO_TIME INT64_MIN
#define WINDOW_US 60000000 /* speeds and headings are compared over displacements of a minute */

enum {
    POINT_ADDRESS = 0xffffff,
    POINT_HAS_ADDRESS = 1 << 24,
    POINT_GROUND = 1 << 25,
    POINT_LEG = 1 << 26,     /* a leg leads here from the report before */
    POINT_TOO_FAST = 1 << 27, /* none does, for it could not be flown */
    POINT_LONG = 1 << 28     /* that leg is long enough to bulge */
};

/* One report. Plain data: saved and restored as it is. */
typedef struct {
    int64_t t;       /* microseconds */
    double p[3];     /* on the ellipsoid, earth-centred, metres */
    float baro, geom; /* feet, NaN where unknown */
    uint32_t source; /* index of its text */
    uint32_t flags;
} Point;

/* A name: its length and first 12 bytes, zero padded (all of a short one), and the whole. */
typedef struct {
    uint64_t head[2];
    const char *text;
    uint32_t len, hash;
} Name;

typedef struct {
    Point **points; /* in the middle of .room, the start of which is given up as time goes on */
    Point **room;
    uint32_t n, cap, left; /* .left: for how many more there is room after the last */
    uint32_t first;     /* start of the first leg that is not yet swept, or of one before it */
    uint32_t boxed;     /* start of the first leg that is not yet in boxes */
    int64_t box_end;    /* end of the step of its last box, NO_TIME without one */
    uint32_t box_step, box_at; /* where that is: which of the fold's steps, which of its boxes */
    uint32_t open;      /* encounters it takes part in, open or not yet taken by the caller */
    uint32_t saved;     /* of the first so many there is a saved copy that is up to date */
    int64_t dirty_from; /* earliest of the times that came out of order */
    uint8_t joined;     /* its last box holds where the next leg starts */
    uint8_t dirty;      /* not in order of time */
    uint8_t fast;       /* had a leg too fast to be flown */
    uint8_t used;
    Name name;          /* owns its text */
} Track;

/* What a track flies in a step: earth-centred coordinates, then feet. */
typedef struct {
    float lo[4], hi[4];
    float bulge_m;
    uint32_t track;
    uint16_t cell[3]; /* the least cube that it reaches into */
} Box;

typedef struct {
    Box *boxes;
    uint32_t n, cap;
} Step;

/* Reports of one chunk, those of a track together; the tracks point to them. */
typedef struct {
    Point *points;
    uint32_t cap;
    int64_t latest;
} Segment;

#define STEPS 64 /* that may have boxes at a time; a power of two */
#define SPARES 4 /* about as many segments are let go at a time */

/* Sums over the minutes of an encounter; see encounters_pair.c. */
typedef struct {
    double speed_s, heading_s, heading_w, lateral_s, lateral2_s, trail_s, vertical_s, vertical_w;
    double path_m, weight_s, turned, turned_s;
} Sums;

typedef struct {
    uint32_t a, b; /* slots of tracks; the name of a sorts first */
    int64_t start, last, min_time;
    double min_q;        /* least squared chord, m2 */
    double min_vertical; /* feet, NaN while unknown */
    int64_t known_us, unknown_us;
    uint32_t source_a, source_b;
    uint8_t appeared, vanished;
    int64_t window;      /* start of the minute under way */
    double wa[3], wb[3]; /* where the two were then */
    double la[3], lb[3]; /* where they are at .last */
    double start_mid[3]; /* midpoint at the start */
    double start_alt, last_alt; /* mean altitude of the two, NaN where unknown */
    double last_dz;
    double course[3];    /* mean velocity over the last whole minute */
    Sums sums;
} Pair;

typedef struct {
    int64_t max_gap_us, for_us, lateness_us, step_us;
    double within_m, within_ft, max_speed_mps;
} Settings;

typedef struct {
    uint32_t *slot; /* index + 1, 0 for empty */
    uint32_t size, n;
} Table;

typedef struct {
    int64_t late, same_time, too_fast, unusable;
} Counts;

typedef struct {
    Settings set;
    double limit_q; /* squared chord of within_m */
    Track *tracks;
    uint32_t n_tracks, cap_tracks;
    uint32_t *free_tracks;
    uint32_t n_free, cap_free;
    Table names;
    Pair *pairs;
    uint32_t n_pairs, cap_pairs;
    Table pair_table;
    Pair *done; /* finished encounters, taken by the caller */
    uint32_t n_done, cap_done;
    char **sources;
    uint32_t n_sources, cap_sources;
    int64_t watermark, swept; /* latest time seen; all before .swept is dealt with */
    Step steps[STEPS];        /* boxes of the steps from .base on, each at its number modulo STEPS */
    Segment *segments;        /* from .first_segment on */
    uint32_t first_segment, n_segments, cap_segments;
    Segment spare[SPARES];    /* old ones, for the next that are needed */
    uint32_t n_spare;
    int64_t base;             /* NO_TIME while there are no boxes at all */
    uint64_t n_boxes;
    Counts counts;
    int trim;   /* there may be something to let go */
    int failed; /* out of memory */
} Fold;

/* A leg leads to v from the report before it in its track. */
static inline int leg_valid(const Point *v) { return (v->flags & POINT_LEG) != 0; }

/* A column of an Arrow array, and rows of several columns (in the order of ROWS_*). */
typedef struct {
    const uint8_t *valid; /* NULL where every row has a value */
    const void **buffers;
    const void *data;
    int64_t offset;
    int absent; /* no row has a value */
    int same;   /* every row has the first one's; of a text alone */
} Column;

enum {
    ROWS_TIME, ROWS_TRACK, ROWS_LAT, ROWS_LON, ROWS_BARO, ROWS_GEOM, ROWS_GROUND, ROWS_ADDRESS,
    ROWS_SOURCE, ROWS_COLUMNS
};

typedef struct {
    const Column *columns;
    int64_t first, n;
} Rows;

/* A track among some rows. */
typedef struct {
    Name name;         /* its text belongs to the rows */
    uint32_t first, n; /* its reports among those of the chunk, as they came */
    uint32_t flags;    /* of .address */
    uint8_t in_order;  /* of time, no two at one */
    uint8_t fast;      /* has a leg too fast to be flown */
    uint64_t address[2];
} Run;

/* Rows made into reports, those of a track together: a function of the rows and the settings. */
typedef struct {
    Point *points;
    uint32_t *run_of; /* of a row; NOBODY where it cannot be used */
    uint32_t n, cap_points, cap_rows;
    Run *runs;
    uint32_t n_runs, cap_runs;
    uint32_t *next; /* of a run: whose report came after its last one, a guess at whose will */
    uint32_t cap_next;
    Table names;
    Name *sources;
    uint32_t n_sources, cap_sources;
    uint32_t *renamed; /* of the sources, in the fold */
    uint32_t cap_renamed;
    int64_t latest, unusable;
    int plain; /* every row can be used as it is */
    int failed;
} Chunk;

/* encounters_rows.c */
int64_t rows_least_time(const Rows *rows);
void chunk_fill(Chunk *c, const Settings *set, const Rows *parts, uint32_t n_parts);
void chunk_free(Chunk *c);
void name_set(Name *name, const char *text, uint32_t len);
static inline int name_same(const Name *a, const Name *b) {
    return a->head[0] == b->head[0] && a->head[1] == b->head[1] &&
           (a->len <= 12 || !memcmp(a->text, b->text, a->len));
}

Fold *fold_new(const Settings *set);
void fold_free(Fold *f);
/* The slot of a track. */
uint32_t fold_track(Fold *f, const Name *name);
uint32_t fold_source(Fold *f, const char *text, uint32_t len);
/* Take reports (which may be changed); the watermark moves only with fold_advance. */
void fold_take(Fold *f, Chunk *c);
/* Sweep what the watermark allows, or everything that is left. */
void fold_advance(Fold *f, int64_t watermark, int everything);
/* The caller has what is in .done. */
void fold_taken(Fold *f);
/* The time of the earliest report that is held; later ones than all of them may be unsorted. */
int64_t held_since(const Fold *f);
/* Let go what is dealt with: reports, and tracks that hold nothing more. */
void fold_forget(Fold *f);
/* Restoring: the points of a track, a pair as saved. */
int fold_points(Fold *f, uint32_t track, const void *points, uint32_t n);
void fold_put_pair(Fold *f, const Pair *p);

/* encounters_tracks.c: put a track in order; drop what is dealt with. */
void track_settle(Fold *f, Track *t);
void track_trim(Fold *f, Track *t);
/* Free segments of which nothing is held any more. */
void segments_free(Fold *f, int64_t held_since);
int grow(void **data, uint32_t *cap, uint32_t wanted, size_t size);

/* encounters_boxes.c */
static inline int64_t step_floor(int64_t t, int64_t step_us) {
    int64_t q = t / step_us;
    return (q - (t % step_us < 0)) * step_us;
}
static inline uint32_t step_at(const Fold *f, int64_t start) {
    return (uint32_t)(start / f->set.step_us) & (STEPS - 1);
}
static inline void box_reach(Box *box, const double p[3], float alt) {
#ifdef __SSE2__ /* which compilers do not find in the lines below */
    __m128 at = _mm_movelh_ps(_mm_cvtpd_ps(_mm_loadu_pd(p)),
                              _mm_set_ps(0.0f, 0.0f, alt, (float)p[2]));
    _mm_storeu_ps(box->lo, _mm_min_ps(at, _mm_loadu_ps(box->lo)));
    _mm_storeu_ps(box->hi, _mm_max_ps(at, _mm_loadu_ps(box->hi)));
#else
    float at[4] = {(float)p[0], (float)p[1], (float)p[2], alt};
    for (int j = 0; j < 4; j++) box->lo[j] = at[j] < box->lo[j] ? at[j] : box->lo[j];
    for (int j = 0; j < 4; j++) box->hi[j] = at[j] > box->hi[j] ? at[j] : box->hi[j];
#endif
    if (alt != alt) { /* unknown */
        box->lo[3] = -INFINITY;
        box->hi[3] = INFINITY;
    }
}
/* Put the track's leg from u to v into boxes, all those before it being in some already. */
void track_box(Fold *f, uint32_t slot, const Point *u, const Point *v);
/* Put the track's legs that are in none into the boxes of the steps before .end. */
void track_boxes(Fold *f, uint32_t slot, int64_t end);
void boxes_reset(Fold *f);

/* encounters_leg.c: how far a leg rises above its chord. */
double leg_bulge_m(const Point *u, const Point *v);
double geodesic_from_chord(double chord_m);
double chord_from_geodesic(double distance_m);

/* encounters_pair.c: two tracks that come near each other in [k0, k1). */
void pair_sweep(Fold *f, uint32_t a, uint32_t b, int64_t k0, int64_t k1);
void pairs_close(Fold *f, int64_t before);
/* Add the part of a minute after the last whole one to the sums. */
void pair_sum_up(Pair *p);

#endif
