/* Boxes about what the tracks fly in each step of the sweep, made as the reports come in, while
 * these are still in the processor's cache. A box may be too large and a track may have several in
 * a step (where reports came out of order): that costs looks, but changes no result. */
#include "encounters_leg.h"

/* The part within [k0, k1] of a leg that is long in time. */
static void reach_part(Box *box, const Point *u, const Point *v, int64_t k0, int64_t k1) {
    double dt = (double)(v->t - u->t), x0 = 0.0, x1 = 1.0, at[3];
    if (u->t < k0) x0 = (double)(k0 - u->t) / dt;
    if (v->t > k1) x1 = (double)(k1 - u->t) / dt;
    for (int j = 0; j < 3; j++) at[j] = u->p[j] + x0 * (v->p[j] - u->p[j]);
    box_reach(box, at, u->baro);
    for (int j = 0; j < 3; j++) at[j] = u->p[j] + x1 * (v->p[j] - u->p[j]);
    box_reach(box, at, v->baro);
}

/* The track's box in the step that ends at .end. */
static Box *box_in(Fold *f, Track *t, uint32_t slot, int64_t end) {
    if (t->box_end == end) return &f->steps[t->box_step].boxes[t->box_at];
    t->box_step = step_at(f, end - f->set.step_us);
    Step *step = &f->steps[t->box_step];
    if (!grow((void **)&step->boxes, &step->cap, step->n + 1, sizeof(Box))) {
        f->failed = 1;
        return NULL;
    }
    t->box_end = end;
    t->box_at = step->n++;
    t->joined = 0;
    f->n_boxes++;
    Box *box = &step->boxes[t->box_at];
    for (int j = 0; j < 4; j++) box->lo[j] = INFINITY, box->hi[j] = -INFINITY;
    box->bulge_m = 0.0f;
    box->track = slot;
    return box;
}

/* Put the leg from u to v into the boxes of its steps between .base and .stop. */
static void box_leg(Fold *f, uint32_t slot, const Point *u, const Point *v, int64_t stop) {
    Track *t = &f->tracks[slot];
    int64_t step_us = f->set.step_us, a = step_floor(u->t, step_us);
    int whole = 2 * (v->t - u->t) <= step_us; /* a short leg is as well taken whole */
    float bulge = v->flags & POINT_LONG ? (float)leg_bulge_m(u, v) : 0.0f;
    for (a = a < f->base ? f->base : a; a < v->t && a < stop; a += step_us) {
        Box *box = box_in(f, t, slot, a + step_us);
        if (!box) return;
        if (!whole) {
            reach_part(box, u, v, a, a + step_us);
        } else {
            if (!t->joined) box_reach(box, u->p, u->baro);
            box_reach(box, v->p, v->baro);
        }
        if (bulge > box->bulge_m) box->bulge_m = bulge;
    }
    t->joined = 1;
}

void track_box(Fold *f, uint32_t slot, const Point *u, const Point *v) {
    Track *t = &f->tracks[slot];
    if (leg_valid(v))
        box_leg(f, slot, u, v, INT64_MAX);
    else
        t->joined = 0;
    t->boxed++;
}

void track_boxes(Fold *f, uint32_t slot, int64_t end) {
    Track *t = &f->tracks[slot];
    for (; t->boxed + 1 < t->n && !f->failed; t->boxed++) {
        const Point *u = t->points[t->boxed], *v = t->points[t->boxed + 1];
        if (u->t >= end) return;
        if (leg_valid(v) && v->t > f->base)
            box_leg(f, slot, u, v, end);
        else
            t->joined = 0;
        if (leg_valid(v) && v->t > end) return; /* it goes on beyond: again, from .base on */
    }
}

void boxes_reset(Fold *f) {
    for (uint32_t i = 0; i < STEPS; i++) f->steps[i].n = 0;
    f->n_boxes = 0;
    f->base = NO_TIME;
    for (uint32_t i = 0; i < f->n_tracks; i++) {
        f->tracks[i].boxed = f->tracks[i].first;
        f->tracks[i].box_end = NO_TIME;
        f->tracks[i].joined = 0;
    }
}
