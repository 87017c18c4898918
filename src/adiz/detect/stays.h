/* Stays: a fold over reports. See stays.c for what it does and assumes. */
#ifndef ADIZ_STAYS_H
#define ADIZ_STAYS_H

#include "leg.h"

#define NO_TIME INT64_MIN

enum { CROSSED = 0, APPEARED, VANISHED, LOST, REACQUIRED, ACTIVATED, DEACTIVATED };
enum { OBSERVED = 0, POSSIBLE, DEFINITE };
enum { UNLIMITED = 0, KNOWN, PARTLY, UNKNOWN };

/* One row of the result. NO_TIME and NAN stand for null. */
typedef struct {
    int64_t entry_us, exit_us, earliest_us, latest_us, report_count;
    double entry_lat, entry_lon, exit_lat, exit_lon, depth_m, longest_s;
    int32_t track, zone;
    uint8_t entry_kind, exit_kind, certainty, vertical;
} Stay;

/* A track is inside the rings of a zone. The stay within it is open while heights and validity
   allow it too. */
typedef struct {
    int32_t zone, next; /* next of the track, or of the free list; -1 at the end */
    uint8_t open, saw_known, saw_unknown;
    Stay stay;
    uint32_t first_report; /* the track's count of reports before the stay's first */
    double head_lat, head_lon; /* up to where the path has been measured, */
    double head_m;             /* the distance to the boundary there (-1: unknown), */
    int32_t head_next;         /* and where the path goes on in the track's points */
    int32_t near_edge;         /* nearest edge when last measured, -1: none */
} Member;

#define PATH_POINTS 128
/* Positions since the depth of all the track's stays was last measured. */
typedef struct {
    int32_t next_free;
    double point[PATH_POINTS][2]; /* lat, lon */
} Path;

/* The first cache line is what a report that changes nothing needs. */
typedef struct {
    int64_t t;
    double lat, lon, alt;  /* alt NAN: unknown */
    int32_t cell, value;   /* row * COLS + col, and what the index says of it */
    int32_t path, path_n;  /* -1: none is kept; its points */
    uint32_t n_reports;
    int32_t members;       /* head of the list, -1: none */
    uint8_t watched;       /* some zone around it is bounded in height or time: then */
    double alt_lo, alt_hi; /* no stay changes with the altitude in between, */
    int64_t t_hi;          /* nor before this time */
    double speed_mps;      /* of the type, NAN: the default */
} Track;

/* Arrow's view of a short or long string. */
typedef struct {
    int32_t length;
    union {
        char inlined[12];
        struct {
            char prefix[4];
            int32_t buffer, offset;
        } ref;
    } u;
} StringView;

typedef struct {
    uint64_t k0, k1;
    int32_t track; /* -1: empty */
    int32_t pad;
} Slot;

/* Track names, by content. */
typedef struct {
    Slot *slots;
    int64_t n_slots; /* a power of two */
    char *text;
    int64_t n_text, cap_text;
    int64_t *start; /* of each name in text; one more than there are names */
    int32_t n, cap;
} Names;

typedef struct {
    const ZoneIndex *index;
    int64_t max_gap_us, track_end_us;
    double max_speed_mps;
    Names names;
    Track *tracks;
    Member *members;
    Path *paths;
    Stay *out;
    int32_t cap_tracks, n_members, cap_members, free_members, n_paths, cap_paths, free_paths;
    int64_t n_out, cap_out;
    int64_t n_reports, n_invalid, n_repeated;
    LegZones work;
    int live;      /* a watch: openings are told, reports out of order are set aside */
    Stay *opened;  /* the stays that began, as far as they are known */
    int64_t n_opened, cap_opened;
    int64_t *late; /* rows of the step that came too late for their track */
    int64_t n_late, cap_late;
    int failed;  /* out of memory */
    int crowded; /* more than MAX_SET zones over one point */
} Stays;

typedef struct {
    int64_t n;
    const int64_t *time_us;
    const StringView *track_id;
    const char *const *track_data; /* buffers of long strings */
    const double *lat, *lon;
    const double *alt;          /* may be NULL */
    const uint8_t *alt_valid;   /* bits, may be NULL: all valid */
    int64_t alt_valid_offset;
    const double *speed_mps;    /* of the type; may be NULL */
    const uint8_t *speed_valid;
    int64_t speed_valid_offset;
} ReportColumns;

Stays *stays_new(const ZoneIndex *index, int64_t max_gap_us, int64_t track_end_us,
                 double max_speed_mps);
void stays_free(Stays *s);

enum { STEP_OK = 0, STEP_NO_MEMORY = 1, STEP_DISORDER = 2, STEP_CROWDED = 3 };

/* Fold in reports; each track's in the order of (time, lat, lon, alt). Only tracks of this part
   (names hash to part modulo parts) are taken. *at is the row that broke the order. */
int stays_step(Stays *s, const ReportColumns *in, int part, int parts, int64_t *at);

/* Close every open stay: the tracks end. */
int stays_flush(Stays *s);

/* watching.c: what a watch needs besides. */
/* The open stays as they stand: their ends are the track's last report. The caller frees *rows. */
int64_t stays_open_rows(const Stays *s, Stay **rows);
/* End the tracks that were not heard since; their numbers stay until stays_compact. */
int stays_retire(Stays *s, int64_t before_us);
/* Forget the tracks that have ended: those left are numbered anew. */
int stays_compact(Stays *s);
/* Forget one track as if it had never been; nothing is told of it. */
void stays_drop(Stays *s, const char *name, int64_t length);
/* Put other zones in place of the present ones: map gives each one's new number, -1: gone. */
int stays_rezone(Stays *s, const ZoneIndex *index, const int32_t *map);

/* tracknames.c */
int names_init(Names *names);
void names_free(Names *names);
/* A name made ready for looking up; its place in memory is asked for. */
typedef struct {
    const char *text;
    int32_t length;
    uint64_t k0, k1, hash;
} NameKey;
NameKey names_key(const Names *names, const StringView *view, const char *const *data);
/* The number of a name; -1: it is not known. */
int32_t names_look(const Names *names, const NameKey *key);
/* The number of a name, a new one if need be; -1 out of memory. */
int32_t names_find(Names *names, const NameKey *key);
int names_rehash(Names *names);

/* depth.c: follow a path from the member's head and keep the greatest distance from the zone's
   boundary; end_edge is the edge of it that the path ends on (-1: none). At most PATH_POINTS + 2 points, of
   which the first is the head. */
void depth_follow(const ZoneIndex *index, Member *member, const double (*point)[2], int32_t n,
                  int32_t end_edge);

#endif
