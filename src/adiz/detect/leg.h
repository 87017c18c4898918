/* One leg of a track against the zones. See leg.c. */
#ifndef ADIZ_LEG_H
#define ADIZ_LEG_H

#include "zoneindex.h"

#define MAX_SET 1024 /* zones over one point */

typedef struct {
    int64_t t1, t2;
    double lat1, lon1, alt1, lat2, lon2, alt2;
    double p1[3], p2[3];
    double length_m, azimuth_deg;
    int32_t pieces; /* more than one: cut along the geodesic */
} Leg;

/* When within the leg (0 to 1) a track is in a zone, heights and validity included. */
typedef struct {
    double from, to;
    uint8_t from_kind, to_kind;
    int32_t from_edge, to_edge; /* of the boundary, where it begins, ends on it; else -1 */
} Span;

typedef struct {
    int32_t zone, edge;
    double at;
} Crossing;

/* A leg through one zone. */
typedef struct {
    int32_t zone;
    uint8_t inside_before, inside_after; /* of the rings */
    int32_t span0, n;                    /* its spans */
} Presence;

/* Working room, used again for every leg. */
typedef struct {
    Presence *zone;
    Crossing *crossing;
    Span *span;
    int32_t n, n_crossings, n_spans;
    int32_t cap, cap_crossings, cap_spans;
} LegZones;

/* Whether a leg may touch any boundary, told from the cells alone (never wrongly no). */
int leg_touches(const ZoneIndex *index, double lat1, double lon1, int32_t cell1, double lat2,
                double lon2, int32_t cell2);

/* The zones whose rings hold a point; -1 where there are more than most. */
int32_t zones_at(const ZoneIndex *index, double lat, double lon, int32_t *zones, int32_t most);

void leg_init(Leg *leg, int64_t t1, double lat1, double lon1, double alt1, int64_t t2, double lat2,
              double lon2, double alt2);

/* The entry of a zone, made if need be; NULL out of memory. */
Presence *leg_zone(LegZones *zones, int32_t zone);

/* Fill in the presences of the zones already there (inside_before set) and of those met.
   Returns 0, or 1 out of memory. */
int leg_solve(const ZoneIndex *index, const Leg *leg, LegZones *zones);

void leg_zones_free(LegZones *zones);

void leg_point(const Leg *leg, double at, double *lat, double *lon);
int64_t leg_time(const Leg *leg, double at);

#endif
