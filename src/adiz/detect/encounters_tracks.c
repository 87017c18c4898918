/* The tracks of a fold: their names, their reports in order of time, and what can be let go. */
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

/* Length and first 12 bytes, zero padded: all of a short name. */
static void name_head(const char *name, uint32_t len, uint64_t head[2]) {
    char bytes[16] = {0};
    memcpy(bytes, &len, 4);
    memcpy(bytes + 4, name, len < 12 ? len : 12);
    memcpy(head, bytes, 16);
}

static uint32_t name_hash(const char *name, uint32_t len, const uint64_t head[2]) {
    uint64_t h = (head[0] ^ head[1] * 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u;
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93u;
    for (uint32_t i = 12; i < len; i++) h = (h ^ (unsigned char)name[i]) * 0x100000001B3u;
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

static int is_named(const Track *t, const char *name, uint32_t len, const uint64_t head[2]) {
    return t->head[0] == head[0] && t->head[1] == head[1] &&
           (len <= 12 || !memcmp(t->name, name, len));
}

static uint32_t name_place(const Fold *f, const char *name, uint32_t len,
                           const uint64_t head[2], uint32_t hash) {
    uint32_t mask = f->names.size - 1, i = hash & mask;
    while (f->names.slot[i]) {
        const Track *t = &f->tracks[f->names.slot[i] - 1];
        if (is_named(t, name, len, head)) break;
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
        if (t->used) f->names.slot[name_place(f, t->name, t->name_len, t->head, t->hash)] = i + 1;
    }
    return 1;
}

uint32_t fold_track(Fold *f, const char *name, uint32_t len, uint32_t after) {
    uint64_t head[2];
    name_head(name, len, head);
    uint32_t slot = after < f->n_tracks ? f->tracks[after].next : UINT32_MAX;
    if (slot < f->n_tracks && f->tracks[slot].used && is_named(&f->tracks[slot], name, len, head))
        return slot;
    uint32_t hash = name_hash(name, len, head);
    if (f->names.size) {
        uint32_t found = f->names.slot[name_place(f, name, len, head, hash)];
        if (found) {
            if (after < f->n_tracks) f->tracks[after].next = found - 1;
            return found - 1;
        }
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
    memcpy(t->head, head, sizeof head);
    t->used = 1;
    f->names.n++;
    if (f->names.n * 2 > f->names.size) {
        if (!names_index(f, f->names.size ? f->names.size * 2 : 1024)) f->failed = 1;
    } else {
        f->names.slot[name_place(f, name, len, head, hash)] = slot + 1;
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

/* Sine and cosine of up to ±pi by Taylor series about the nearest quarter turn (error 1e-16); a
 * loop over it is vectorised, which calls to libm are not. */
static inline void sine_cosine(double x, double *sine, double *cosine) {
    double quarter = x * (2.0 / PI);
    int k = (int)(quarter + (quarter < 0.0 ? -0.5 : 0.5));
    double r = x - k * (0.5 * PI), q = r * r;
    double s = -1.0 / 1307674368000.0 + q / 355687428096000.0;
    s = 1.0 / 6227020800.0 + q * s;
    s = -1.0 / 39916800.0 + q * s;
    s = 1.0 / 362880.0 + q * s;
    s = -1.0 / 5040.0 + q * s;
    s = 1.0 / 120.0 + q * s;
    s = r + r * q * (-1.0 / 6.0 + q * s);
    double c = -1.0 / 87178291200.0 + q / 20922789888000.0;
    c = 1.0 / 479001600.0 + q * c;
    c = -1.0 / 3628800.0 + q * c;
    c = 1.0 / 40320.0 + q * c;
    c = -1.0 / 720.0 + q * c;
    c = 1.0 / 24.0 + q * c;
    c = 1.0 + q * (-0.5 + q * c);
    double a = k & 1 ? c : s, b = k & 1 ? s : c;
    *sine = k & 2 ? -a : a;
    *cosine = (k + 1) & 2 ? -b : b;
}

void place_block(const double *lat, const double *lon, int n, double *x, double *y, double *z) {
    for (int i = 0; i < n; i++) {
        double sin_lat, cos_lat, sin_lon, cos_lon;
        sine_cosine(lat[i] * DEG, &sin_lat, &cos_lat);
        sine_cosine(lon[i] * DEG, &sin_lon, &cos_lon);
        double normal = WGS84_A / sqrt(1.0 - WGS84_E2 * sin_lat * sin_lat);
        x[i] = normal * cos_lat * cos_lon;
        y[i] = normal * cos_lat * sin_lon;
        z[i] = normal * (1.0 - WGS84_E2) * sin_lat;
    }
}

void fold_add(Fold *f, uint32_t track, int64_t t, const double place[3], double baro, double geom,
              uint32_t source, uint32_t flags) {
    if (f->failed) return;
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
    memcpy(p->p, place, sizeof p->p);
    p->t = t;
    p->baro = (float)baro;
    p->geom = (float)geom;
    p->source = source;
    p->flags = flags;
    if (k->n && t <= p[-1].t) k->dirty = 1;
    if (k->n && !k->dirty) leg_mark(f, p - 1, p);
    k->n++;
}

void fold_fetch(const Fold *f, uint32_t track) {
    const Track *t = &f->tracks[track];
    if (t->n) {
        __builtin_prefetch(&t->points[t->n - 1], 1);
        __builtin_prefetch((const char *)&t->points[t->n] + 40, 1);
    }
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

void track_settle(Fold *f, Track *t) {
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
    t->points[0].flags &= ~(uint32_t)(POINT_LEG | POINT_TOO_FAST);
    for (uint32_t i = 1; i < kept; i++) leg_mark(f, &t->points[i - 1], &t->points[i]);
}

/* Drop what lies before the leg under way, save one report that tells what went before it. */
void track_trim(Fold *f, Track *t) {
    uint32_t drop = t->first > 1 ? t->first - 1 : 0;
    if (!drop) return;
    for (uint32_t i = 1; i <= drop; i++)
        if (t->points[i].flags & POINT_TOO_FAST) f->counts.too_fast++;
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
        track_trim(f, t);
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
