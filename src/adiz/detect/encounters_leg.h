/* The geometry of two legs; see encounters_leg.c. */
#ifndef ADIZ_ENCOUNTERS_LEG_H
#define ADIZ_ENCOUNTERS_LEG_H

#include "encounters.h"

#define SPEED_SLACK_M 1000.0 /* position noise must not make a leg impossible */
#define FLAT_M 5000.0 /* below, a chord's bulge (0.5 m) moves distances by under a millimetre */

typedef struct {
    const Point *u, *v;
    double d[3], h[3]; /* chord; four times the bulge along the normal */
    double bend, per_us; /* per_us: one over its time */
    int curved;
} Leg;

/* The common time of two legs. */
typedef struct {
    Leg a, b;
    int64_t o0;
    double off_a, off_b, span; /* microseconds */
    int vertical;              /* altitudes known */
    double z0, z1;             /* a above b at the two ends, feet */
    double alt0, alt1;         /* mean of the two */
    double a0[3], b0[3], a1[3], b1[3]; /* where they are at the two ends */
} Overlap;

static inline double dot(const double a[3], const double b[3]) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static inline double chord2(const Point *u, const Point *v) {
    double d[3] = {v->p[0] - u->p[0], v->p[1] - u->p[1], v->p[2] - u->p[2]};
    return dot(d, d);
}

/* Whether a leg leads from u to v. */
static inline void leg_mark(const Settings *set, const Point *u, Point *v) {
    int64_t dt = v->t - u->t;
    uint32_t flags = v->flags & ~(uint32_t)(POINT_LEG | POINT_TOO_FAST | POINT_LONG);
    if (dt <= set->max_gap_us && !((u->flags | flags) & POINT_GROUND)) {
        double reach = set->max_speed_mps * (double)dt * 1e-6 + SPEED_SLACK_M, q = chord2(u, v);
        flags |= q <= reach * reach ? POINT_LEG : POINT_TOO_FAST;
        if (q > FLAT_M * FLAT_M) flags |= POINT_LONG;
    }
    v->flags = flags;
}

/* Where the leg is at a time, given in microseconds after its start. */
static inline void leg_at(const Leg *l, double tau, double out[3]) {
    double x = tau * l->per_us;
    if (!l->curved) {
        for (int i = 0; i < 3; i++) out[i] = l->u->p[i] + x * l->d[i];
        return;
    }
    double w = x * (1.0 - x), y = x + l->bend * (2.0 * x - 1.0) * w;
    for (int i = 0; i < 3; i++) out[i] = l->u->p[i] + y * l->d[i] + w * l->h[i];
}

void leg_set(Leg *l, const Point *u, const Point *v);
/* Set .o0, .span, and what follows from them and the legs, but for the altitudes. */
void overlap_set(Overlap *o, int64_t o0, int64_t o1);
/* Altitudes of both legs on one datum: pressure before geometric, else unknown. */
void overlap_altitudes(Overlap *o);
double overlap_squared(const Overlap *o, double x);
/* The interval within the lateral limit; returns 0 where there is none. *xm: nearest instant. */
int within_lateral(const Overlap *o, double limit_q, double *s, double *e, double *xm);
/* Narrow [s, e] to where the vertical distance is within the limit. */
void narrow_vertical(const Overlap *o, double limit, double *s, double *e);

#endif
