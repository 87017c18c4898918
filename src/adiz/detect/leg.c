/* A leg solved against the zones: where it crosses which boundary, and when the track is within
 * the heights and the validity too.
 *
 * A leg is the geodesic between two reports. Up to three cells long it is taken as the great
 * ellipse between them, which strays from the geodesic by less than 0.1 m; a longer one is cut
 * along the geodesic into such pieces. Speed is constant along it, altitude linear.
 */
#include "leg.h"

#include <stdlib.h>
#include <string.h>

#include "stays.h"

#define SEAM_M 0.5 /* out and in again within this is a seam between two rings, not a gap */

/* Bits of a cell's parts that a box touches. */
static uint64_t box_mask(int32_t row, int32_t col, double south, double west, double north,
                         double east) {
    double per = CELLS_PER_DEG * SUB;
    int32_t r0 = (int32_t)((south + 90.0) * per) - row * SUB;
    int32_t r1 = (int32_t)((north + 90.0) * per) - row * SUB;
    int32_t c0 = (int32_t)floor((west + 180.0) * per) - col * SUB;
    int32_t c1 = (int32_t)floor((east + 180.0) * per) - col * SUB;
    r0 = r0 < 0 ? 0 : r0 > 7 ? 7 : r0;
    r1 = r1 < 0 ? 0 : r1 > 7 ? 7 : r1;
    c0 = c0 < 0 ? 0 : c0 > 7 ? 7 : c0;
    c1 = c1 < 0 ? 0 : c1 > 7 ? 7 : c1;
    uint64_t columns = ((0xffull >> (7 - c1)) & (0xffull << c0) & 0xff) * 0x0101010101010101ull;
    uint64_t rows = (~0ull >> (8 * (7 - r1))) & (~0ull << (8 * r0));
    return rows & columns;
}

/* Far legs: the one-degree cells of the box, widened by what a geodesic may bulge from it. */
static int far_leg_touches(const ZoneIndex *x, double south, double west, double north,
                           double east) {
    double high = fmin(fmax(fabs(south), fabs(north)), 89.0);
    double wide = (east - west) * 111320.0 * cos(fmin(fabs(south), fabs(north)) * DEG);
    double bulge = wide * wide * tan(high * DEG) / (8.0 * MEAN_RADIUS_M) / 110000.0 + 0.01;
    if (bulge > 1.0 || east - west > 20.0 || high > 85.0) return 1;
    int32_t r0 = (int32_t)(fmax(south - bulge, -90.0) + 90.0);
    int32_t r1 = (int32_t)(fmin(north + bulge, 89.999) + 90.0);
    int32_t c0 = (int32_t)(west + 180.0), c1 = (int32_t)(east + 180.0);
    int32_t first = x->coarse[r0 * 360 + c0];
    for (int32_t r = r0; r <= r1; r++)
        for (int32_t c = c0; c <= c1; c++)
            if (x->coarse[r * 360 + c] < 0 || x->coarse[r * 360 + c] != first) return 1;
    return 0;
}

int leg_touches(const ZoneIndex *x, double lat1, double lon1, int32_t cell1, double lat2,
                double lon2, int32_t cell2) {
    int32_t ra = cell1 / COLS, rb = cell2 / COLS, ca = cell1 % COLS, cb = cell2 % COLS;
    int32_t r0 = ra < rb ? ra : rb, r1 = ra < rb ? rb : ra;
    int32_t c0 = ca < cb ? ca : cb, c1 = ca < cb ? cb : ca;
    double south = lat1 < lat2 ? lat1 : lat2, north = lat1 < lat2 ? lat2 : lat1;
    double west = lon1 < lon2 ? lon1 : lon2, east = lon1 < lon2 ? lon2 : lon1;
    if (east - west > 180.0) return 1; /* over the antimeridian: left to the full solution */
    if (r1 - r0 > 2 || c1 - c0 > 2) return far_leg_touches(x, south, west, north, east);
    for (int32_t r = r0; r <= r1; r++)
        for (int32_t c = c0; c <= c1; c++) {
            int32_t v = cell_value(x, r, c);
            if (v < 0 && (x->cells[-1 - v].mask & box_mask(r, c, south, west, north, east)))
                return 1;
        }
    return 0;
}

int32_t zones_at(const ZoneIndex *x, double lat, double lon, int32_t *zones, int32_t most) {
    int32_t row = cell_row(lat), col = cell_col(lon), v = cell_value(x, row, col), n;
    const Class *base = &x->classes[v >= 0 ? v : x->cells[-1 - v].base];
    double p[3];
    if (base->n > most) return -1;
    n = base->n;
    if (n) memcpy(zones, x->class_zones + base->lo, n * sizeof *zones);
    if (v >= 0) return n;
    to_ecef(lat, lon, p);
    for (int32_t e = x->cells[-1 - v].first; e >= 0; e = x->entries[e].next) {
        if (!entry_inside(x, &x->entries[e], row, col, p)) continue;
        if (n == most) return -1;
        zones[n++] = x->entries[e].zone;
    }
    return n;
}

/* ---- the leg itself -------------------------------------------------------------------------- */

void leg_init(Leg *leg, int64_t t1, double lat1, double lon1, double alt1, int64_t t2, double lat2,
              double lon2, double alt2) {
    *leg = (Leg){t1, t2, lat1, lon1, alt1, lat2, lon2, alt2, {0}, {0}, 0, 0, 1};
    to_ecef(lat1, lon1, leg->p1);
    to_ecef(lat2, lon2, leg->p2);
    leg->length_m = arc_m(leg->p1, leg->p2);
    double turn = fabs(remainder(lon2 - lon1, 360.0));
    if (fabs(lat2 - lat1) <= 0.2 && turn <= 0.2) return;
    double s, az;
    if (geodesic_inverse(lat1, lon1, lat2, lon2, &s, &az, NULL)) return;
    double high = fmin(fmax(fabs(lat1), fabs(lat2)) + s / 4e5, 89.9);
    leg->length_m = s;
    leg->azimuth_deg = az;
    leg->pieces = (int32_t)ceil(s / fmin(20000.0, 24000.0 / sqrt(tan(high * DEG) + 0.01)));
}

void leg_point(const Leg *leg, double at, double *lat, double *lon) {
    if (at <= 0) {
        *lat = leg->lat1, *lon = leg->lon1;
    } else if (at >= 1) {
        *lat = leg->lat2, *lon = leg->lon2;
    } else if (leg->pieces > 1) {
        geodesic_direct(leg->lat1, leg->lon1, leg->azimuth_deg, at * leg->length_m, lat, lon);
        *lon = remainder(*lon, 360.0);
    } else {
        double p[3];
        for (int k = 0; k < 3; k++) p[k] = leg->p1[k] + at * (leg->p2[k] - leg->p1[k]);
        *lat = atan2(p[2], (1.0 - WGS84_E2) * hypot(p[0], p[1])) / DEG;
        *lon = atan2(p[1], p[0]) / DEG;
    }
}

int64_t leg_time(const Leg *leg, double at) {
    return leg->t1 + (int64_t)llround(at * (double)(leg->t2 - leg->t1));
}

static int room(void **data, int32_t n, int32_t *cap, size_t size) {
    if (n < *cap) return 1;
    int32_t more = *cap ? *cap * 2 : 32;
    void *grown = realloc(*data, (size_t)more * size);
    if (!grown) return 0;
    *data = grown;
    *cap = more;
    return 1;
}

void leg_zones_free(LegZones *z) { free(z->zone), free(z->crossing), free(z->span); }

Presence *leg_zone(LegZones *z, int32_t zone) {
    for (int32_t i = 0; i < z->n; i++)
        if (z->zone[i].zone == zone) return &z->zone[i];
    if (!room((void **)&z->zone, z->n, &z->cap, sizeof *z->zone)) return NULL;
    z->zone[z->n] = (Presence){zone, 0, 0, 0, 0};
    return &z->zone[z->n++];
}

static int add_crossing(LegZones *z, int32_t zone, int32_t edge, double at) {
    if (!room((void **)&z->crossing, z->n_crossings, &z->cap_crossings, sizeof *z->crossing))
        return 0;
    z->crossing[z->n_crossings++] = (Crossing){zone, edge, at};
    return 1;
}

/* Crossings of one piece, which runs from fraction at0 of the leg for a fraction of share. */
static int solve_piece(const ZoneIndex *x, LegZones *z, double lat1, double lon1, double lat2,
                       double lon2, double at0, double share) {
    double south = fmin(lat1, lat2), north = fmax(lat1, lat2), p[3], q[3], m[3], f;
    double west = lon1, east = lon1 + remainder(lon2 - lon1, 360.0);
    if (west > east) {
        double swap = west;
        west = east, east = swap;
    }
    to_ecef(lat1, lon1, p);
    to_ecef(lat2, lon2, q);
    cross3(p, q, m);
    int32_t c0 = (int32_t)floor((west + 180.0) * CELLS_PER_DEG);
    int32_t c1 = (int32_t)floor((east + 180.0) * CELLS_PER_DEG);
    for (int32_t r = cell_row(south); r <= cell_row(north); r++)
        for (int32_t c = c0; c <= c1; c++) {
            int32_t v = cell_value(x, r, ((c % COLS) + COLS) % COLS);
            if (v >= 0) continue;
            uint64_t box = box_mask(r, c, south, west, north, east);
            for (int32_t e = x->cells[-1 - v].first; e >= 0; e = x->entries[e].next) {
                const Entry *entry = &x->entries[e];
                if (!(entry->mask & box)) continue;
                for (int32_t i = entry->lo; i < entry->hi; i++)
                    if (crosses(&x->edges[x->edge_refs[i]], p, q, m, &f) &&
                        !add_crossing(z, entry->zone, x->edge_refs[i], at0 + f * share))
                        return 0;
            }
        }
    return 1;
}

static int by_zone_and_place(const void *a, const void *b) {
    const Crossing *p = a, *q = b;
    if (p->zone != q->zone) return p->zone < q->zone ? -1 : 1;
    if (p->at != q->at) return p->at < q->at ? -1 : 1;
    return p->edge < q->edge ? -1 : p->edge > q->edge;
}

static int find_crossings(const ZoneIndex *x, const Leg *leg, LegZones *z) {
    double lat = leg->lat1, lon = leg->lon1, lat2, lon2;
    for (int32_t i = 0; i < leg->pieces; i++) {
        double from = (double)i / leg->pieces, to = (double)(i + 1) / leg->pieces;
        leg_point(leg, i + 1 == leg->pieces ? 1.0 : to, &lat2, &lon2);
        if (!solve_piece(x, z, lat, lon, lat2, lon2, from, to - from)) return 0;
        lat = lat2, lon = lon2;
    }
    if (z->n_crossings > 1)
        qsort(z->crossing, z->n_crossings, sizeof *z->crossing, by_zone_and_place);
    int32_t n = 0;
    for (int32_t i = 0; i < z->n_crossings; i++) { /* an edge met in two cells is one edge */
        const Crossing *c = &z->crossing[i];
        if (n && z->crossing[n - 1].zone == c->zone && z->crossing[n - 1].edge == c->edge) continue;
        z->crossing[n++] = *c;
    }
    z->n_crossings = n;
    return 1;
}

/* Whether a point is inside a zone's rings. */
static int zone_holds(const ZoneIndex *x, int32_t zone, double lat, double lon, const double p[3]) {
    int32_t row = cell_row(lat), col = cell_col(lon), v = cell_value(x, row, col);
    const Class *base = &x->classes[v >= 0 ? v : x->cells[-1 - v].base];
    if (v < 0)
        for (int32_t e = x->cells[-1 - v].first; e >= 0; e = x->entries[e].next)
            if (x->entries[e].zone == zone) return entry_inside(x, &x->entries[e], row, col, p);
    for (int32_t i = 0; i < base->n; i++)
        if (x->class_zones[base->lo + i] == zone) return 1;
    return 0;
}

/* Make the crossings of one zone agree with where the leg begins and ends; returns their number.
   They can disagree only where an end lies on the boundary to within rounding. */
static int32_t agree(Crossing *c, int32_t n, int before, int after, double length_m) {
    if ((n & 1) != (before != after)) {
        if (!n) {
            c[0] = (Crossing){0, -1, 1.0 - 1e-12};
            n = 1;
        } else if (c[0].at < 1.0 - c[n - 1].at) {
            memmove(c, c + 1, --n * sizeof *c);
        } else {
            n--;
        }
    }
    for (int32_t i = before ? 0 : 1; i + 1 < n;) { /* each c[i] leaves, c[i + 1] comes back */
        if ((c[i + 1].at - c[i].at) * length_m < SEAM_M) {
            memmove(c + i, c + i + 2, (n - i - 2) * sizeof *c);
            n -= 2;
        } else {
            i += 2;
        }
    }
    return n;
}

/* The part of the leg within a zone's heights. */
static void height_span(const ZoneInfo *zone, const Leg *leg, double *from, double *to) {
    double rise = leg->alt2 - leg->alt1;
    *from = 0, *to = 1;
    if (!zone->has_vertical || zone->unchecked || !(rise == rise)) return;
    if (rise == 0) {
        if (leg->alt1 < zone->floor_ft || leg->alt1 > zone->ceil_ft) *to = -1;
        return;
    }
    double at_floor = (zone->floor_ft - leg->alt1) / rise;
    double at_ceil = (zone->ceil_ft - leg->alt1) / rise;
    *from = fmax(0.0, fmin(at_floor, at_ceil));
    *to = fmin(1.0, fmax(at_floor, at_ceil));
}

static int add_spans(LegZones *z, Presence *presence, const ZoneInfo *zone, const Leg *leg,
                     const Crossing *c, int32_t n) {
    double up, down, dt = (double)(leg->t2 - leg->t1);
    double on = zone->from_us == INT64_MIN ? -INFINITY : (double)(zone->from_us - leg->t1) / dt;
    double off = zone->to_us == INT64_MAX ? INFINITY : (double)(zone->to_us - leg->t1) / dt;
    height_span(zone, leg, &up, &down);
    presence->span0 = z->n_spans;
    for (int32_t i = presence->inside_before ? -1 : 0; i < n; i += 2) {
        double in = i < 0 ? 0.0 : c[i].at, out = i + 1 < n ? c[i + 1].at : 1.0;
        double from = fmax(fmax(in, up), on), to = fmin(fmin(out, down), off);
        if (to <= from) continue;
        if (!room((void **)&z->span, z->n_spans, &z->cap_spans, sizeof *z->span)) return 0;
        z->span[z->n_spans++] = (Span){from, to, from == on && on >= 0 ? ACTIVATED : CROSSED,
                                       to == off && off < 1 ? DEACTIVATED : CROSSED,
                                       from == in && i >= 0 ? c[i].edge : -1,
                                       to == out && i + 1 < n ? c[i + 1].edge : -1};
    }
    presence->n = z->n_spans - presence->span0;
    return 1;
}

/* Where the leg ends in a cell that no boundary passes, its zones are known for certain. */
static int add_certain(const ZoneIndex *x, const Leg *leg, LegZones *z, int *certain) {
    int32_t v = cell_value(x, cell_row(leg->lat2), cell_col(leg->lon2));
    *certain = v >= 0;
    for (int32_t i = 0; v >= 0 && i < x->classes[v].n; i++)
        if (!leg_zone(z, x->class_zones[x->classes[v].lo + i])) return 0;
    return 1;
}

int leg_solve(const ZoneIndex *x, const Leg *leg, LegZones *z) {
    int certain;
    z->n_crossings = z->n_spans = 0;
    if (!find_crossings(x, leg, z) || !add_certain(x, leg, z, &certain)) return 1;
    for (int32_t i = 0; i < z->n_crossings; i++)
        if (!leg_zone(z, z->crossing[i].zone)) return 1;
    for (int32_t i = 0; i < z->n; i++) {
        Presence *presence = &z->zone[i];
        Crossing one, *c = z->crossing;
        int32_t n = 0;
        while (c < z->crossing + z->n_crossings && c->zone != presence->zone) c++;
        while (c + n < z->crossing + z->n_crossings && c[n].zone == presence->zone) n++;
        presence->inside_after = presence->inside_before;
        if (n || certain)
            presence->inside_after =
                (uint8_t)zone_holds(x, presence->zone, leg->lat2, leg->lon2, leg->p2);
        if (!n) c = &one;
        n = agree(c, n, presence->inside_before, presence->inside_after, leg->length_m);
        if (!add_spans(z, presence, &x->zones[presence->zone], leg, c, n)) return 1;
    }
    return 0;
}
