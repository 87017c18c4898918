/* How a track moves: course, speed, climb and turn.
 *
 * What a report says of them is taken before what its way tells: a transponder or a radar tracker
 * knows them better than two positions do. The course is averaged over some seconds, since at ten
 * minutes' distance one degree is 2.5 km at 480 kt; a turn is not averaged away but followed.
 */
#include <string.h>

#include "warn.h"

#define ANCHOR_US 5000000
#define LONG_US 60000000       /* a course from positions is taken over this or what there is; */
#define LEAST_US 24000000      /* and not over less; */
#define SHORT_US 18000000      /* but over this where the two differ, for then it turns */
#define APART_DEG 10.0
#define LEVEL_FPM 150.0        /* a lesser rate is level flight */
#define TURN_LEAST_US 8000000  /* a rate of turn over at least this */
#define TURN_MOST_US 30000000
#define OUT_OF_LINE_DEG 6.0    /* further from the mean than this is another course */

/* The newest anchor at least so old, else the oldest; NULL where there is none. */
static const Anchor *anchor_of(const WarnSettings *set, const WarnTrack *k, int64_t t,
                               int64_t age_us) {
    const Anchor *found = NULL;
    for (int32_t i = 0; i < k->n_anchors; i++) {
        if (t - k->anchor[i].t > set->max_gap_us) break;
        found = &k->anchor[i];
        if (t - found->t >= age_us) break;
    }
    return found;
}

/* Course and speed from an anchor to here; 0 where they cannot be told. */
static int way_from(const Anchor *a, const Update *u, double *course, double *speed_mps) {
    double s;
    if (geodesic_inverse(a->lat, a->lon, u->lat, u->lon, &s, NULL, course)) return 0;
    *speed_mps = s / (1e-6 * (double)(u->t - a->t));
    return 1;
}

static void from_way(const WarnSettings *set, const WarnTrack *k, const Update *u, Motion *m) {
    const Anchor *far = anchor_of(set, k, u->t, LONG_US), *near = anchor_of(set, k, u->t, SHORT_US);
    double course, speed_mps, now, now_mps;
    if (!(m->course == m->course && m->speed_mps == m->speed_mps) &&
        far && u->t - far->t >= LEAST_US && way_from(far, u, &course, &speed_mps)) {
        if (near != far && way_from(near, u, &now, &now_mps) &&
            fabs(turn_between(course, now)) > APART_DEG)
            course = now, speed_mps = now_mps;
        if (!(m->speed_mps == m->speed_mps)) m->speed_mps = speed_mps;
        if (!(m->course == m->course) && speed_mps > 0) m->course = course;
    }
    if (!(m->climb_fpm == m->climb_fpm) && near && u->t > near->t)
        m->climb_fpm = (u->alt - near->alt) / (1e-6 * (double)(u->t - near->t)) * 60.0;
}

static double rate_of_turn(const WarnSettings *set, const WarnTrack *k, int64_t t, double course) {
    for (int32_t i = 0; i < k->n_anchors; i++) {
        const Anchor *a = &k->anchor[i];
        if (t - a->t < TURN_LEAST_US) continue;
        if (t - a->t > TURN_MOST_US || !(a->course == a->course)) break;
        double rate = turn_between(a->course, course) / (1e-6 * (double)(t - a->t));
        return fabs(rate) >= set->turn_min_deg_s ? rate : 0.0;
    }
    return 0.0;
}

static double smoothed(const WarnSettings *set, WarnTrack *k, const Update *u, double course,
                       int turning) {
    double dt = k->update_us == NO_TIME ? 1e9 : 1e-6 * (double)(u->t - k->update_us);
    double off = turn_between(k->smooth_deg, course);
    if (!k->n_smooth || turning || fabs(off) > OUT_OF_LINE_DEG || set->smooth_s <= 0) {
        k->n_smooth = 0;
        k->smooth_deg = course;
    } else {
        double share = fmax(dt / (set->smooth_s + dt), 1.0 / (k->n_smooth + 1.0));
        k->smooth_deg = remainder(k->smooth_deg + share * off, 360.0);
    }
    k->n_smooth++;
    return k->smooth_deg;
}

static void keep_anchor(WarnTrack *k, const Update *u, double course) {
    if (k->n_anchors && u->t - k->anchor[0].t < ANCHOR_US) return;
    if (k->n_anchors < ANCHORS) k->n_anchors++;
    memmove(k->anchor + 1, k->anchor, (size_t)(k->n_anchors - 1) * sizeof *k->anchor);
    k->anchor[0] = (Anchor){u->t, u->lat, u->lon, u->alt, course};
}

Motion motion_of(const WarnSettings *set, WarnTrack *k, const Update *u) {
    Motion m = {0, u->course, u->speed_mps, u->climb_fpm, 0.0};
    int derived = !(m.course == m.course) || !(m.speed_mps == m.speed_mps);
    if (derived || !(m.climb_fpm == m.climb_fpm)) from_way(set, k, u, &m);
    if (!(u->alt == u->alt)) m.climb_fpm = NAN;
    else if (!(fabs(m.climb_fpm) >= LEVEL_FPM)) m.climb_fpm = 0.0;
    double course = m.course;
    m.known = !u->ground && course == course && m.speed_mps >= set->min_speed_mps &&
              m.speed_mps <= set->max_speed_mps;
    if (m.known) {
        m.turn_deg_s = rate_of_turn(set, k, u->t, course);
        m.course = smoothed(set, k, u, course, m.turn_deg_s != 0.0);
    }
    keep_anchor(k, u, m.known ? course : NAN);
    return m;
}
