/* Encounters of moving points: reports in, encounters out, in one sweep over time.
 * encounters_tracks.c keeps the tracks, encounters.c finds who is near whom, encounters_leg.c does
 * the geometry of two legs, encounters_pair.c keeps the running figures of open encounters. */
#ifndef ADIZ_ENCOUNTERS_H
#define ADIZ_ENCOUNTERS_H

#include <stddef.h>
#include <stdint.h>

#define NO_TIME INT64_MIN
#define WINDOW_US 60000000 /* speeds and headings are compared over displacements of a minute */

enum {
    POINT_ADDRESS = 0xffffff,
    POINT_HAS_ADDRESS = 1 << 24,
    POINT_GROUND = 1 << 25,
    POINT_LEG = 1 << 26,     /* a leg leads here from the report before */
    POINT_TOO_FAST = 1 << 27 /* none does, for it could not be flown */
};

/* One report. Plain data: saved and restored as it is. */
typedef struct {
    int64_t t;       /* microseconds */
    double p[3];     /* on the ellipsoid, earth-centred, metres */
    float baro, geom; /* feet, NaN where unknown */
    uint32_t source; /* index of its text */
    uint32_t flags;
} Point;

typedef struct {
    Point *points;
    uint32_t n, cap;
    uint32_t first;   /* start of the first leg that is not yet swept */
    uint32_t open;    /* open encounters it takes part in */
    uint64_t head[2]; /* length and first 12 bytes of the name */
    char *name;
    uint32_t name_len;
    uint32_t hash;
    uint32_t next; /* whose report came after its last one: a guess at whose will */
    uint8_t dirty; /* not in order of time */
    uint8_t used;
} Track;

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
    Counts counts;
    int failed; /* out of memory */
} Fold;

/* A leg leads to v from the report before it in its track. */
static inline int leg_valid(const Point *v) { return (v->flags & POINT_LEG) != 0; }

Fold *fold_new(const Settings *set);
void fold_free(Fold *f);
/* The slot of a track; "after" is the slot of the report before (any slot will do). */
uint32_t fold_track(Fold *f, const char *name, uint32_t len, uint32_t after);
uint32_t fold_source(Fold *f, const char *text, uint32_t len);
/* Bring the end of a track's reports into the cache; a report of it follows. */
void fold_fetch(const Fold *f, uint32_t track);
/* Take one report; the watermark moves only with fold_advance. */
void fold_add(Fold *f, uint32_t track, int64_t t, const double place[3], double baro, double geom,
              uint32_t source, uint32_t flags);
/* Earth-centred coordinates (m) of latitudes and of longitudes within ±180. */
void place_block(const double *lat, const double *lon, int n, double *x, double *y, double *z);
/* Sweep what the watermark allows, or everything that is left. */
void fold_advance(Fold *f, int64_t watermark, int everything);
/* Give up the names of tracks that hold nothing more; call once .done has been taken. */
void fold_forget(Fold *f);
/* Restoring: room for the points of a track; a pair as saved. */
Point *fold_points(Fold *f, uint32_t track, uint32_t n);
void fold_put_pair(Fold *f, const Pair *p);

/* encounters_tracks.c: put a track in order; drop what is dealt with. */
void track_settle(Fold *f, Track *t);
void track_trim(Fold *f, Track *t);
int grow(void **data, uint32_t *cap, uint32_t wanted, size_t size);

/* encounters_leg.c: whether a leg leads from u to v, and how far it rises above its chord. */
void leg_mark(const Fold *f, const Point *u, Point *v);
double leg_bulge_m(const Point *u, const Point *v);
double geodesic_from_chord(double chord_m);
double chord_from_geodesic(double distance_m);

/* encounters_pair.c: two tracks that come near each other in [k0, k1), from these legs on. */
void pair_sweep(Fold *f, uint32_t a, uint32_t b, uint32_t ia, uint32_t ib, int64_t k0, int64_t k1);
void pairs_close(Fold *f, int64_t before);
/* Add the part of a minute after the last whole one to the sums. */
void pair_sum_up(Pair *p);

#endif
