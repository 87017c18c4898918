/* Where a motion leads: rays solved against the zones.
 *
 * A ray is the geodesic from the present place along a course at the present speed; leg.c solves
 * it as it solves any leg, so a predicted entry is as exact as an observed one. The altitude is
 * linear until it would pass the ground, then level there.
 */
#include <stdlib.h>

#include "warn.h"

#define RAY_STEP_DEG 7.5
#define FAN_MOST_DEG 90.0

static Hit *hit_of(Hits *h, int32_t zone) {
    for (int32_t i = 0; i < h->n; i++)
        if (h->hit[i].zone == zone) return &h->hit[i];
    return NULL;
}

static Hit *hit_add(Hits *h, int32_t zone) {
    if (h->n == h->cap) {
        int32_t cap = h->cap ? h->cap * 2 : 32;
        Hit *grown = realloc(h->hit, (size_t)cap * sizeof *grown);
        if (!grown) return NULL;
        h->hit = grown;
        h->cap = cap;
    }
    h->hit[h->n] = (Hit){.zone = zone};
    return &h->hit[h->n++];
}

/* The geodesic from a place for some seconds, beginning after some seconds. */
static void ray_init(Leg *leg, const Update *u, double course, double speed_mps, double from_s,
                     double seconds, double alt1, double alt2) {
    double lat = u->lat, lon = u->lon, lat2, lon2, azimuth = course, s = speed_mps * seconds;
    if (from_s > 0) {
        geodesic_direct(u->lat, u->lon, course, speed_mps * from_s, &lat, &lon);
        geodesic_direct(u->lat, u->lon, course, speed_mps * (from_s + seconds), &lat2, &lon2);
        geodesic_inverse(lat, lon, lat2, lon2, NULL, &azimuth, NULL);
        lon = remainder(lon, 360.0);
    } else {
        geodesic_direct(lat, lon, azimuth, s, &lat2, &lon2);
    }
    lon2 = remainder(lon2, 360.0);
    if (lon >= 180.0) lon -= 360.0;
    if (lon2 >= 180.0) lon2 -= 360.0;
    int64_t t1 = u->t + (int64_t)llround(1e6 * from_s);
    *leg = (Leg){t1, t1 + (int64_t)llround(1e6 * seconds), lat, lon, alt1, lat2, lon2, alt2,
                 {0}, {0}, s, azimuth, 1};
    to_ecef(lat, lon, leg->p1);
    to_ecef(lat2, lon2, leg->p2);
    double high = fmin(fmax(fabs(lat), fabs(lat2)) + s / 4e5, 89.9);
    leg->pieces = 1 + (int32_t)(s / fmin(20000.0, 24000.0 / sqrt(tan(high * DEG) + 0.01)));
}

/* Enter the zones over a place, as those the leg begins within. */
static int begin_within(Warn *w, double lat, double lon) {
    int32_t zones[MAX_SET];
    int32_t n = zones_at(w->index, lat, lon, zones, MAX_SET);
    if (n < 0) w->crowded = 1;
    w->work.n = 0;
    for (int32_t i = 0; i < n; i++) {
        Presence *p = leg_zone(&w->work, zones[i]);
        if (!p) return 0;
        p->inside_before = 1;
    }
    return 1;
}

/* Solve one ray. first: it begins where the aircraft is. */
static int solve_ray(Warn *w, const Leg *leg, double from_s, double wider, double limit_s,
                     int course) {
    Hits *h = &w->hits;
    double seconds = 1e-6 * (double)(leg->t2 - leg->t1);
    if (!begin_within(w, leg->lat1, leg->lon1) || leg_solve(w->index, leg, &w->work)) return 0;
    h->touches |= w->work.n_crossings > 0;
    for (int32_t i = 0; i < w->work.n; i++) {
        const Presence *p = &w->work.zone[i];
        const Span *span = w->work.span + p->span0;
        if (!p->n) continue;
        int inside = from_s <= 0 && span->from <= 0;
        double after_s = from_s + span->from * seconds;
        Hit *hit = hit_of(h, p->zone);
        if (!inside && after_s > fmin(w->set.horizon_s[p->zone] * wider, limit_s)) continue;
        if (hit && (hit->inside || hit->course < course || hit->after_s <= after_s)) continue;
        if (!hit && !(hit = hit_add(h, p->zone))) return 0;
        hit->course = (uint8_t)course;
        hit->inside = (uint8_t)inside;
        hit->after_s = after_s;
        if (!inside) leg_point(leg, span->from, &hit->lat, &hit->lon);
    }
    return 1;
}

static int along(Warn *w, const Update *u, const Motion *m, double course, double seconds,
                 double wider, double limit_s, int kind) {
    Leg leg;
    double alt1 = u->alt, rate = m->climb_fpm / 60.0, alt2 = alt1 + rate * seconds;
    double falls_s = rate < 0 ? alt1 / -rate : INFINITY;
    if (falls_s >= 1.0 && falls_s < seconds - 1.0) { /* down to the ground, and along it */
        ray_init(&leg, u, course, m->speed_mps, 0, falls_s, alt1, 0.0);
        if (!solve_ray(w, &leg, 0, wider, limit_s, kind)) return 0;
        ray_init(&leg, u, course, m->speed_mps, falls_s, seconds - falls_s, 0.0, 0.0);
        return solve_ray(w, &leg, falls_s, wider, limit_s, kind);
    }
    if (falls_s < 1.0) alt2 = alt1;
    ray_init(&leg, u, course, m->speed_mps, 0, seconds, alt1, alt2);
    return solve_ray(w, &leg, 0, wider, limit_s, kind);
}

int predict(Warn *w, const Update *u, const Motion *m, double wider) {
    const WarnSettings *set = &w->set;
    double left = -set->cone_deg, right = set->cone_deg;
    double on = fmin(fmax(m->turn_deg_s * set->turn_ahead_s, -FAN_MOST_DEG), FAN_MOST_DEG);
    w->hits.n = 0;
    w->hits.touches = 0;
    if (set->longest_s <= 0) return 1;
    if (on < 0) left += on;
    else right += on;
    if (!along(w, u, m, m->course, set->longest_s * wider, wider, INFINITY, COURSE_NOMINAL))
        return 0;
    int rays = (int)ceil((right - left) / RAY_STEP_DEG);
    double limit_s = fmin(set->longest_s, set->cone_horizon_s) * wider;
    for (int i = 0; rays > 0 && i <= rays; i++) {
        double off = left + (right - left) * i / rays;
        if (fabs(off) < 0.5) continue;
        if (!along(w, u, m, m->course + off, limit_s, wider, limit_s, COURSE_CONE)) return 0;
    }
    return 1;
}

int inside_now(Warn *w, const Update *u, int32_t zone) {
    const ZoneInfo *z = &w->index->zones[zone];
    int32_t zones[MAX_SET];
    if (u->t < z->from_us || u->t >= z->to_us) return 0;
    if (z->has_vertical && !z->unchecked && (u->alt < z->floor_ft || u->alt > z->ceil_ft)) return 0;
    int32_t n = zones_at(w->index, u->lat, u->lon, zones, MAX_SET);
    for (int32_t i = 0; i < n; i++)
        if (zones[i] == zone) return 1;
    return 0;
}

int passed_through(Warn *w, const WarnTrack *k, const Update *u, int32_t zone) {
    Leg leg;
    leg_init(&leg, k->update_us, k->lat, k->lon, k->alt, u->t, u->lat, u->lon, u->alt);
    if (!begin_within(w, k->lat, k->lon) || leg_solve(w->index, &leg, &w->work)) {
        w->failed = 1;
        return 0;
    }
    for (int32_t i = 0; i < w->work.n; i++)
        if (w->work.zone[i].zone == zone) return w->work.zone[i].n > 0;
    return 0;
}

int64_t far_until(const Warn *w, const Update *u) {
    const ZoneIndex *x = w->index;
    double p[3], where, least_s = 86400.0;
    to_ecef(u->lat, u->lon, p);
    for (int32_t i = 0; i < x->n_zones; i++) {
        const Node *root = &x->nodes[x->zones[i].root];
        double chord = sqrt(segment_distance2(root->a, root->b, p, &where)) - root->r;
        double free_s = chord * WGS84_A / w->set.max_speed_mps - w->set.horizon_s[i] * w->set.clear_factor;
        if (free_s < least_s) least_s = free_s;
    }
    return least_s > 0 ? u->t + (int64_t)(1e6 * least_s) : u->t;
}
