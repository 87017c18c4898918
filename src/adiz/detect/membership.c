/* What a track is inside of, the stays open within it, and the path kept to measure their depth. */
#include "membership.h"

#include <stdlib.h>
#include <string.h>

int grow(void **data, int64_t n, int64_t cap, size_t size, int64_t *new_cap) {
    if (n < cap) return 1;
    int64_t more = cap ? cap * 2 : 64;
    void *grown = realloc(*data, (size_t)more * size);
    if (!grown) return 0;
    *data = grown;
    *new_cap = more;
    return 1;
}

Member *member_of(const Stays *s, const Track *t, int32_t zone) {
    for (int32_t i = t->members; i >= 0; i = s->members[i].next)
        if (s->members[i].zone == zone) return &s->members[i];
    return NULL;
}

Member *member_add(Stays *s, Track *t, int32_t zone) {
    int32_t i = s->free_members;
    if (i >= 0) {
        s->free_members = s->members[i].next;
    } else {
        int64_t cap = s->cap_members;
        if (!grow((void **)&s->members, s->n_members, cap, sizeof *s->members, &cap)) {
            s->failed = 1;
            return NULL;
        }
        s->cap_members = (int32_t)cap;
        i = s->n_members++;
    }
    memset(&s->members[i], 0, sizeof *s->members);
    s->members[i].zone = zone;
    s->members[i].next = t->members;
    t->members = i;
    return &s->members[i];
}

void member_remove(Stays *s, Track *t, int32_t zone) {
    for (int32_t *at = &t->members; *at >= 0; at = &s->members[*at].next)
        if (s->members[*at].zone == zone) {
            int32_t i = *at;
            *at = s->members[i].next;
            s->members[i].next = s->free_members;
            s->free_members = i;
            return;
        }
}

void emit_row(Stays *s, const Stay *stay) {
    if (!grow((void **)&s->out, s->n_out, s->cap_out, sizeof *s->out, &s->cap_out)) {
        s->failed = 1;
        return;
    }
    s->out[s->n_out++] = *stay;
}

/* ---- the path, for depth ------------------------------------------------------------------- */

/* Measure the member's stay from its head along the points kept, then to an end point, if any,
   which lies on end_edge of the boundary (-1: it does not). */
static void measure(Stays *s, Track *t, Member *m, const double *end_lat, const double *end_lon,
                    int32_t end_edge) {
    double point[PATH_POINTS + 2][2];
    int32_t n = 1, more = t->path >= 0 ? t->path_n - m->head_next : 0;
    point[0][0] = m->head_lat;
    point[0][1] = m->head_lon;
    if (more > 0) {
        memcpy(point[1], s->paths[t->path].point[m->head_next], more * sizeof point[0]);
        n += more;
    }
    if (end_lat) {
        point[n][0] = *end_lat;
        point[n++][1] = *end_lon;
    }
    if (n > 1) depth_follow(s->index, m, (const double (*)[2])point, n, end_edge);
}

void path_measure(Stays *s, Track *t, Member *m) { measure(s, t, m, NULL, NULL, -1); }

static int any_open(const Stays *s, const Track *t) {
    for (int32_t i = t->members; i >= 0; i = s->members[i].next)
        if (s->members[i].open) return 1;
    return 0;
}

static void path_drop(Stays *s, Track *t) {
    if (t->path < 0) return;
    s->paths[t->path].next_free = s->free_paths;
    s->free_paths = t->path;
    t->path = -1;
}

static int path_take(Stays *s, Track *t) {
    if (s->free_paths >= 0) {
        t->path = s->free_paths;
        s->free_paths = s->paths[t->path].next_free;
    } else {
        int64_t cap = s->cap_paths;
        if (!grow((void **)&s->paths, s->n_paths, cap, sizeof *s->paths, &cap)) {
            s->failed = 1;
            return 0;
        }
        s->cap_paths = (int32_t)cap;
        t->path = s->n_paths++;
        memset(&s->paths[t->path], 0, sizeof *s->paths);
    }
    t->path_n = 0;
    return 1;
}

void path_add(Stays *s, Track *t, double lat, double lon) {
    if (t->path_n == PATH_POINTS) {
        for (int32_t i = t->members; i >= 0; i = s->members[i].next)
            if (s->members[i].open) {
                measure(s, t, &s->members[i], NULL, NULL, -1);
                s->members[i].head_next = 0;
            }
        t->path_n = 0;
    }
    double *point = s->paths[t->path].point[t->path_n++];
    point[0] = lat;
    point[1] = lon;
}

void path_settle(Stays *s, Track *t) {
    if (!any_open(s, t)) path_drop(s, t);
    else if (t->path < 0) path_take(s, t);
}

/* ---- opening and closing ------------------------------------------------------------------- */

void stay_open(Stays *s, Track *t, Member *m, int kind, int64_t time, double lat,
                      double lon, uint32_t reports_before) {
    m->open = 1;
    m->saw_known = m->saw_unknown = 0;
    m->first_report = reports_before;
    m->head_lat = lat;
    m->head_lon = lon;
    m->head_m = -1;
    m->head_next = t->path >= 0 ? t->path_n : 0;
    m->near_edge = -1;
    m->stay = (Stay){time, NO_TIME, time, NO_TIME, 0, lat, lon, NAN, NAN, 0.0, NAN,
                     (int32_t)(t - s->tracks), m->zone, (uint8_t)kind, 0, OBSERVED, UNLIMITED};
    if (kind == APPEARED) m->stay.earliest_us = NO_TIME;
    if (!s->live) return;
    if (grow((void **)&s->opened, s->n_opened, s->cap_opened, sizeof *s->opened, &s->cap_opened))
        s->opened[s->n_opened++] = m->stay;
    else
        s->failed = 1;
}

static uint8_t vertical_word(const ZoneInfo *zone, const Member *m) {
    if (!zone->has_vertical) return UNLIMITED;
    if (!m->saw_unknown) return KNOWN;
    return m->saw_known ? PARTLY : UNKNOWN;
}

void stay_close(Stays *s, Track *t, Member *m, int kind, int64_t time, double lat, double lon,
                int32_t edge) {
    Stay *stay = &m->stay;
    measure(s, t, m, &lat, &lon, edge);
    stay->exit_us = time;
    stay->exit_lat = lat;
    stay->exit_lon = lon;
    stay->exit_kind = (uint8_t)kind;
    stay->latest_us = kind == VANISHED ? NO_TIME : kind == LOST ? stay->latest_us : time;
    if (kind == LOST && stay->latest_us == NO_TIME) stay->latest_us = time;
    stay->report_count = (int64_t)(t->n_reports - m->first_report);
    stay->vertical = vertical_word(&s->index->zones[m->zone], m);
    if (stay->earliest_us != NO_TIME && stay->latest_us != NO_TIME)
        stay->longest_s = 1e-6 * (double)(stay->latest_us - stay->earliest_us);
    m->open = 0;
    emit_row(s, stay);
}

/* ---- heights and validity at one moment ---------------------------------------------------- */

int in_force(const ZoneInfo *z, int64_t time) { return time >= z->from_us && time < z->to_us; }

/* Whether a known or unknown altitude lets a track that is inside the rings be in the zone. */
int height_allows(const ZoneInfo *z, double alt) {
    return !z->has_vertical || z->unchecked || !(alt == alt) ||
           (alt >= z->floor_ft && alt <= z->ceil_ft);
}

void see_height(const ZoneInfo *z, Member *m, double alt) {
    if (!z->has_vertical) return;
    if (z->unchecked || !(alt == alt)) m->saw_unknown = 1;
    else m->saw_known = 1;
}

/* How far altitude and time may run before a stay of this track can change. */
void watch_again(Stays *s, Track *t) {
    t->watched = 0;
    t->alt_lo = -INFINITY;
    t->alt_hi = INFINITY;
    t->t_hi = INT64_MAX;
    for (int32_t i = t->members; i >= 0; i = s->members[i].next) {
        const ZoneInfo *z = &s->index->zones[s->members[i].zone];
        if (!z->limited) continue;
        t->watched = 1;
        int64_t change = t->t < z->from_us ? z->from_us : t->t < z->to_us ? z->to_us : INT64_MAX;
        if (change < t->t_hi) t->t_hi = change;
        /* Just at a floor, a ceiling or an end of validity: the next leg tells which side it is. */
        if (s->members[i].open != (in_force(z, t->t) && height_allows(z, t->alt))) t->t_hi = t->t;
        if (!z->has_vertical || z->unchecked || !(t->alt == t->alt)) continue;
        double lo = z->floor_ft, hi = z->ceil_ft;
        if (t->alt > z->ceil_ft) lo = nextafter(z->ceil_ft, INFINITY), hi = INFINITY;
        else if (t->alt < z->floor_ft) lo = -INFINITY, hi = nextafter(z->floor_ft, -INFINITY);
        t->alt_lo = fmax(t->alt_lo, lo);
        t->alt_hi = fmin(t->alt_hi, hi);
    }
}
