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

#include "geodesic.h"

int grow(void **data, uint32_t *cap, uint32_t wanted, size_t size) {
    if (wanted <= *cap) return 1;
    size_t cap_new = *cap + *cap / 2;
    if (cap_new < wanted) cap_new = wanted;
    if (cap_new < 8) cap_new = 8;
    if (cap_new > UINT32_MAX) return 0;
    void *p = realloc(*data, cap_new * size);
    if (!p) return 0;
    *data = p;
    *cap = (uint32_t)cap_new;
    return 1;
}

uint32_t table_hash(const void *data, size_t len) {
    const unsigned char *p = data;
    uint64_t h = 0x9E3779B97F4A7C15u ^ len;
    while (len >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        h = (h ^ w) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
        p += 8;
        len -= 8;
    }
    uint64_t w = 0;
    memcpy(&w, p, len);
    h = (h ^ w) * 0xD6E8FEB86659FD93u;
    return (uint32_t)(h >> 32);
}

Fold *fold_new(const Settings *set) {
    Fold *f = calloc(1, sizeof(Fold));
    if (!f) return NULL;
    f->set = *set;
    double chord = chord_from_geodesic(set->within_m);
    f->limit_q = chord * chord;
    f->watermark = f->swept = NO_TIME;
    return f;
}

void fold_free(Fold *f) {
    if (!f) return;
    for (uint32_t i = 0; i < f->n_tracks; i++) {
        free(f->tracks[i].points);
        free(f->tracks[i].name);
    }
    for (uint32_t i = 0; i < f->n_sources; i++) free(f->sources[i]);
    free(f->tracks);
    free(f->free_tracks);
    free(f->names.slot);
    free(f->pairs);
    free(f->pair_table.slot);
    free(f->done);
    free(f->sources);
    free(f);
}

static uint32_t name_place(const Fold *f, const char *name, uint32_t len, uint32_t hash) {
    uint32_t mask = f->names.size - 1, i = hash & mask;
    while (f->names.slot[i]) {
        const Track *t = &f->tracks[f->names.slot[i] - 1];
        if (t->hash == hash && t->name_len == len && !memcmp(t->name, name, len)) break;
        i = (i + 1) & mask;
    }
    return i;
}

static int names_index(Fold *f, uint32_t size) {
    if (size != f->names.size) {
        uint32_t cap = f->names.size;
        if (!grow((void **)&f->names.slot, &cap, size, sizeof(uint32_t))) return 0;
        f->names.size = size;
    }
    memset(f->names.slot, 0, size * sizeof(uint32_t));
    for (uint32_t i = 0; i < f->n_tracks; i++) {
        const Track *t = &f->tracks[i];
        if (t->used) f->names.slot[name_place(f, t->name, t->name_len, t->hash)] = i + 1;
    }
    return 1;
}

uint32_t fold_track(Fold *f, const char *name, uint32_t len) {
    uint32_t hash = table_hash(name, len), slot;
    if (f->names.size) {
        uint32_t found = f->names.slot[name_place(f, name, len, hash)];
        if (found) return found - 1;
    }
    char *copy = malloc(len ? len : 1);
    if (f->n_free) {
        slot = f->free_tracks[--f->n_free];
    } else {
        if (!copy ||
            !grow((void **)&f->tracks, &f->cap_tracks, f->n_tracks + 1, sizeof(Track))) {
            free(copy);
            f->failed = 1;
            return UINT32_MAX;
        }
        slot = f->n_tracks++;
    }
    Track *t = &f->tracks[slot];
    memset(t, 0, sizeof *t);
    if (!copy) {
        f->failed = 1;
        return UINT32_MAX;
    }
    memcpy(copy, name, len);
    t->name = copy;
    t->name_len = len;
    t->hash = hash;
    t->used = 1;
    f->names.n++;
    if (f->names.n * 2 > f->names.size) {
        if (!names_index(f, f->names.size ? f->names.size * 2 : 1024)) f->failed = 1;
    } else {
        f->names.slot[name_place(f, name, len, hash)] = slot + 1;
    }
    return slot;
}

uint32_t fold_source(Fold *f, const char *text, uint32_t len) {
    for (uint32_t i = f->n_sources; i-- > 0;)
        if (strlen(f->sources[i]) == len && !memcmp(f->sources[i], text, len)) return i;
    char *copy = malloc(len + 1);
    if (!copy || !grow((void **)&f->sources, &f->cap_sources, f->n_sources + 1, sizeof(char *))) {
        free(copy);
        f->failed = 1;
        return 0;
    }
    memcpy(copy, text, len);
    copy[len] = 0;
    f->sources[f->n_sources] = copy;
    return f->n_sources++;
}

Point *fold_points(Fold *f, uint32_t track, uint32_t n) {
    Track *t = &f->tracks[track];
    if (!grow((void **)&t->points, &t->cap, n, sizeof(Point))) {
        f->failed = 1;
        return NULL;
    }
    t->n = n;
    return t->points;
}

void fold_add(Fold *f, uint32_t track, int64_t t, double lat, double lon, double baro, double geom,
              uint32_t source, uint32_t flags) {
    if (f->failed) return;
    if (!(fabs(lat) <= 90.0) || !(fabs(lon) <= 1e6)) {
        f->counts.unusable++;
        return;
    }
    if (f->watermark != NO_TIME && t < f->watermark - f->set.lateness_us) {
        f->counts.late++;
        return;
    }
    Track *k = &f->tracks[track];
    if (!grow((void **)&k->points, &k->cap, k->n + 1, sizeof(Point))) {
        f->failed = 1;
        return;
    }
    Point *p = &k->points[k->n];
    to_ecef(lat, remainder(lon, 360.0), p->p);
    for (int i = 0; i < 3; i++) p->p[i] *= WGS84_A;
    p->t = t;
    p->baro = (float)baro;
    p->geom = (float)geom;
    p->source = source;
    p->flags = flags;
    if (k->n && t <= p[-1].t) k->dirty = 1;
    k->n++;
}

/* Unknown altitudes sort last. */
static int by_altitude(float a, float b) {
    if (isnan(a) || isnan(b)) return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

static _Thread_local char **texts; /* of the sources, while sorting */

/* Time, latitude, longitude, altitude; beyond that only to be the same whatever came first. */
static int by_time(const void *va, const void *vb) {
    const Point *a = va, *b = vb;
    if (a->t != b->t) return a->t < b->t ? -1 : 1;
    if (a->p[2] != b->p[2]) return a->p[2] < b->p[2] ? -1 : 1;
    double la = atan2(a->p[1], a->p[0]), lb = atan2(b->p[1], b->p[0]);
    if (la != lb) return la < lb ? -1 : 1;
    int c = by_altitude(a->baro, b->baro);
    if (!c) c = by_altitude(a->geom, b->geom);
    if (!c) c = (a->flags > b->flags) - (a->flags < b->flags);
    return c ? c : strcmp(texts[a->source], texts[b->source]);
}

static void settle(Fold *f, Track *t) {
    if (!t->dirty) return;
    uint32_t kept = 1;
    texts = f->sources;
    qsort(t->points, t->n, sizeof(Point), by_time);
    for (uint32_t i = 1; i < t->n; i++) {
        if (t->points[i].t == t->points[kept - 1].t)
            f->counts.same_time++;
        else
            t->points[kept++] = t->points[i];
    }
    t->n = kept;
    t->dirty = 0;
}

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
        if (!leg_valid(f, u, v)) continue;
        double dt = (double)(v->t - u->t);
        double x0 = u->t < k0 ? (double)(k0 - u->t) / dt : 0.0;
        double x1 = v->t > k1 ? (double)(k1 - u->t) / dt : 1.0;
        for (int j = 0; j < 3; j++) {
            double d = v->p[j] - u->p[j], a = u->p[j] + x0 * d, b = u->p[j] + x1 * d;
            double lo = a < b ? a : b, hi = a < b ? b : a;
            if (lo < box->lo[j]) box->lo[j] = lo;
            if (hi > box->hi[j]) box->hi[j] = hi;
        }
        double bulge = leg_bulge_m(u, v);
        if (bulge > slack) slack = bulge;
        known &= !isnan(u->baro + v->baro);
        lo_ft = fminf(lo_ft, fminf(u->baro, v->baro));
        hi_ft = fmaxf(hi_ft, fmaxf(u->baro, v->baro));
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

/* One step; returns the earliest time at which anything is left to do. */
static int64_t step(Fold *f, Sweep *s, int64_t k0, int64_t k1) {
    int64_t soonest = INT64_MAX;
    s->n_boxes = 0;
    for (uint32_t i = 0; i < s->n_active;) {
        Track *t = &f->tracks[s->active[i]];
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

/* Drop what lies before the leg under way, save one report that tells what went before it. */
static void trim(Fold *f, Track *t) {
    uint32_t drop = t->first > 1 ? t->first - 1 : 0;
    if (!drop) return;
    for (uint32_t i = 1; i <= drop; i++) {
        const Point *u = &t->points[i - 1], *v = u + 1;
        if (v->t - u->t <= f->set.max_gap_us && !((u->flags | v->flags) & POINT_GROUND) &&
            !leg_valid(f, u, v))
            f->counts.too_fast++;
    }
    t->n -= drop;
    t->first -= drop;
    memmove(t->points, t->points + drop, t->n * sizeof(Point));
    if (t->cap > 64 && t->n * 4 < t->cap) {
        Point *less = realloc(t->points, t->n * 2 * sizeof(Point));
        if (less) {
            t->points = less;
            t->cap = t->n * 2;
        }
    }
}

void fold_forget(Fold *f) {
    uint32_t gone = 0;
    for (uint32_t i = 0; i < f->n_tracks; i++) {
        Track *t = &f->tracks[i];
        if (!t->used || t->open || t->n > 2 ||
            (t->n && t->points[t->n - 1].t + f->set.max_gap_us >= f->swept))
            continue;
        t->first = t->n;
        trim(f, t);
        free(t->points);
        free(t->name);
        memset(t, 0, sizeof *t);
        gone++;
        f->names.n--;
        if (grow((void **)&f->free_tracks, &f->cap_free, f->n_free + 1, sizeof(uint32_t)))
            f->free_tracks[f->n_free++] = i;
    }
    if (gone && !names_index(f, f->names.size)) f->failed = 1;
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
        settle(f, t);
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
        if (f->tracks[i].used) trim(f, &f->tracks[i]);
    }
    free(starts);
    free(s.active);
    free(s.boxes);
    free(s.nodes);
    free(s.heads);
}
