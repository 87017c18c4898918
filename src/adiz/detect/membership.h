/* What a track is inside of. See membership.c. */
#ifndef ADIZ_MEMBERSHIP_H
#define ADIZ_MEMBERSHIP_H

#include "stays.h"

/* Room for one more of an array; 0 out of memory. */
int grow(void **data, int64_t n, int64_t cap, size_t size, int64_t *new_cap);

Member *member_of(const Stays *s, const Track *t, int32_t zone);
Member *member_add(Stays *s, Track *t, int32_t zone);
void member_remove(Stays *s, Track *t, int32_t zone);

void emit_row(Stays *s, const Stay *stay);
/* reports_before: the track's count of reports before the stay's first. */
void stay_open(Stays *s, Track *t, Member *m, int kind, int64_t time, double lat, double lon,
               uint32_t reports_before);
/* edge: of the boundary that it ends on, else -1. */
void stay_close(Stays *s, Track *t, Member *m, int kind, int64_t time, double lat, double lon,
                int32_t edge);

/* Every open stay of a track ends: it is not heard any more. */
void track_end(Stays *s, Track *t);

/* Measure an open stay up to the track's last report. */
void path_measure(Stays *s, Track *t, Member *m);
/* Keep a path as long as a stay is open. */
void path_settle(Stays *s, Track *t);
void path_add(Stays *s, Track *t, double lat, double lon);

int in_force(const ZoneInfo *z, int64_t time);
/* Whether a known or unknown altitude lets a track that is inside the rings be in the zone. */
int height_allows(const ZoneInfo *z, double alt);
/* Keep in mind whether the altitude was known. */
void see_height(const ZoneInfo *z, Member *m, double alt);
/* How far altitude and time may run before a stay of this track can change. */
void watch_again(Stays *s, Track *t);

#endif
