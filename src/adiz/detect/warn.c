/* Warnings of predicted entries, as a fold over reports.
 *
 * For each track the state is its motion (warn_motion.c) and, for each zone its predictions have
 * met of late, which of the last updates met it (a watch). An update is a report taken at most once
 * in "every" of event time; it shifts each watch by one bit. A warning is raised when enough of the
 * last updates agree, and cleared when none of the last few comes near, when the track is inside,
 * when it is not heard any more, or when the zone ends.
 *
 * Most updates solve nothing: while a track's course, speed and climb are those of its last
 * prediction, that prediction stands for up to "hold", and a track so far from every zone that no
 * aircraft could come within the longest horizon is left alone until it could. When a prediction
 * is due anew depends on the track's name besides, lest those that came up together all be due in
 * one second, again and again.
 */
#include "warn.h"

#include <stdlib.h>
#include <string.h>

#include "membership.h"

#define SAME_COURSE_DEG 1.0
#define SAME_SPEED 0.03
#define SAME_CLIMB_FPM 200.0
#define NEAR_US 30000000 /* an entry sooner than this is looked at anew at every update */

Warn *warn_new(const ZoneIndex *index, const WarnSettings *set) {
    Warn *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->set = *set;
    w->set.horizon_s = NULL;
    w->free_watches = -1;
    if (warn_zones(w, index, set->horizon_s) || names_init(&w->names)) {
        warn_free(w);
        return NULL;
    }
    return w;
}

int warn_zones(Warn *w, const ZoneIndex *index, const double *horizon_s) {
    double *horizon = malloc((size_t)(index->n_zones + 1) * sizeof *horizon);
    if (!horizon) return 1;
    free((void *)w->set.horizon_s);
    memcpy(horizon, horizon_s, (size_t)index->n_zones * sizeof *horizon);
    w->index = index;
    w->set.horizon_s = horizon;
    w->set.longest_s = 0;
    for (int32_t i = 0; i < index->n_zones; i++)
        w->set.longest_s = fmax(w->set.longest_s, horizon[i]);
    return 0;
}

void warn_free(Warn *w) {
    if (!w) return;
    names_free(&w->names);
    leg_zones_free(&w->work);
    free((void *)w->set.horizon_s), free(w->tracks), free(w->watches), free(w->hits.hit);
    free(w->out), free(w);
}

/* ---- watches --------------------------------------------------------------------------------- */

static Watch *watch_add(Warn *w, WarnTrack *k, int32_t zone) {
    int32_t i = w->free_watches;
    if (i >= 0) {
        w->free_watches = w->watches[i].next;
    } else {
        int64_t cap = w->cap_watches;
        if (!grow((void **)&w->watches, w->n_watches, cap, sizeof *w->watches, &cap)) {
            w->failed = 1;
            return NULL;
        }
        w->cap_watches = (int32_t)cap;
        i = w->n_watches++;
    }
    memset(&w->watches[i], 0, sizeof *w->watches);
    w->watches[i].zone = zone;
    w->watches[i].next = k->watches;
    k->watches = i;
    return &w->watches[i];
}

static void emit(Warn *w, const WarnTrack *k, const Watch *x, int change, int reason, int64_t t,
                 const Motion *m, double alt) {
    if (!grow((void **)&w->out, w->n_out, w->cap_out, sizeof *w->out, &w->cap_out)) {
        w->failed = 1;
        return;
    }
    int known = m && m->known;
    double course = known ? m->course : NAN;
    w->out[w->n_out++] =
        (Change){(int32_t)(k - w->tracks), x->zone, (uint8_t)change, x->course, (uint8_t)reason,
                 x->vertical, t, x->raised_us, x->entry_us, x->lat, x->lon,
                 known ? m->speed_mps * 3600.0 / 1852.0 : NAN,
                 course < 0 ? course + 360.0 : course, alt};
}

static void clear_watch(Warn *w, const WarnTrack *k, Watch *x, int reason, int64_t t,
                        const Motion *m, double alt) {
    if (x->standing) emit(w, k, x, CHANGE_CLEARED, reason, t, m, alt);
    x->standing = x->hidden = 0;
}

void watch_end(Warn *w, const WarnTrack *k, Watch *x, int reason) {
    clear_watch(w, k, x, reason, k->t, NULL, k->alt);
    x->next = w->free_watches;
    w->free_watches = (int32_t)(x - w->watches);
}

static int ones(uint32_t bits) { return __builtin_popcount(bits); }

static void raise_watch(Warn *w, const WarnTrack *k, Watch *x, const Update *u, const Motion *m,
                        int course) {
    x->course = (uint8_t)course;
    if (u->suppressed) {
        w->n_suppressed += !x->hidden;
        x->hidden = 1;
        return;
    }
    if (!x->standing) {
        x->raised_us = u->t;
        w->n_raised++;
    }
    x->standing = 1;
    x->hidden = 0;
    emit(w, k, x, CHANGE_RAISED, REASON_NONE, u->t, m, u->alt);
}

/* What a watch's updates amount to, the newest included; returns whether it goes on. */
static int settle(Warn *w, const WarnTrack *k, Watch *x, const Update *u, const Motion *m) {
    const WarnSettings *set = &w->set;
    uint32_t last = (1u << set->of) - 1u, late = (1u << set->clear_after) - 1u;
    int nominal = ones(x->nominal & last) >= set->agree;
    int any = nominal || ones((x->nominal | x->cone) & last) >= set->agree;
    if (x->standing && u->suppressed) {
        clear_watch(w, k, x, REASON_SUPPRESSED, u->t, m, u->alt);
        x->hidden = 1;
        w->n_suppressed++;
    }
    if (x->standing || x->hidden) {
        if (!(x->near & late)) {
            clear_watch(w, k, x, REASON_TURNED, u->t, m, u->alt);
        } else if (x->hidden && !u->suppressed) {
            raise_watch(w, k, x, u, m, x->course);
        } else if (nominal && x->course == COURSE_CONE) {
            raise_watch(w, k, x, u, m, COURSE_NOMINAL);
        }
    } else if (any && x->met) {
        raise_watch(w, k, x, u, m, nominal ? COURSE_NOMINAL : COURSE_CONE);
    }
    return x->standing || x->hidden || ((x->nominal | x->cone) & last);
}

static uint8_t vertical_word(const ZoneInfo *z, double alt) {
    return !z->has_vertical ? UNLIMITED : z->unchecked || !(alt == alt) ? UNKNOWN : KNOWN;
}

static void note_hit(Warn *w, Watch *x, const Update *u, const Hit *hit) {
    const WarnSettings *set = &w->set;
    double horizon = set->horizon_s[x->zone];
    int cone = hit->course == COURSE_CONE;
    if (cone) horizon = fmin(horizon, set->cone_horizon_s);
    x->near |= 1;
    if (hit->after_s <= horizon) {
        if (cone) x->cone |= 1;
        else x->nominal |= 1;
        x->met = 1;
    }
    x->entry_us = u->t + (int64_t)llround(1e6 * hit->after_s);
    x->lat = hit->lat;
    x->lon = hit->lon;
    x->vertical = vertical_word(&w->index->zones[x->zone], u->alt);
}

/* Take an update's hits (solved), or the bits of the update before once more (not solved). */
static void update_watches(Warn *w, WarnTrack *k, const Update *u, const Motion *m, int solved) {
    int32_t *at = &k->watches;
    while (*at >= 0) {
        int32_t i = *at;
        Watch *x = &w->watches[i];
        const ZoneInfo *z = &w->index->zones[x->zone];
        const Hit *hit = NULL;
        for (int32_t h = 0; solved && h < w->hits.n; h++)
            if (w->hits.hit[h].zone == x->zone) hit = &w->hits.hit[h];
        int inside = hit && hit->inside, goes_on = 0;
        uint16_t again = solved ? 0 : 1;
        x->nominal = (uint16_t)(x->nominal << 1 | (x->nominal & again));
        x->cone = (uint16_t)(x->cone << 1 | (x->cone & again));
        x->near = (uint16_t)(x->near << 1 | (x->near & again));
        x->met = solved ? 0 : x->met;
        if (solved && !m->known) inside = inside_now(w, u, x->zone);
        if (solved && !inside && x->standing && x->entry_us <= u->t)
            inside = passed_through(w, k, u, x->zone);
        if (hit && !hit->inside) note_hit(w, x, u, hit);
        if (inside) clear_watch(w, k, x, REASON_ENTERED, u->t, m, u->alt);
        else if (z->to_us <= u->t) clear_watch(w, k, x, REASON_ENDED, u->t, m, u->alt);
        else goes_on = settle(w, k, x, u, m);
        if (goes_on) {
            at = &x->next;
        } else {
            *at = x->next;
            x->next = w->free_watches;
            w->free_watches = i;
        }
    }
}

/* Hits of zones not watched so far. */
static void add_watches(Warn *w, WarnTrack *k, const Update *u, const Motion *m) {
    for (int32_t h = 0; h < w->hits.n; h++) {
        const Hit *hit = &w->hits.hit[h];
        int known = hit->inside;
        for (int32_t i = k->watches; i >= 0 && !known; i = w->watches[i].next)
            known = w->watches[i].zone == hit->zone;
        if (known) continue;
        Watch *x = watch_add(w, k, hit->zone);
        if (!x) return;
        note_hit(w, x, u, hit);
        settle(w, k, x, u, m);
    }
}

/* ---- an update ------------------------------------------------------------------------------- */

static int any_standing(const Warn *w, const WarnTrack *k) {
    for (int32_t i = k->watches; i >= 0; i = w->watches[i].next)
        if (w->watches[i].standing || w->watches[i].hidden) return 1;
    return 0;
}

/* Whether the last prediction still tells where the track goes. */
static int as_held(const WarnTrack *k, const Update *u, const Motion *m) {
    if (u->t > k->hold_us || !m->known || m->turn_deg_s != 0.0) return 0;
    if (fabs(turn_between(k->held_course, m->course)) > SAME_COURSE_DEG) return 0;
    if (fabs(m->speed_mps - k->held_speed) > SAME_SPEED * k->held_speed) return 0;
    int climbs = m->climb_fpm == m->climb_fpm;
    if (climbs != (k->held_climb == k->held_climb)) return 0;
    return !climbs || fabs(m->climb_fpm - k->held_climb) <= SAME_CLIMB_FPM;
}

static int64_t bucket(int64_t t, int64_t every) {
    return t >= 0 ? t / every : -((-t + every - 1) / every);
}

/* How long a prediction just made may stand: to the end of the track's own hold, hold_us at most. */
static void hold(Warn *w, WarnTrack *k, const Update *u, const Motion *m) {
    int64_t whole = w->set.hold_us, shift = whole ? (int64_t)(u->hash % (uint64_t)whole) : 0;
    k->hold_us = whole ? (bucket(u->t - shift, whole) + 1) * whole + shift : u->t;
    k->held_course = (float)m->course;
    k->held_speed = (float)m->speed_mps;
    k->held_climb = (float)m->climb_fpm;
    if (!m->known) k->hold_us = u->t;
    for (int32_t i = k->watches; i >= 0; i = w->watches[i].next)
        if (w->watches[i].entry_us - NEAR_US < k->hold_us)
            k->hold_us = w->watches[i].entry_us - NEAR_US;
}

static void take_update(Warn *w, WarnTrack *k, const Update *u) {
    Motion m = motion_of(&w->set, k, u);
    int solved = !as_held(k, u, &m);
    w->n_updates++;
    k->next_us = u->t;
    if (solved) {
        w->n_solved++;
        w->hits.n = w->hits.touches = 0;
        if (m.known && !predict(w, u, &m, any_standing(w, k) ? w->set.clear_factor : 1.0))
            w->failed = 1;
    }
    update_watches(w, k, u, &m, solved);
    if (solved) {
        add_watches(w, k, u, &m);
        hold(w, k, u, &m);
        if (k->watches < 0 && !w->hits.touches) k->next_us = far_until(w, u);
    }
    k->update_us = u->t;
    k->lat = u->lat;
    k->lon = u->lon;
    k->alt = u->alt;
}

#define FAR_US 400000000000000000 /* some 12,000 years: beyond, sums might overflow */

/* ---- the step -------------------------------------------------------------------------------- */

/* The track is no more: its warnings are lost with it. */
void track_forget(Warn *w, WarnTrack *k) {
    for (int32_t i = k->watches, next; i >= 0; i = next) {
        next = w->watches[i].next;
        watch_end(w, k, &w->watches[i], REASON_LOST);
    }
    *k = (WarnTrack){.t = NO_TIME, .next_us = NO_TIME, .update_us = NO_TIME, .hold_us = NO_TIME,
                     .watches = -1, .alt = NAN};
}

static WarnTrack *track_of(Warn *w, const NameKey *key) {
    int32_t known = w->names.n, i = names_find(&w->names, key);
    if (i < 0) return NULL;
    if (i < known) return &w->tracks[i];
    int64_t cap = w->cap_tracks;
    if (!grow((void **)&w->tracks, i, cap, sizeof *w->tracks, &cap)) return NULL;
    w->cap_tracks = (int32_t)cap;
    w->tracks[i] = (WarnTrack){.watches = -1};
    track_forget(w, &w->tracks[i]);
    w->n_dead++;
    return &w->tracks[i];
}

static double optional(const Optional *o, int64_t i) {
    if (!o->value) return NAN;
    int64_t j = o->offset + i;
    return o->valid && !(o->valid[j >> 3] >> (j & 7) & 1) ? NAN : o->value[i];
}

static void take_report(Warn *w, const WarnColumns *in, int64_t i, WarnTrack *k, uint64_t hash) {
    Update u = {.t = in->time_us[i], .lat = in->lat[i], .lon = in->lon[i], .hash = hash};
    if (!(u.lat >= -90.0 && u.lat <= 90.0) || !(fabs(u.lon) <= 540.0) ||
        u.t == NO_TIME || llabs(u.t) > FAR_US) {
        w->n_invalid++;
        return;
    }
    if (u.t <= k->t) {
        w->n_disorder++;
        return;
    }
    if (k->t != NO_TIME && u.t - k->t > w->set.max_gap_us) track_forget(w, k);
    else if (k->t == NO_TIME) w->n_dead--;
    k->t = u.t;
    w->n_reports++;
    if (u.t < k->next_us) return;
    if (k->update_us != NO_TIME &&
        bucket(u.t, w->set.every_us) == bucket(k->update_us, w->set.every_us))
        return;
    u.lon = remainder(u.lon, 360.0);
    if (u.lon >= 180.0) u.lon -= 360.0;
    double baro = optional(&in->baro, i), speed = optional(&in->gs, i) * 1852.0 / 3600.0;
    u.alt = baro == baro ? baro : optional(&in->geom, i);
    if (!(fabs(u.alt) <= 1e6)) u.alt = NAN;
    u.speed_mps = speed >= 0 && speed <= w->set.max_speed_mps ? speed : NAN;
    u.course = optional(&in->course, i);
    if (!(fabs(u.course) <= 720.0)) u.course = NAN;
    u.climb_fpm = optional(&in->climb, i);
    if (!(fabs(u.climb_fpm) <= 100000.0)) u.climb_fpm = NAN;
    u.ground = in->ground && in->ground[i];
    u.suppressed = in->suppressed && in->suppressed[i];
    take_update(w, k, &u);
}

#define BLOCK 32

int warn_step(Warn *w, const WarnColumns *in) {
    NameKey key[BLOCK];
    int32_t track[BLOCK];
    for (int64_t i = 0; i < in->n; i += BLOCK) {
        int n = in->n - i < BLOCK ? (int)(in->n - i) : BLOCK;
        for (int j = 0; j < n; j++)
            key[j] = names_key(&w->names, in->track_id + i + j, in->track_data);
        for (int j = 0; j < n; j++) {
            WarnTrack *k = track_of(w, &key[j]);
            if (!k) return STEP_NO_MEMORY;
            track[j] = (int32_t)(k - w->tracks);
            __builtin_prefetch(k, 1);
        }
        for (int j = 0; j < n; j++) 
            take_report(w, in, i + j, &w->tracks[track[j]], key[j].hash);
        if (w->failed || w->crowded) break;
    }
    return w->failed ? STEP_NO_MEMORY : w->crowded ? STEP_CROWDED : STEP_OK;
}
