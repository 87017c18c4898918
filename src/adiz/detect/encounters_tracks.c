/* The tracks of a fold: their names, their reports in order of time, and what can be let go. */
#include "encounters_leg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define AS_REPORTED (uint32_t)(POINT_ADDRESS | POINT_HAS_ADDRESS | POINT_GROUND)
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
    for (uint32_t i = f->first_segment; i < f->n_segments; i++) free(f->segments[i].points);
    free(f->segments);
    while (f->n_spare) free(f->spare[--f->n_spare].points);
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
 * is a fifth of the whole: a track that flies on and on does not grow. */
static int reserve(Fold *f, Track *t, uint32_t more) {
    uint64_t wanted = (uint64_t)t->n + more, cap = 2 * wanted < 8 ? 8 : 2 * wanted;
    if (t->left >= more) return 1;
    if (wanted + wanted / 4 <= t->cap) {
        memmove(t->room, t->points, t->n * sizeof(Point *));
    } else {
        Point **room = cap < UINT32_MAX ? malloc(cap * sizeof(Point *)) : NULL;
        if (!room) {
            f->failed = 1;
            return 0;
        }
        if (t->n) memcpy(room, t->points, t->n * sizeof(Point *));
        free(t->room);
        t->room = room;
        t->cap = (uint32_t)cap;
    }
    t->points = t->room;
    t->left = t->cap - t->n;
    return 1;
}

/* Keep a segment, which comes to belong to the fold. */
static int keep(Fold *f, Segment segment) {
    uint32_t first = f->first_segment;
    if (first > 64 && first * 2 > f->n_segments) {
        f->n_segments -= first;
        memmove(f->segments, f->segments + first, f->n_segments * sizeof(Segment));
        f->first_segment = 0;
    }
    if (!grow((void **)&f->segments, &f->cap_segments, f->n_segments + 1, sizeof(Segment))) {
        free(segment.points);
        f->failed = 1;
        return 0;
    }
    f->segments[f->n_segments++] = segment;
    return 1;
}

/* Take the reports of a chunk, which gets other room where it gives up its own. */
static Point *keep_points(Fold *f, Chunk *c) {
    Segment segment = {c->points, c->cap_points, c->latest};
    if (c->n * 2 >= c->cap_points) {
        Segment spare = {0};
        if (f->n_spare) spare = f->spare[--f->n_spare];
        c->points = spare.points;
        c->cap_points = spare.cap;
    } else { /* much room, few reports */
        segment.points = malloc((c->n + 1) * sizeof(Point));
        segment.cap = c->n + 1;
        if (!segment.points) {
            f->failed = 1;
            return NULL;
        }
        memcpy(segment.points, c->points, c->n * sizeof(Point));
    }
    return keep(f, segment) ? segment.points : NULL;
}

void segments_free(Fold *f, int64_t held_since) {
    while (f->first_segment < f->n_segments && !f->failed) {
        Segment *old = &f->segments[f->first_segment];
        if (old->latest >= held_since) return;
        if (f->n_spare < SPARES)
            f->spare[f->n_spare++] = *old;
        else
            free(old->points);
        f->first_segment++;
    }
}

int fold_points(Fold *f, uint32_t track, const void *points, uint32_t n) {
    Track *t = &f->tracks[track];
    Segment segment = {malloc((n + 1) * sizeof(Point)), n + 1, NO_TIME};
    if (!segment.points || !reserve(f, t, n) || !keep(f, segment)) {
        f->failed = 1;
        return 0;
    }
    memcpy(segment.points, points, n * sizeof(Point));
    for (uint32_t i = 0; i < n; i++) {
        t->points[i] = &segment.points[i];
        if (segment.points[i].t > segment.latest) segment.latest = segment.points[i].t;
    }
    f->segments[f->n_segments - 1].latest = segment.latest;
    t->n = n;
    t->left -= n;
    t->fast = 1; /* for all that is known here */
    t->dirty_from = NO_TIME;
    return 1;
}

/* Put the reports of a track that are in no box yet, from number .i on, into boxes. What is further
 * ahead than .until, and what follows it, is left to the sweep. */
static void box_from(Fold *f, uint32_t slot, uint32_t i, int64_t until) {
    Track *t = &f->tracks[slot];
    for (; i < t->n && t->boxed + 1 == i; i++) {
        const Point *p = t->points[i];
        if (p->t > until || p->t <= f->base) return;
        if (t->joined && t->box_end >= p->t &&
            (p->flags & (POINT_LEG | POINT_LONG)) == POINT_LEG) {
            box_reach(&f->steps[t->box_step].boxes[t->box_at], p->p, p->baro);
            t->boxed = i;
        } else {
            track_box(f, slot, t->points[i - 1], p);
            if (f->failed) return;
        }
    }
}

/* Append a report to its track; up to .until there is room for boxes. */
static void take(Fold *f, uint32_t slot, Point *p, int64_t until) {
    Track *t = &f->tracks[slot];
    if (!t->left && !reserve(f, t, 1)) return;
    uint32_t n = t->n++;
    t->left--;
    t->points[n] = p;
    p->flags &= AS_REPORTED; /* as far as its run is concerned a leg may lead here */
    if (!n) return;
    const Point *last = t->points[n - 1];
    if (p->t <= last->t) {
        if (!t->dirty || p->t < t->dirty_from) t->dirty_from = p->t;
        t->dirty = 1;
    }
    if (t->dirty) return;
    leg_mark(&f->set, last, p);
    if (p->flags & POINT_TOO_FAST) t->fast = 1;
    box_from(f, slot, n, until);
}

/* Append reports that follow each other, and what the track has, in time. */
static void take_run(Fold *f, uint32_t slot, Point *points, const Run *run, int64_t until) {
    Track *t = &f->tracks[slot];
    if (t->left < run->n && !reserve(f, t, run->n)) return;
    uint32_t n = t->n;
    for (uint32_t i = 0; i < run->n; i++) t->points[n + i] = &points[i];
    t->n += run->n;
    t->left -= run->n;
    if (n) leg_mark(&f->set, t->points[n - 1], points);
    t->fast |= run->fast || (points->flags & POINT_TOO_FAST);
    box_from(f, slot, n ? n : 1, until);
}

/* What the fold calls the sources of a chunk; NULL where it calls them the same. */
static const uint32_t *find_sources(Fold *f, Chunk *c) {
    int same = 1;
    if (!grow((void **)&c->renamed, &c->cap_renamed, c->n_sources, sizeof(uint32_t)))
        f->failed = 1;
    for (uint32_t i = 0; i < c->n_sources && !f->failed; i++) {
        c->renamed[i] = fold_source(f, c->sources[i].text, c->sources[i].len);
        same &= c->renamed[i] == i;
    }
    return same ? NULL : c->renamed;
}

void fold_take(Fold *f, Chunk *c) {
    int64_t bar = f->watermark == NO_TIME ? INT64_MIN : f->watermark - f->set.lateness_us;
    if (c->failed) f->failed = 1;
    if (f->failed) return;
    const uint32_t *renamed = find_sources(f, c);
    f->counts.unusable += c->unusable;
    Point *kept = c->n && !f->failed ? keep_points(f, c) : NULL;
    for (uint32_t i = 0; i < c->n && renamed && !f->failed; i++)
        kept[i].source = renamed[kept[i].source];
    for (uint32_t r = 0; r < c->n_runs && !f->failed; r++) {
        const Run *run = &c->runs[r];
        Point *points = kept + run->first;
        uint32_t slot = fold_track(f, &run->name);
        if (f->failed) return;
        const Track *t = &f->tracks[slot];
        int64_t until = f->base == NO_TIME ? INT64_MIN : f->base + STEPS * f->set.step_us;
        if (run->in_order && !t->dirty && points->t >= bar &&
            (points->t >= f->base || f->swept != NO_TIME) &&
            (!t->n || points->t > t->points[t->n - 1]->t)) {
            take_run(f, slot, points, run, until);
            continue;
        }
        for (uint32_t i = 0; i < run->n && !f->failed; i++) {
            if (points[i].t < bar) {
                f->counts.late++;
                continue;
            }
            if (points[i].t < f->base && f->swept == NO_TIME) {
                boxes_reset(f);
                until = INT64_MIN;
            }
            take(f, slot, &points[i], until);
        }
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
    const Point *a = *(Point *const *)va, *b = *(Point *const *)vb;
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
    qsort(t->points, t->n, sizeof(Point *), by_time);
    for (uint32_t i = 1; i < t->n; i++) {
        if (t->points[i]->t == t->points[kept - 1]->t)
            f->counts.same_time++;
        else
            t->points[kept++] = t->points[i];
    }
    t->left += t->n - kept;
    t->n = kept;
    t->dirty = 0;
    while (t->boxed && (t->boxed >= kept || t->points[t->boxed]->t >= t->dirty_from)) t->boxed--;
    while (t->saved && (t->saved > kept || t->points[t->saved - 1]->t >= t->dirty_from)) t->saved--;
    t->joined = 0;
    for (uint32_t i = 1; i < kept; i++) {
        leg_mark(&f->set, t->points[i - 1], t->points[i]);
        t->fast |= (t->points[i]->flags & POINT_TOO_FAST) != 0;
    }
}

/* Drop the first reports of a track. */
static void drop(Fold *f, Track *t, uint32_t n) {
    for (uint32_t i = 0; i < n && t->fast; i++)
        if (t->points[i]->flags & POINT_TOO_FAST) f->counts.too_fast++;
    t->boxed -= n;
    t->saved -= t->saved < n ? t->saved : n;
    t->n -= n;
    t->first -= n;
    t->points += n;
}

/* Drop what no leg can start from that is still to be swept: what lies before the last report up to
 * .swept, and that one too where it is older than any gap allows. */
void track_trim(Fold *f, Track *t) {
    uint32_t most = t->n;
    while (t->first + 1 < most) {
        uint32_t middle = t->first + (most - t->first) / 2;
        if (t->points[middle]->t <= f->swept)
            t->first = middle;
        else
            most = middle;
    }
    if (t->first < t->n && f->swept != NO_TIME &&
        t->points[t->first]->t < f->swept - f->set.max_gap_us)
        t->first++;
    if (t->boxed < t->first) t->boxed = t->first;
    drop(f, t, t->first);
    if (t->cap <= MOST_SPARE || t->n * 8 >= t->cap) return;
    memmove(t->room, t->points, t->n * sizeof(Point *));
    t->points = t->room;
    uint32_t cap = t->n ? 2 * t->n : 8;
    Point **less = realloc(t->room, cap * sizeof(Point *));
    if (less) {
        t->points = t->room = less;
        t->cap = cap;
    }
    t->left = t->cap - t->n;
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
    int trim = f->trim && !f->failed;
    for (uint32_t i = 0; i < f->n_tracks; i++) {
        Track *t = &f->tracks[i];
        if (!t->used) continue;
        if (trim) track_trim(f, t);
        if (t->open || t->n) continue;
        free(t->room);
        free((char *)t->name.text);
        memset(t, 0, sizeof *t);
        gone++;
        f->names.n--;
        if (grow((void **)&f->free_tracks, &f->cap_free, f->n_free + 1, sizeof(uint32_t)))
            f->free_tracks[f->n_free++] = i;
    }
    if (trim) segments_free(f, held_since(f));
    f->trim = 0;
    if (gone && !names_index(f, f->names.size)) f->failed = 1;
}
