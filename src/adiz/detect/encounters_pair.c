/* Open encounters: begun, carried on, summed up and finished.
 *
 * Speeds and headings are compared over displacements of whole minutes from the encounter's start,
 * whatever the steps of the sweep, so that the figures do not depend on these.
 */
#include "encounters_leg.h"

#include <math.h>
#include <string.h>

static uint64_t pair_key(uint32_t a, uint32_t b) { return (uint64_t)a << 32 | b; }

static uint32_t pair_place(const Fold *f, uint32_t a, uint32_t b) {
    uint64_t key = pair_key(a, b) * 0x9E3779B97F4A7C15u;
    uint32_t mask = f->pair_table.size - 1, i = (uint32_t)(key >> 32) & mask;
    while (f->pair_table.slot[i]) {
        const Pair *p = &f->pairs[f->pair_table.slot[i] - 1];
        if (p->a == a && p->b == b) break;
        i = (i + 1) & mask;
    }
    return i;
}

static void pairs_index(Fold *f, uint32_t size) {
    if (size != f->pair_table.size) {
        uint32_t cap = f->pair_table.size;
        if (!grow((void **)&f->pair_table.slot, &cap, size, sizeof(uint32_t))) {
            f->failed = 1;
            return;
        }
        f->pair_table.size = size;
    }
    memset(f->pair_table.slot, 0, size * sizeof(uint32_t));
    for (uint32_t i = 0; i < f->n_pairs; i++)
        f->pair_table.slot[pair_place(f, f->pairs[i].a, f->pairs[i].b)] = i + 1;
}

void fold_put_pair(Fold *f, const Pair *p) {
    if (!grow((void **)&f->pairs, &f->cap_pairs, f->n_pairs + 1, sizeof(Pair))) {
        f->failed = 1;
        return;
    }
    f->pairs[f->n_pairs++] = *p;
    f->tracks[p->a].open++;
    f->tracks[p->b].open++;
    if (f->n_pairs * 2 > f->pair_table.size)
        pairs_index(f, f->pair_table.size ? f->pair_table.size * 2 : 1024);
    else
        f->pair_table.slot[pair_place(f, p->a, p->b)] = f->n_pairs;
}

static double angle(const double a[3], const double b[3]) {
    double c = dot(a, b) / sqrt(dot(a, a) * dot(b, b));
    return acos(c > 1.0 ? 1.0 : c < -1.0 ? -1.0 : c);
}

/* One minute (or the rest of one) of an encounter: displacements give speed and heading. */
static void add_window(Pair *p, const double a[3], const double b[3], double dt) {
    double va[3], vb[3], sum[3], d[3];
    for (int i = 0; i < 3; i++) {
        va[i] = (a[i] - p->wa[i]) / dt;
        vb[i] = (b[i] - p->wb[i]) / dt;
        sum[i] = va[i] + vb[i];
        d[i] = a[i] - b[i];
    }
    Sums *s = &p->sums;
    double na = sqrt(dot(va, va)), nb = sqrt(dot(vb, vb)), q = dot(d, d);
    double lateral = sqrt(q), along = sqrt(dot(sum, sum));
    s->weight_s += dt;
    s->speed_s += fabs(na - nb) * dt;
    s->path_m += 0.5 * (na + nb) * dt;
    s->lateral_s += lateral * dt;
    s->lateral2_s += q * dt;
    if (na > 1.0 && nb > 1.0) {
        s->heading_s += angle(va, vb) * dt;
        s->heading_w += dt;
    }
    if (dt * 1e6 >= WINDOW_US) {
        if (along > 1.0 && dot(p->course, p->course) > 1.0) {
            s->turned += angle(sum, p->course);
            s->turned_s += dt;
        }
        memcpy(p->course, sum, sizeof p->course);
    }
    if (along > 1.0 && lateral > 1.0) s->trail_s += fabs(dot(d, sum)) / (lateral * along) * dt;
    if (!isnan(p->last_dz)) {
        s->vertical_s += fabs(p->last_dz) * dt;
        s->vertical_w += dt;
    }
    memcpy(p->wa, a, sizeof p->wa);
    memcpy(p->wb, b, sizeof p->wb);
}

void pair_sum_up(Pair *p) {
    int64_t rest = p->last - p->window;
    if (rest > 0 && (rest * 2 >= WINDOW_US || p->window == p->start))
        add_window(p, p->la, p->lb, (double)rest * 1e-6);
}

static void finish(Fold *f, Pair *p) {
    if (p->last - p->start < f->set.for_us) {
        f->tracks[p->a].open--;
        f->tracks[p->b].open--;
        return;
    }
    pair_sum_up(p);
    if (!grow((void **)&f->done, &f->cap_done, f->n_done + 1, sizeof(Pair))) {
        f->failed = 1;
        return;
    }
    f->done[f->n_done++] = *p;
}

void pairs_close(Fold *f, int64_t before) {
    uint32_t kept = 0, n = f->n_pairs;
    for (uint32_t i = 0; i < n; i++) {
        if (f->pairs[i].last < before)
            finish(f, &f->pairs[i]);
        else {
            if (kept != i) f->pairs[kept] = f->pairs[i];
            kept++;
        }
    }
    f->n_pairs = kept;
    if (kept != n) pairs_index(f, f->pair_table.size);
}

/* Begin an encounter, or begin it anew where the last one of the pair has ended. */
static Pair *begin(Fold *f, uint32_t a, uint32_t b, const Overlap *o, int64_t s, uint8_t appeared) {
    Pair fresh;
    memset(&fresh, 0, sizeof fresh);
    fresh.a = a;
    fresh.b = b;
    fresh.start = fresh.last = fresh.window = s;
    fresh.min_time = NO_TIME;
    fresh.min_q = INFINITY;
    fresh.min_vertical = fresh.start_alt = fresh.last_alt = fresh.last_dz = NAN;
    fresh.source_a = o->a.u->source;
    fresh.source_b = o->b.u->source;
    fresh.appeared = appeared;
    leg_at(&o->a, o->off_a + (double)(s - o->o0), fresh.wa);
    leg_at(&o->b, o->off_b + (double)(s - o->o0), fresh.wb);
    for (int i = 0; i < 3; i++) fresh.start_mid[i] = 0.5 * (fresh.wa[i] + fresh.wb[i]);
    uint32_t place = f->pair_table.size ? pair_place(f, a, b) : 0;
    if (f->pair_table.size && f->pair_table.slot[place]) {
        Pair *p = &f->pairs[f->pair_table.slot[place] - 1];
        finish(f, p);
        f->tracks[a].open++;
        f->tracks[b].open++;
        *p = fresh;
        return p;
    }
    fold_put_pair(f, &fresh);
    return f->failed ? NULL : &f->pairs[f->n_pairs - 1];
}

/* Add [s, e] of an overlap (times within it) to an encounter; xm: the nearest instant. */
static void extend(Pair *p, const Overlap *o, int64_t s, int64_t e, double xm) {
    double x0 = (double)(s - o->o0), x1 = (double)(e - o->o0);
    double x = xm < x0 ? x0 : xm > x1 ? x1 : xm, q = overlap_squared(o, x);
    if (q < p->min_q) {
        p->min_q = q;
        p->min_time = o->o0 + llround(x);
    }
    double slope = o->vertical ? (o->z1 - o->z0) / o->span : 0.0;
    if (o->vertical) {
        double z0 = o->z0 + slope * x0, z1 = o->z0 + slope * x1;
        double least = z0 * z1 <= 0.0 ? 0.0 : fmin(fabs(z0), fabs(z1));
        if (!(p->min_vertical <= least)) p->min_vertical = least;
        p->known_us += e - s;
        double climb = (o->alt1 - o->alt0) / o->span;
        if (isnan(p->start_alt)) p->start_alt = o->alt0 + climb * x0;
        p->last_alt = o->alt0 + climb * x1;
    } else {
        p->unknown_us += e - s;
    }
    while (p->window + WINDOW_US <= e) {
        double a[3], b[3];
        int64_t end = p->window + WINDOW_US;
        double xe = (double)(end - o->o0);
        leg_at(&o->a, o->off_a + xe, a);
        leg_at(&o->b, o->off_b + xe, b);
        p->last_dz = o->vertical ? o->z0 + slope * xe : NAN;
        add_window(p, a, b, WINDOW_US * 1e-6);
        p->window = end;
    }
    p->last = e;
    p->last_dz = o->vertical ? o->z0 + slope * x1 : NAN;
    leg_at(&o->a, o->off_a + x1, p->la);
    leg_at(&o->b, o->off_b + x1, p->lb);
}

static int no_leg_before(const Track *t, uint32_t i) { return !leg_valid(t->points[i]); }

static int no_leg_after(const Track *t, uint32_t i) {
    return i + 2 >= t->n || !leg_valid(t->points[i + 2]);
}

/* No point of the leg from u to v is further from u. */
static double leg_reach(const Point *u, const Point *v) {
    return v->flags & POINT_LONG ? INFINITY : sqrt(chord2(u, v)) + 1.0;
}

/* Legs .ia and .ib in their common time; *o may hold one of them from the call before. */
static void overlap(Fold *f, Overlap *o, uint32_t a, uint32_t b, uint32_t ia, uint32_t ib,
                    int64_t o0, int64_t o1, int64_t k0, int64_t k1) {
    const Track *ta = &f->tracks[a], *tb = &f->tracks[b];
    double s, e, xm;
    if (o->a.u != ta->points[ia]) leg_set(&o->a, ta->points[ia], ta->points[ia + 1]);
    if (o->b.u != tb->points[ib]) leg_set(&o->b, tb->points[ib], tb->points[ib + 1]);
    overlap_set(o, o0, o1);
    overlap_altitudes(o);
    double limit = f->set.within_ft;
    if (o->vertical && fabs(o->z0) > limit && fabs(o->z1) > limit && o->z0 * o->z1 > 0.0) return;
    if (!within_lateral(o, f->limit_q, &s, &e, &xm)) return;
    if (o->vertical) narrow_vertical(o, limit, &s, &e);
    if (s > e) return;
    int64_t ts = s == 0.0 ? o0 : o0 + llround(s), te = e == o->span ? o1 : o0 + llround(e);
    int64_t from = ts > k0 ? ts : k0, to = te < k1 ? te : k1;
    if (from >= to) return;
    Pair *p = NULL;
    uint32_t place = f->pair_table.size ? pair_place(f, a, b) : 0;
    if (f->pair_table.size && f->pair_table.slot[place]) {
        p = &f->pairs[f->pair_table.slot[place] - 1];
        if (p->last >= to) return; /* a track may have several boxes in a step */
        if (p->last != from) p = NULL;
    }
    if (!p) {
        uint8_t appeared = from == o0 && ((o0 == o->a.u->t && no_leg_before(ta, ia)) ||
                                          (o0 == o->b.u->t && no_leg_before(tb, ib)));
        p = begin(f, a, b, o, from, appeared);
        if (!p) return;
    }
    extend(p, o, from, to, xm);
    p->vanished = to == o1 && ((o1 == o->a.v->t && no_leg_after(ta, ia)) ||
                               (o1 == o->b.v->t && no_leg_after(tb, ib)));
}

static int same_aircraft(const Point *a, const Point *b) {
    return (a->flags & b->flags & POINT_HAS_ADDRESS) &&
           (a->flags & POINT_ADDRESS) == (b->flags & POINT_ADDRESS);
}

/* Start of the first leg that ends after k0. */
static uint32_t leg_after(Track *t, int64_t k0) {
    while (t->first + 1 < t->n && t->points[t->first + 1]->t <= k0) t->first++;
    return t->first;
}

void pair_sweep(Fold *f, uint32_t a, uint32_t b, int64_t k0, int64_t k1) {
    Track *ta = &f->tracks[a], *tb = &f->tracks[b];
    uint32_t shorter = ta->name.len < tb->name.len ? ta->name.len : tb->name.len;
    int order = memcmp(ta->name.text, tb->name.text, shorter);
    if (order > 0 || (order == 0 && ta->name.len > tb->name.len)) {
        pair_sweep(f, b, a, k0, k1);
        return;
    }
    uint32_t ia = leg_after(ta, k0), ib = leg_after(tb, k0);
    Overlap o;
    o.a.u = o.b.u = NULL;
    double la = -1.0, lb = -1.0; /* how far the legs reach, once that is known */
    while (ia + 1 < ta->n && ib + 1 < tb->n) {
        const Point *au = ta->points[ia], *av = ta->points[ia + 1];
        const Point *bu = tb->points[ib], *bv = tb->points[ib + 1];
        int64_t o0 = au->t > bu->t ? au->t : bu->t, o1 = av->t < bv->t ? av->t : bv->t;
        if (o0 >= k1) return;
        int a_next = av->t <= bv->t, b_next = bv->t <= av->t;
        if (o0 < o1 && o1 > k0 && leg_valid(av) && leg_valid(bv) && !same_aircraft(au, bu)) {
            if (la < 0.0) la = leg_reach(au, av);
            if (lb < 0.0) lb = leg_reach(bu, bv);
            double near = la + lb + f->set.within_m;
            if (chord2(au, bu) <= near * near) overlap(f, &o, a, b, ia, ib, o0, o1, k0, k1);
        }
        if (a_next) ia++, la = -1.0;
        if (b_next) ib++, lb = -1.0;
    }
}
