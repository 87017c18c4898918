/* What each track said last, and where. See latest.c. */
#ifndef ADIZ_LATEST_H
#define ADIZ_LATEST_H

#include "stays.h"

#define TEXTS 5

typedef struct {
    uint64_t view[2]; /* as Arrow keeps a short text; a length of UINT32_MAX: none */
} Text;

typedef struct {
    int64_t first_us, last_us;
    double lat, lon, alt; /* NAN: unknown */
    Text said[TEXTS];
} Last;

typedef struct {
    Names names;
    Last *last; /* by the number of the name */
    int32_t cap;
} Latest;

typedef struct {
    const void *value;    /* NULL: none has one */
    const uint8_t *valid; /* bits, NULL: all */
    int64_t offset;       /* of the bits */
} LatestColumn;

typedef struct {
    int64_t n;
    const int64_t *time_us;
    const StringView *track_id;
    const char *const *track_data;
    LatestColumn place[3]; /* latitude, longitude, altitude */
    LatestColumn text[TEXTS];
} LatestColumns;

Latest *latest_new(void);
void latest_free(Latest *l);
/* Take reports; the rows whose texts are not what their track said before, or may not be, are
   written to changed, which has room for all. Returns how many; -1: out of memory. */
int64_t latest_step(Latest *l, const LatestColumns *in, int64_t *changed);
/* The last of a track; NULL: it is not known, or (add) there is no memory. */
Last *latest_of(Latest *l, const char *name, int64_t length, int add);
/* Forget the tracks not heard since; 1: no memory, nothing has changed. */
int latest_forget(Latest *l, int64_t before_us);

#endif
