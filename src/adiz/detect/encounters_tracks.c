/* The tracks of a fold: their names, their reports in order of time, and what can be let go. */
#include "encounters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SPARE 1024 /* points; a track with more room than that gives back what it can */

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

Fold *fold_new(const Settings *set) {
    Fold *f = calloc(1, sizeof(Fold));
    if (!f) return NULL;
    f->set = *set;
    double chord = chord_from_geodesic(set->within_m);
    f->limit_q = chord * chord;
    f->watermark = f->swept = f->base = NO_TIME;
    return f;
}

void fold_free(Fold *f) {
    if (!f) return;
    for (uint32_t i = 0; i < f->n_tracks; i++) {
        free(f->tracks[i].room);
        free((char *)f->tracks[i].name.text);
    }
    for (uint32_t i = 0; i < f->n_sources; i++) free(f->sources[i]);
    for (uint32_t i = 0; i < STEPS; i++) free(f->steps[i].boxes);
    free(f->tracks);
    free(f->free_tracks);
    free(f->names.slot);
    free(f->pairs);
    free(f->pair_table.slot);
    free(f->done);
    free(f->sources);
    free(f);
}

static uint32_t name_place(const Fold *f, const Name *name) {
    uint32_t mask = f->names.size - 1, i = name->hash & mask;
    while (f->names.slot[i] && !name_same(&f->tracks[f->names.slot[i] - 1].name, name))
        i = (i + 1) & mask;
    return i;
}

static int names_index(Fold *f, uint32_t size) {
    if (size != f->names.size) {
        uint32_t cap = f->names.size;
        if (!grow((void **)&f->names.slot, &cap, size, sizeof(uint32_t))) return 0;
        f->names.size = size;
    }
    memset(f->names.slot, 0, size * sizeof(uint32_t));
    for (uint32_t i = 0; i < f->n_tracks; i++)
        if (f->tracks[i].used) f->names.slot[name_place(f, &f->tracks[i].name)] = i + 1;
    return 1;
}

uint32_t fold_track(Fold *f, const Name *name) {
    if (f->names.size) {
        uint32_t found = f->names.slot[name_place(f, name)];
        if (found) return found - 1;
    }
    uint32_t slot;
    char *copy = malloc(name->len ? name->len : 1);
    if (!copy || (!f->n_free && !grow((void **)&f->tracks, &f->cap_tracks, f->n_tracks + 1,
                                      sizeof(Track)))) {
        free(copy);
        f->failed = 1;
        return UINT32_MAX;
    }
    slot = f->n_free ? f->free_tracks[--f->n_free] : f->n_tracks++;
    memcpy(copy, name->text, name->len);
    Track *t = &f->tracks[slot];
    memset(t, 0, sizeof *t);
    t->box_end = NO_TIME;
    t->name = *name;
    t->name.text = copy;
    t->used = 1;
    f->names.n++;
    if (f->names.n * 2 > f->names.size) {
        if (!names_index(f, f->names.size ? f->names.size * 2 : 1024)) f->failed = 1;
    } else {
        f->names.slot[name_place(f, name)] = slot + 1;
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

/* Room for more points at the end of a track. What was given up at its start is used again once it
 * is half of the whole, so that each point is moved about once. */
static int reserve(Fold *f, Track *t, uint32_t more) {
    uint64_t wanted = (uint64_t)t->n + more, gone = (uint64_t)(t->points - t->room);
    if (gone + wanted <= t->cap) return 1;
    if (2 * wanted <= t->cap) {
        memmove(t->room, t->points, t->n * sizeof(Point));
        t->points = t->room;
        return 1;
    }
    uint64_t cap = 2 * wanted < 8 ? 8 : 2 * wanted;
    Point *room = cap < UINT32_MAX ? malloc(cap * sizeof(Point)) : NULL;
    if (!room) {
        f->failed = 1;
        return 0;
    }
    if (t->n) memcpy(room, t->points, t->n * sizeof(Point));
    free(t->room);
    t->points = t->room = room;
    t->cap = (uint32_t)cap;
    return 1;
}

Point *fold_points(Fold *f, uint32_t track, uint32_t n) {
    Track *t = &f->tracks[track];
    if (!reserve(f, t, n)) return NULL;
    t->n = n;
    t->fast = 1; /* for all that is known here */
    t->dirty_from = NO_TIME;
    return t->points;
}

/* Append a report to its track. */
static void take(Fold *f, uint32_t slot, const Point *from) {
    Track *t = &f->tracks[slot];
    if (t->points + t->n == t->room + t->cap && !reserve(f, t, 1)) return;
    Point *p = &t->points[t->n++];
    *p = *from;
    if (t->n == 1) return;
    if (p->t <= p[-1].t) {
        if (!t->dirty || p->t < t->dirty_from) t->dirty_from = p->t;
        t->dirty = 1;
    }
    if (t->dirty) return;
    leg_mark(&f->set, p - 1, p);
    t->fast |= (p->flags & POINT_TOO_FAST) != 0;
    /* Steps further ahead than there is room for, and what follows, are left to the sweep. */
    if (t->boxed + 2 == t->n && f->base != NO_TIME && p->t > f->base &&
        p->t <= f->base + STEPS * f->set.step_us)
        track_box(f, slot, p);
}

#define AHEAD 16 /* reports whose tracks are fetched before they are needed */

void fold_take(Fold *f, Chunk *c) {
    int64_t bar = f->watermark == NO_TIME ? INT64_MIN : f->watermark - f->set.lateness_us;
    if (c->failed) f->failed = 1;
    if (f->failed) return;
    f->counts.unusable += c->unusable;
    uint32_t *sources = malloc((c->n_sources + 1) * sizeof(uint32_t));
    if (!sources) f->failed = 1;
    for (uint32_t i = 0; i < c->n_sources && !f->failed; i++)
        sources[i] = fold_source(f, c->sources[i].text, c->sources[i].len);
    for (uint32_t i = 0; i < c->n_runs && !f->failed; i++)
        c->runs[i].slot = fold_track(f, &c->runs[i].name);
    for (uint32_t i = 0; i < c->n && !f->failed; i++) {
        Point *p = &c->points[i];
        if (i + AHEAD < c->n) __builtin_prefetch(&f->tracks[c->runs[c->run_of[i + AHEAD]].slot]);
        if (i + AHEAD / 2 < c->n) {
            const Track *t = &f->tracks[c->runs[c->run_of[i + AHEAD / 2]].slot];
            __builtin_prefetch(t->points + t->n, 1);
            __builtin_prefetch((const char *)(t->points + t->n) + sizeof(Point) - 1, 1);
        }
        if (p->t < bar) {
            f->counts.late++;
            continue;
        }
        if (p->t < f->base && f->swept == NO_TIME) boxes_reset(f);
        p->source = sources[p->source];
        take(f, c->runs[c->run_of[i]].slot, p);
    }
    free(sources);
}

/* Unknown altitudes sort last. */
static int by_altitude(float a, float b) {
    if (isnan(a) || isnan(b)) return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

#define AS_REPORTED (uint32_t)(POINT_ADDRESS | POINT_HAS_ADDRESS | POINT_GROUND)

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
    uint32_t fa = a->flags & AS_REPORTED, fb = b->flags & AS_REPORTED;
    if (!c) c = (fa > fb) - (fa < fb);
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
    while (t->boxed && (t->boxed >= kept || t->points[t->boxed].t >= t->dirty_from)) t->boxed--;
    t->joined = 0;
    t->points[0].flags &= ~(uint32_t)(POINT_LEG | POINT_TOO_FAST);
    for (uint32_t i = 1; i < kept; i++) {
        leg_mark(&f->set, &t->points[i - 1], &t->points[i]);
        t->fast |= (t->points[i].flags & POINT_TOO_FAST) != 0;
    }
}

/* Drop what lies before the leg under way, save one report that tells what went before it. */
void track_trim(Fold *f, Track *t) {
    uint32_t most = t->n;
    while (t->first + 1 < most) { /* the last report up to .swept */
        uint32_t middle = t->first + (most - t->first) / 2;
        if (t->points[middle].t <= f->swept)
            t->first = middle;
        else
            most = middle;
    }
    uint32_t drop = t->first > 1 ? t->first - 1 : 0;
    if (t->boxed < t->first) t->boxed = t->first;
    if (!drop) return;
    for (uint32_t i = 1; i <= drop && t->fast; i++)
        if (t->points[i].flags & POINT_TOO_FAST) f->counts.too_fast++;
    t->boxed -= drop;
    t->n -= drop;
    t->first -= drop;
    t->points += drop;
    if (t->cap > MOST_SPARE && t->n * 8 < t->cap) {
        memmove(t->room, t->points, t->n * sizeof(Point));
        t->points = t->room;
        Point *less = realloc(t->room, t->n * 2 * sizeof(Point));
        if (less) {
            t->points = t->room = less;
            t->cap = t->n * 2;
        }
    }
}

void fold_taken(Fold *f) {
    for (uint32_t i = 0; i < f->n_done; i++) {
        f->tracks[f->done[i].a].open--;
        f->tracks[f->done[i].b].open--;
    }
    f->n_done = 0;
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
        free(t->room);
        free((char *)t->name.text);
        memset(t, 0, sizeof *t);
        gone++;
        f->names.n--;
        if (grow((void **)&f->free_tracks, &f->cap_free, f->n_free + 1, sizeof(uint32_t)))
            f->free_tracks[f->n_free++] = i;
    }
    if (gone && !names_index(f, f->names.size)) f->failed = 1;
}
