/* Stays of tracks in zones, as a fold over reports.
 *
 * For each track the state is its last report, the zones it is laterally inside (members), and for
 * each of these the open stay. A report whose leg touches no boundary changes nothing but the last
 * report: that is told from the cells of the index, and is nearly every report. Otherwise the leg
 * is solved exactly (leg.c). Nothing is interpolated across a gap: stays end as lost, and what the
 * gap allows is told by the space-time prism.
 */
#include "membership.h"

#include <stdlib.h>
#include <string.h>

Stays *stays_new(const ZoneIndex *index, int64_t max_gap_us, int64_t track_end_us,
                 double max_speed_mps) {
    Stays *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->index = index;
    s->max_gap_us = max_gap_us;
    s->track_end_us = track_end_us;
    s->max_speed_mps = max_speed_mps;
    s->free_members = s->free_paths = -1;
    if (names_init(&s->names)) {
        stays_free(s);
        return NULL;
    }
    return s;
}

void stays_free(Stays *s) {
    if (!s) return;
    names_free(&s->names);
    leg_zones_free(&s->work);
    free(s->tracks), free(s->members), free(s->paths), free(s->out), free(s->opened);
    free(s->late), free(s);
}

/* ---- a track appears, or is seen again ------------------------------------------------------ */

static void arrive(Stays *s, Track *t, int kind, const int64_t *earliest) {
    int32_t zones[MAX_SET];
    int32_t n = zones_at(s->index, t->lat, t->lon, zones, MAX_SET);
    if (n < 0) s->crowded = 1;
    for (int32_t i = 0; i < n; i++) {
        const ZoneInfo *z = &s->index->zones[zones[i]];
        Member *m = member_add(s, t, zones[i]);
        if (!m) return;
        if (!in_force(z, t->t) || !height_allows(z, t->alt)) continue;
        stay_open(s, t, m, kind, t->t, t->lat, t->lon, t->n_reports - 1);
        if (earliest) m->stay.earliest_us = earliest[i];
        see_height(z, m, t->alt);
    }
    path_settle(s, t);
    watch_again(s, t);
}

/* Whether two reports show two aircraft with one name: none flies as fast as that. */
#define ANOTHER_MPS (2000.0 * 1852.0 / 3600.0)
#define ANOTHER_SLACK_M 20000.0

static int is_another(const Track *t, const Track *q) {
    double p1[3], p2[3];
    to_ecef(t->lat, t->lon, p1);
    to_ecef(q->lat, q->lon, p2);
    return arc_m(p1, p2) > ANOTHER_MPS * 1e-6 * (double)(q->t - t->t) + ANOTHER_SLACK_M;
}

static void depart(Stays *s, Track *t, int kind) {
    for (int32_t i = t->members, next; i >= 0; i = next) {
        Member *m = &s->members[i];
        next = m->next;
        if (m->open) stay_close(s, t, m, kind, t->t, t->lat, t->lon, -1);
        m->next = s->free_members;
        s->free_members = i;
    }
    t->members = -1;
    path_settle(s, t);
}

void track_end(Stays *s, Track *t) { depart(s, t, VANISHED); }

/* What the gap between the track's last report and q allows in one zone: a row, or 0. */
static int gap_row(Stays *s, const Track *t, const Track *q, int32_t zone, int in1, int in2,
                   const double p1[3], const double p2[3], double speed_mps, Stay *row) {
    const ZoneInfo *z = &s->index->zones[zone];
    double seconds = 1e-6 * (double)(q->t - t->t);
    /* Two reports further apart than the bound allows: the bound is raised to what they show. */
    double budget = fmax(speed_mps * seconds, arc_m(p1, p2) * (1 + 1e-9));
    double v = budget / seconds;
    Prism prism;
    if (t->t >= z->to_us || q->t < z->from_us) return 0;
    prism_query(s->index, zone, p1, p2, in1, in2, budget, &prism);
    if (!prism.reachable) return 0;
    int64_t first = t->t + (int64_t)floor(1e6 * prism.to_entry_m / v);
    int64_t last = q->t - (int64_t)floor(1e6 * prism.from_exit_m / v);
    double longest = seconds - prism.outside_m / v;
    int whole = t->t >= z->from_us && q->t <= z->to_us;
    if (first < z->from_us) first = z->from_us;
    if (last > z->to_us) last = z->to_us;
    if (last < first) return 0;
    longest = fmax(0.0, fmin(longest, 1e-6 * (double)(last - first)));
    int start = in1 && in_force(z, t->t) && height_allows(z, t->alt);
    int end = in2 && in_force(z, q->t) && height_allows(z, q->alt);
    int certain = prism.certain && whole && !z->has_vertical;
    *row = (Stay){start ? t->t : NO_TIME, end ? q->t : NO_TIME, first, last, 0,
                  start ? t->lat : NAN, start ? t->lon : NAN, end ? q->lat : NAN, end ? q->lon : NAN,
                  NAN, longest, (int32_t)(t - s->tracks), zone, LOST, REACQUIRED,
                  certain ? DEFINITE : POSSIBLE, z->has_vertical ? UNKNOWN : UNLIMITED};
    return 1;
}

static int in_set(const int32_t *set, int32_t n, int32_t zone) {
    for (int32_t i = 0; i < n; i++)
        if (set[i] == zone) return i;
    return -1;
}

/* A gap from the track's last report to q. */
static void cross_gap(Stays *s, Track *t, const Track *q) {
    int32_t after[MAX_SET];
    int64_t earliest[MAX_SET];
    int32_t n = zones_at(s->index, q->lat, q->lon, after, MAX_SET);
    if (n < 0) s->crowded = 1;
    double p1[3], p2[3];
    double v = q->speed_mps == q->speed_mps ? q->speed_mps : s->max_speed_mps;
    to_ecef(t->lat, t->lon, p1);
    to_ecef(q->lat, q->lon, p2);
    for (int32_t i = 0; i < n; i++) earliest[i] = q->t;
    for (int32_t z = 0; z < s->index->n_zones; z++) {
        Member *m = member_of(s, t, z);
        int32_t at = in_set(after, n, z);
        Stay row;
        if (!gap_row(s, t, q, z, m != NULL, at >= 0, p1, p2, v, &row)) continue;
        if (m && m->open) m->stay.latest_us = row.latest_us;
        if (at >= 0) earliest[at] = row.earliest_us;
        emit_row(s, &row);
    }
    depart(s, t, LOST);
    Track keep = *t;
    *t = *q;
    t->members = keep.members;
    t->path = keep.path;
    t->path_n = keep.path_n;
    t->n_reports = keep.n_reports + 1;
    arrive(s, t, REACQUIRED, earliest);
}

/* ---- a leg that touches a boundary, a height or a date -------------------------------------- */

static void take_presence(Stays *s, Track *t, const Track *q, const Leg *leg, int32_t zone,
                          const Presence *found, const Span *spans) {
    const ZoneInfo *z = &s->index->zones[zone];
    Member *m = member_of(s, t, zone);
    double lat, lon;
    int inside_after = found->inside_after;
    if (!m && (found->n || inside_after)) m = member_add(s, t, zone);
    if (!m) return;
    if (m->open && (!found->n || spans[0].from > 0)) { /* what is known of it changed at p */
        int kind = t->t >= z->to_us ? DEACTIVATED : CROSSED;
        stay_close(s, t, m, kind, t->t, t->lat, t->lon, -1);
    }
    for (int32_t i = 0; i < found->n; i++) {
        const Span *span = &spans[i];
        if (!m->open) {
            leg_point(leg, span->from, &lat, &lon);
            stay_open(s, t, m, span->from_kind, leg_time(leg, span->from), lat, lon, t->n_reports);
            m->near_edge = span->from_edge;
            if (span->from_edge >= 0) m->head_m = 0;
        }
        see_height(z, m, t->alt);
        see_height(z, m, q->alt);
        if (span->to < 1) {
            leg_point(leg, span->to, &lat, &lon);
            stay_close(s, t, m, span->to_kind, leg_time(leg, span->to), lat, lon, span->to_edge);
        }
    }
    if (!inside_after) member_remove(s, t, zone);
}

/* The leg from the track's last report to q, solved; the caller then stores q. */
static void solve_leg(Stays *s, Track *t, const Track *q) {
    LegZones *zones = &s->work;
    Leg leg;
    leg_init(&leg, t->t, t->lat, t->lon, t->alt, q->t, q->lat, q->lon, q->alt);
    zones->n = 0;
    for (int32_t i = t->members; i >= 0; i = s->members[i].next) {
        Presence *p = leg_zone(zones, s->members[i].zone);
        if (p) p->inside_before = 1;
        else s->failed = 1;
    }
    if (s->failed || leg_solve(s->index, &leg, zones)) {
        s->failed = 1;
        return;
    }
    int same = 1;
    for (int32_t i = 0; i < zones->n; i++) {
        const Presence *p = &zones->zone[i];
        const Member *m = member_of(s, t, p->zone);
        int open = m && m->open;
        const Span *span = zones->span + p->span0;
        same &= open ? p->n == 1 && span->from <= 0 && span->to >= 1 : p->n == 0;
        same &= (m != NULL) == p->inside_after;
    }
    if (same) {
        for (int32_t i = t->members; i >= 0; i = s->members[i].next)
            see_height(&s->index->zones[s->members[i].zone], &s->members[i], q->alt);
    } else {
        for (int32_t i = 0; i < zones->n; i++)
            take_presence(s, t, q, &leg, zones->zone[i].zone, &zones->zone[i],
                          zones->span + zones->zone[i].span0);
    }
    Track keep = *t;
    *t = *q;
    t->members = keep.members;
    t->path = keep.path;
    t->path_n = keep.path_n;
    t->n_reports = keep.n_reports + 1;
    path_settle(s, t);
    if (t->path >= 0) path_add(s, t, q->lat, q->lon);
    watch_again(s, t);
}

/* ---- the step -------------------------------------------------------------------------------- */

static int before(double lat1, double lon1, double alt1, double lat2, double lon2, double alt2) {
    if (lat1 != lat2) return lat1 < lat2;
    if (lon1 != lon2) return lon1 < lon2;
    return alt1 < alt2; /* an unknown altitude is before none and after none */
}

/* The track of a name, made if need be; -1 out of memory. */
static int32_t track_of(Stays *s, const NameKey *key) {
    int32_t known = s->names.n, k = names_find(&s->names, key);
    if (k < known) return k;
    int64_t cap = s->cap_tracks;
    if (!grow((void **)&s->tracks, k, cap, sizeof *s->tracks, &cap)) return -1;
    s->cap_tracks = (int32_t)cap;
    s->tracks[k] = (Track){.t = NO_TIME, .members = -1, .path = -1, .speed_mps = NAN};
    return k;
}

static inline int bit(const uint8_t *bits, int64_t i) { return (bits[i >> 3] >> (i & 7)) & 1; }

static void read_row(const ReportColumns *in, int64_t i, Track *q) {
    q->t = in->time_us[i];
    q->lat = in->lat[i];
    q->lon = in->lon[i];
    if (!(q->lon >= -180.0 && q->lon < 180.0) && fabs(q->lon) <= 540.0) {
        q->lon = remainder(q->lon, 360.0);
        if (q->lon >= 180.0) q->lon -= 360.0;
    }
    q->alt = in->alt && (!in->alt_valid || bit(in->alt_valid, in->alt_valid_offset + i)) ? in->alt[i] : NAN;
}

/* One report of a known track. */
static int take_report(Stays *s, const ReportColumns *in, int64_t i, Track *t) {
    const ZoneIndex *x = s->index;
    Track q;
    read_row(in, i, &q);
    if (!(q.lat >= -90.0 && q.lat <= 90.0) || !(fabs(q.lon) <= 540.0) || q.t == NO_TIME) {
        s->n_invalid++;
        return STEP_OK;
    }
    if (q.t <= t->t) {
        if (q.t < t->t || before(q.lat, q.lon, q.alt, t->lat, t->lon, t->alt))
            return STEP_DISORDER;
        s->n_repeated++;
        return STEP_OK;
    }
    s->n_reports++;
    q.speed_mps = t->speed_mps;
    if (in->speed_mps && (!in->speed_valid || bit(in->speed_valid, in->speed_valid_offset + i)))
        q.speed_mps = in->speed_mps[i];
    int32_t row = cell_row(q.lat), col = cell_col(q.lon);
    q.cell = row * COLS + col;
    if (t->t != NO_TIME && q.t - t->t <= s->max_gap_us) {
        q.value = q.cell == t->cell ? t->value : cell_value(x, row, col);
        int quiet = q.cell == t->cell && t->value >= 0;
        if (!quiet) quiet = !leg_touches(x, t->lat, t->lon, t->cell, q.lat, q.lon, q.cell);
        if (quiet && t->watched)
            quiet = q.t < t->t_hi && (t->alt == t->alt ? q.alt >= t->alt_lo && q.alt <= t->alt_hi
                                                       : !(q.alt == q.alt));
        if (!quiet) {
            solve_leg(s, t, &q);
        } else {
            t->t = q.t, t->lat = q.lat, t->lon = q.lon, t->alt = q.alt;
            t->cell = q.cell, t->value = q.value;
            if (in->speed_mps) t->speed_mps = q.speed_mps;
            t->n_reports++;
            if (t->path >= 0) path_add(s, t, q.lat, q.lon);
        }
    } else {
        q.value = cell_value(x, row, col);
        if (t->t != NO_TIME && q.t - t->t <= s->track_end_us && !is_another(t, &q)) {
            cross_gap(s, t, &q);
        } else {
            if (t->t != NO_TIME) depart(s, t, VANISHED);
            q.members = q.path = -1;
            q.path_n = 0;
            q.n_reports = t->n_reports + 1;
            *t = q;
            arrive(s, t, APPEARED, NULL);
        }
    }
    return s->failed ? STEP_NO_MEMORY : s->crowded ? STEP_CROWDED : STEP_OK;
}

/* Rows are taken in blocks: names are hashed first, then looked up, then reports folded in, each
   step asking ahead for the memory of the next. */
#define BLOCK 32

int stays_step(Stays *s, const ReportColumns *in, int part, int parts, int64_t *at) {
    NameKey key[BLOCK];
    int32_t track[BLOCK], last = -1;
    for (int64_t i = 0; i < in->n; i += BLOCK) {
        int n = in->n - i < BLOCK ? (int)(in->n - i) : BLOCK;
        const StringView *id = in->track_id + i;
        for (int k = 0; k < n; k++) {
            track[k] = i + k && !memcmp(id + k, id + k - 1, sizeof *id); /* as the row before */
            if (!track[k]) key[k] = names_key(&s->names, id + k, in->track_data);
        }
        for (int k = 0; k < n; k++) {
            if (track[k]) {
                track[k] = last;
                continue;
            }
            int mine = parts < 2 || (int)((key[k].hash >> 40) % (uint64_t)parts) == part;
            track[k] = last = mine ? track_of(s, &key[k]) : -2;
            if (last == -1) return STEP_NO_MEMORY;
            if (mine) __builtin_prefetch(&s->tracks[last], 1);
        }
        for (int k = 0; k < n; k++) {
            if (track[k] < 0) continue;
            int status = take_report(s, in, i + k, &s->tracks[track[k]]);
            if (status == STEP_DISORDER && s->live) {
                if (!grow((void **)&s->late, s->n_late, s->cap_late, sizeof *s->late, &s->cap_late))
                    return STEP_NO_MEMORY;
                s->late[s->n_late++] = i + k;
            } else if (status) {
                *at = i + k;
                return status;
            }
        }
    }
    return STEP_OK;
}

int stays_flush(Stays *s) {
    for (int32_t i = 0; i < s->names.n; i++)
        if (s->tracks[i].t != NO_TIME) {
            depart(s, &s->tracks[i], VANISHED);
            s->tracks[i].t = NO_TIME;
        }
    return s->failed ? STEP_NO_MEMORY : STEP_OK;
}
