/* Warnings: predicted entries, a fold over reports. See warn.c for what it does and assumes. */
#ifndef ADIZ_WARN_H
#define ADIZ_WARN_H

#include "stays.h"

#define ANCHORS 12
#define MOST_RAYS 32

enum { CHANGE_RAISED = 0, CHANGE_CLEARED };
enum { COURSE_NOMINAL = 0, COURSE_CONE };
enum { REASON_NONE = 0, REASON_ENTERED, REASON_TURNED, REASON_LOST, REASON_ENDED,
       REASON_SUPPRESSED };

typedef struct {
    const double *horizon_s; /* by zone */
    double longest_s;        /* of them */
    double cone_deg, cone_horizon_s, turn_ahead_s, turn_min_deg_s, smooth_s;
    double clear_factor, min_speed_mps, max_speed_mps;
    int64_t every_us, max_gap_us, hold_us;
    int32_t agree, of, clear_after;
} WarnSettings;

/* Where the track was some seconds ago. */
typedef struct {
    int64_t t;
    double lat, lon, alt, course; /* NAN: unknown */
} Anchor;

/* A zone that a track's predictions have met of late. The newest update is bit 0. */
typedef struct {
    int32_t zone, next; /* next of the track, or of the free list; -1 at the end */
    uint16_t nominal, cone, near; /* met by the course; by the cone only; within the wider limit */
    uint8_t standing, hidden;     /* raised; raised if it were not suppressed */
    uint8_t course;               /* COURSE_…, as raised */
    uint8_t met;                  /* by the update at hand */
    uint8_t vertical;
    int64_t raised_us, entry_us;  /* first raised; last predicted */
    double lat, lon;
} Watch;

/* The first cache line is what most reports need. */
typedef struct {
    int64_t t;        /* last report, NO_TIME: none */
    int64_t next_us;  /* no prediction can meet a zone before */
    int64_t update_us;/* last update, NO_TIME: none */
    int64_t hold_us;  /* up to here the last prediction stands while the motion stays as it was */
    int32_t watches, n_anchors;
    float held_course, held_speed, held_climb;
    uint32_t n_smooth;
    double lat, lon, alt; /* at the last update */
    double smooth_deg;
    Anchor anchor[ANCHORS]; /* newest first */
} WarnTrack;

/* A report that counts. */
typedef struct {
    int64_t t;
    double lat, lon, alt, speed_mps, course, climb_fpm; /* NAN: unknown */
    uint8_t ground, suppressed;
    uint64_t hash; /* of the track's name, the same on every machine */
} Update;

/* How a track moves. */
typedef struct {
    int known;
    double course, speed_mps, climb_fpm; /* climb NAN: altitude unknown; 0: level */
    double turn_deg_s;                   /* 0: not turning */
} Motion;

/* A zone that a prediction meets. */
typedef struct {
    int32_t zone;
    uint8_t course, inside; /* inside: already, and the rest means nothing */
    double after_s, lat, lon;
} Hit;

typedef struct {
    Hit *hit;
    int32_t n, cap;
    int touches; /* some ray met a boundary */
} Hits;

typedef struct {
    int32_t track, zone;
    uint8_t change, course, reason, vertical;
    int64_t time_us, raised_us, entry_us;
    double lat, lon, gs_kt, course_deg, alt_ft;
} Change;

typedef struct {
    const ZoneIndex *index;
    WarnSettings set;
    Names names;
    WarnTrack *tracks;
    Watch *watches;
    Change *out;
    int32_t cap_tracks, n_watches, cap_watches, free_watches, n_dead;
    int64_t n_out, cap_out;
    int64_t n_reports, n_invalid, n_disorder, n_updates, n_solved, n_raised, n_suppressed;
    LegZones work;
    Hits hits;
    int failed, crowded;
} Warn;

typedef struct {
    const double *value;  /* may be NULL: all unknown */
    const uint8_t *valid; /* bits, may be NULL: all valid */
    int64_t offset;       /* of the bits */
} Optional;

typedef struct {
    int64_t n;
    const int64_t *time_us;
    const StringView *track_id;
    const char *const *track_data;
    const double *lat, *lon;
    Optional baro, geom, gs, course, climb;
    const uint8_t *ground, *suppressed; /* bytes, may be NULL */
} WarnColumns;

Warn *warn_new(const ZoneIndex *index, const WarnSettings *set);
void warn_free(Warn *w);
int warn_step(Warn *w, const WarnColumns *in);
/* Tracks not heard since before_us (INT64_MAX: all) are lost and given up. */
int warn_silent(Warn *w, int64_t before_us);
/* Warnings that stand, as changes added to .out. */
int warn_standing(Warn *w);
/* Give back the memory of tracks given up, once that is worth while; .out must be empty. */
int warn_compact(Warn *w);

/* Put other zones in place of the present ones: map gives each one's new number, -1: gone. The
   warnings of those that are gone end. */
int warn_rezone(Warn *w, const ZoneIndex *index, const double *horizon_s, const int32_t *map);
void warn_renumber(Warn *w, const int32_t *map);

/* warn.c, for warn_tracks.c */
void track_forget(Warn *w, WarnTrack *k);
void watch_end(Warn *w, const WarnTrack *k, Watch *x, int reason);
int warn_zones(Warn *w, const ZoneIndex *index, const double *horizon_s);

/* warn_motion.c: how a track moves, from what a report says, else from the way it came. */
Motion motion_of(const WarnSettings *set, WarnTrack *k, const Update *u);
static inline double turn_between(double from_deg, double to_deg) {
    return remainder(to_deg - from_deg, 360.0);
}

/* warn_predict.c: the zones a motion leads into, within the longest horizon times "wider". */
int predict(Warn *w, const Update *u, const Motion *m, double wider);
/* Whether the way from one place to another, both in time, led into a zone. 0 or 1. */
int passed_through(Warn *w, const WarnTrack *k, const Update *u, int32_t zone);
int inside_now(Warn *w, const Update *u, int32_t zone);
/* Before when no prediction of a track here can meet a zone, whatever it does. */
int64_t far_until(const Warn *w, const Update *u);

#endif
