/* The sweep: keeps each track's reports until nothing can change them, then goes through time in
 * steps. In a step every track in the air is one box about its legs, the boxes are hashed into
 * cubes of earth-centred space (so neither the poles nor the antimeridian is special), and each
 * pair of boxes that comes within the limit goes to encounters_pair.c, which is exact. The length
 * of a step and the size of a cube decide only how many pairs are looked at, never the result.
 *
 * A step is swept once the watermark has passed its end by max_gap: every leg that crosses it is
 * then known. So what is kept is bounded by the aircraft in the air.
 */
#include "encounters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    uint32_t track, leg;
    int32_t cell[3], end[3]; /* cubes it reaches into */
    float alt_lo, alt_hi;
    double lo[3], hi[3];
} Box;

typedef struct {
    uint32_t box, next;
    int32_t cube[3];
} Node;

typedef struct {
    uint32_t *active, n_active;
    Box *boxes;
    uint32_t n_boxes, cap_boxes;
    Node *nodes;
    uint32_t n_nodes, cap_nodes;
    uint32_t *heads, n_heads; /* a power of two */
    double cube_m;
} Sweep;

/* Box of what a track flies within [k0, k1); 0 where it flies no leg then. */
static int box_of(const Fold *f, const Track *t, int64_t k0, int64_t k1, Box *box) {
    double slack = 0.0;
    float lo_ft = INFINITY, hi_ft = -INFINITY;
    int known = 1, found = 0;
    for (int i = 0; i < 3; i++) box->lo[i] = INFINITY, box->hi[i] = -INFINITY;
    for (uint32_t i = t->first; i + 1 < t->n && t->points[i].t < k1; i++) {
        const Point *u = &t->points[i], *v = u + 1;
        if (!leg_valid(v)) continue;
        double dt = (double)(v->t - u->t), x0 = 0.0, x1 = 1.0;
        if (dt > 0.5 * (double)(k1 - k0)) { /* a short leg is as well taken whole */
            if (u->t < k0) x0 = (double)(k0 - u->t) / dt;
            if (v->t > k1) x1 = (double)(k1 - u->t) / dt;
        }
        for (int j = 0; j < 3; j++) {
            double d = v->p[j] - u->p[j], a = u->p[j] + x0 * d, b = u->p[j] + x1 * d;
            double lo = a < b ? a : b, hi = a < b ? b : a;
            if (lo < box->lo[j]) box->lo[j] = lo;
            if (hi > box->hi[j]) box->hi[j] = hi;
        }
        double bulge = leg_bulge_m(u, v);
        if (bulge > slack) slack = bulge;
        known &= !isnan(u->baro + v->baro);
        float least = u->baro < v->baro ? u->baro : v->baro;
        float most = u->baro < v->baro ? v->baro : u->baro;
        if (least < lo_ft) lo_ft = least;
        if (most > hi_ft) hi_ft = most;
        if (!found) box->leg = i;
        found = 1;
    }
    box->alt_lo = known ? lo_ft : NAN;
    box->alt_hi = known ? hi_ft : NAN;
    slack += 1.0 + 0.5 * f->set.within_m;
    for (int j = 0; j < 3; j++) {
        box->lo[j] -= slack;
        box->hi[j] += slack;
    }
    return found;
}

static int meet(const Fold *f, const Box *a, const Box *b) {
    for (int j = 0; j < 3; j++)
        if (a->lo[j] > b->hi[j] || b->lo[j] > a->hi[j]) return 0;
    double limit = f->set.within_ft;
    return !(a->alt_lo > b->alt_hi + limit || b->alt_lo > a->alt_hi + limit);
}

/* Put a box into one cube, against all that are there. A pair that shares several cubes is taken
 * in the least of them alone. */
static int put(Fold *f, Sweep *s, uint32_t at, const int32_t c[3], int64_t k0, int64_t k1) {
    const Box *box = &s->boxes[at];
    uint32_t h = ((uint32_t)c[0] * 0x9E3779B1u ^ (uint32_t)c[1] * 0x85EBCA77u ^
                  (uint32_t)c[2] * 0xC2B2AE3Du);
    h = (h ^ h >> 15) & (s->n_heads - 1);
    for (uint32_t i = s->heads[h]; i; i = s->nodes[i - 1].next) {
        const Node *node = &s->nodes[i - 1];
        const Box *other = &s->boxes[node->box];
        int least = node->cube[0] == c[0] && node->cube[1] == c[1] && node->cube[2] == c[2];
        for (int j = 0; j < 3; j++) {
            int32_t first = box->cell[j] > other->cell[j] ? box->cell[j] : other->cell[j];
            least &= first == c[j];
        }
        if (least && meet(f, box, other))
            pair_sweep(f, box->track, other->track, box->leg, other->leg, k0, k1);
    }
    if (!grow((void **)&s->nodes, &s->cap_nodes, s->n_nodes + 1, sizeof(Node))) return 0;
    Node *node = &s->nodes[s->n_nodes];
    node->box = at;
    node->next = s->heads[h];
    memcpy(node->cube, c, sizeof node->cube);
    s->heads[h] = ++s->n_nodes;
    return 1;
}

static int hash_boxes(Fold *f, Sweep *s, int64_t k0, int64_t k1) {
    uint32_t heads = 64;
    while (heads < 4 * s->n_boxes) heads *= 2;
    if (heads > s->n_heads) {
        free(s->heads);
        s->heads = malloc(heads * sizeof(uint32_t));
        if (!s->heads) return 0;
    }
    s->n_heads = heads > s->n_heads ? heads : s->n_heads;
    memset(s->heads, 0, s->n_heads * sizeof(uint32_t));
    s->n_nodes = 0;
    for (uint32_t i = 0; i < s->n_boxes; i++) {
        Box *box = &s->boxes[i];
        for (int j = 0; j < 3; j++) {
            box->cell[j] = (int32_t)floor(box->lo[j] / s->cube_m);
            box->end[j] = (int32_t)floor(box->hi[j] / s->cube_m);
        }
        int32_t c[3];
        for (c[0] = box->cell[0]; c[0] <= box->end[0]; c[0]++)
            for (c[1] = box->cell[1]; c[1] <= box->end[1]; c[1]++)
                for (c[2] = box->cell[2]; c[2] <= box->end[2]; c[2]++)
                    if (!put(f, s, i, c, k0, k1)) return 0;
    }
    return !f->failed;
}

#define AHEAD 6 /* tracks whose reports are fetched before they are needed */

/* One step; returns the earliest time at which anything is left to do. */
static int64_t step(Fold *f, Sweep *s, int64_t k0, int64_t k1) {
    int64_t soonest = INT64_MAX;
    s->n_boxes = 0;
    for (uint32_t i = 0; i < s->n_active;) {
        Track *t = &f->tracks[s->active[i]];
        if (i + AHEAD < s->n_active) {
            const Track *later = &f->tracks[s->active[i + AHEAD]];
            const char *at = (const char *)&later->points[later->first];
            for (int k = 0; k < 6; k++) __builtin_prefetch(at + 64 * k);
        }
        while (t->first + 1 < t->n && t->points[t->first + 1].t <= k0) t->first++;
        if (t->first + 1 >= t->n) {
            s->active[i] = s->active[--s->n_active];
            continue;
        }
        if (s->n_boxes == s->cap_boxes &&
            !grow((void **)&s->boxes, &s->cap_boxes, s->n_boxes + 1, sizeof(Box))) {
            f->failed = 1;
            return soonest;
        }
        Box *box = &s->boxes[s->n_boxes];
        int64_t next = t->points[t->first].t;
        if (next < k1 && box_of(f, t, k0, k1, box)) {
            box->track = s->active[i];
            s->n_boxes++;
            next = k1;
        } else if (next < k0) {
            next = t->points[t->first + 1].t; /* within a gap */
        }
        if (next < soonest) soonest = next;
        i++;
    }
    if (s->n_boxes && !hash_boxes(f, s, k0, k1)) f->failed = 1;
    pairs_close(f, k1);
    return soonest;
}

typedef struct {
    int64_t t;
    uint32_t track;
} Start;

static int by_start(const void *va, const void *vb) {
    const Start *a = va, *b = vb;
    return (a->t > b->t) - (a->t < b->t);
}

static int64_t step_floor(int64_t t, int64_t step_us) {
    int64_t q = t / step_us;
    return (q - (t % step_us < 0)) * step_us;
}

void fold_advance(Fold *f, int64_t watermark, int everything) {
    if (watermark > f->watermark) f->watermark = watermark;
    if (f->watermark == NO_TIME || f->failed) return;
    int64_t step_us = f->set.step_us;
    int64_t safe = everything ? INT64_MAX
                              : f->watermark - f->set.lateness_us - f->set.max_gap_us;
    Start *starts = malloc((f->n_tracks + 1) * sizeof(Start));
    Sweep s = {0};
    s.active = malloc((f->n_tracks + 1) * sizeof(uint32_t));
    if (!starts || !s.active) {
        f->failed = 1;
        free(starts);
        free(s.active);
        return;
    }
    uint32_t n = 0, next = 0;
    for (uint32_t i = 0; i < f->n_tracks; i++) {
        Track *t = &f->tracks[i];
        if (!t->used) continue;
        track_settle(f, t);
        if (t->first + 1 >= t->n) continue;
        starts[n].t = t->points[t->first].t;
        starts[n++].track = i;
    }
    qsort(starts, n, sizeof(Start), by_start);
    s.cube_m = 2.0 * (f->set.within_m + 400e-6 * (double)step_us);
    int64_t k0 = f->swept;
    if (n && step_floor(starts[0].t, step_us) > k0) k0 = step_floor(starts[0].t, step_us);
    while ((next < n || s.n_active) && !f->failed) {
        int64_t k1 = k0 + step_us;
        if (k1 > safe) break;
        while (next < n && starts[next].t < k1) s.active[s.n_active++] = starts[next++].track;
        int64_t soonest = step(f, &s, k0, k1);
        if (next < n && starts[next].t < soonest) soonest = starts[next].t;
        f->swept = k1;
        k0 = k1;
        if (soonest != INT64_MAX && step_floor(soonest, step_us) > k1)
            k0 = step_floor(soonest, step_us);
    }
    if (!everything && n == 0 && step_floor(safe, step_us) > f->swept)
        f->swept = step_floor(safe, step_us);
    pairs_close(f, everything ? INT64_MAX : f->swept);
    for (uint32_t i = 0; i < f->n_tracks; i++) {
        if (everything) f->tracks[i].first = f->tracks[i].n;
        if (f->tracks[i].used) track_trim(f, &f->tracks[i]);
    }
    free(starts);
    free(s.active);
    free(s.boxes);
    free(s.nodes);
    free(s.heads);
}
