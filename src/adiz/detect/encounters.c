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

#include <stdlib.h>

#define ROUNDING_M 2.0 /* of a box in single precision, and of a leg that does not bulge */
#define CELLS 8192.0   /* makes the number of every cube positive */

typedef struct {
    uint64_t cube;
    float low_ft, high_ft; /* of the box, so that most others need not look at it */
    uint32_t box, next;
} Node;

typedef struct {
    Node *nodes;
    uint32_t n_nodes, cap_nodes;
    uint32_t *heads, n_heads; /* a power of two */
    double cubes_per_m;
} Sweep;

/* May something in two boxes, each widened by half the limit, be nearer than the limit? Altitudes
 * are left to the caller. */
static inline int meet(const Box *a, const Box *b, float limit_m) {
    float gap2 = 0.0f;
    for (int j = 0; j < 3; j++) {
        float over = a->lo[j] - b->hi[j], under = b->lo[j] - a->hi[j];
        float gap = limit_m + (over > under ? over : under);
        if (gap > 0.0f) gap2 += gap * gap;
    }
    return gap2 <= limit_m * limit_m;
}

static inline uint32_t larger(uint16_t a, uint16_t b) { return a > b ? a : b; }

static inline uint64_t cube_of(uint32_t x, uint32_t y, uint32_t z) {
    return (uint64_t)x << 32 | y << 16 | z;
}

/* Put a box into one cube, against all that are there. A pair that shares several cubes is taken
 * in the least of them alone. */
static void put(Fold *f, Sweep *s, const Step *step, uint32_t at, uint64_t cube, int64_t k0) {
    const Box *box = &step->boxes[at];
    uint32_t *head = &s->heads[cube * 0x9E3779B97F4A7C15u >> 32 & (s->n_heads - 1)];
    for (uint32_t i = *head; i; i = s->nodes[i - 1].next) {
        const Node *node = &s->nodes[i - 1];
        const Box *other = &step->boxes[node->box];
        if (node->cube == cube && box->lo[3] <= node->high_ft && node->low_ft <= box->hi[3] &&
            meet(box, other, (float)f->set.within_m) &&
            cube == cube_of(larger(box->cell[0], other->cell[0]),
                            larger(box->cell[1], other->cell[1]),
                            larger(box->cell[2], other->cell[2])) &&
            box->track != other->track)
            pair_sweep(f, box->track, other->track, k0, k0 + f->set.step_us);
    }
    if (!grow((void **)&s->nodes, &s->cap_nodes, s->n_nodes + 1, sizeof(Node))) {
        f->failed = 1;
        return;
    }
    Node *node = &s->nodes[s->n_nodes];
    node->box = at;
    node->cube = cube;
    node->low_ft = box->lo[3];
    node->high_ft = box->hi[3];
    node->next = *head;
    *head = ++s->n_nodes;
}

/* Widen a box on each side by half of what may lie between two, and place it among the cubes. */
static void widen(const Fold *f, const Sweep *s, Box *box, uint32_t end[3]) {
    double apart_m = ROUNDING_M + box->bulge_m + 0.5 * f->set.within_m;
    float apart_ft = 1.0f + 0.5f * (float)f->set.within_ft;
    for (int j = 0; j < 3; j++) {
        box->lo[j] = (float)(box->lo[j] - apart_m);
        box->hi[j] = (float)(box->hi[j] + apart_m);
        box->cell[j] = (uint16_t)(box->lo[j] * s->cubes_per_m + CELLS);
        end[j] = (uint32_t)(box->hi[j] * s->cubes_per_m + CELLS);
    }
    box->lo[3] -= apart_ft;
    box->hi[3] += apart_ft;
}

static void sweep_step(Fold *f, Sweep *s, Step *step, int64_t k0) {
    uint32_t heads = 64;
    while (heads < 4 * step->n) heads *= 2;
    if (heads > s->n_heads) {
        free(s->heads);
        s->heads = malloc(heads * sizeof(uint32_t));
        s->n_heads = heads;
        if (!s->heads) {
            f->failed = 1;
            return;
        }
    }
    memset(s->heads, 0, s->n_heads * sizeof(uint32_t));
    s->n_nodes = 0;
    for (uint32_t i = 0; i < step->n && !f->failed; i++) {
        Box *box = &step->boxes[i];
        uint32_t end[3], x, y, z;
        widen(f, s, box, end);
        for (x = box->cell[0]; x <= end[0]; x++)
            for (y = box->cell[1]; y <= end[1]; y++)
                for (z = box->cell[2]; z <= end[2]; z++)
                    put(f, s, step, i, cube_of(x, y, z), k0);
    }
    f->n_boxes -= step->n;
    step->n = 0;
    for (uint32_t i = 1; i < STEPS && step->cap; i++) { /* its room goes to the next without any */
        Step *later = &f->steps[((uint32_t)(step - f->steps) + i) & (STEPS - 1)];
        if (later->cap) continue;
        *later = *step;
        memset(step, 0, sizeof *step);
    }
}

typedef struct {
    int64_t t;
    uint32_t track;
} Start;

static int by_start(const void *va, const void *vb) {
    const Start *a = va, *b = vb;
    return (a->t > b->t) - (a->t < b->t);
}

/* Legs not yet in boxes, for there was no step or no room for them: their tracks in order of time.
 * Returns how many; *least is the earliest report that is still to be swept, boxed or not, where
 * that matters: before the first boxes. */
static uint32_t find_starts(Fold *f, Start *starts, int64_t *least) {
    uint32_t n = 0;
    *least = INT64_MAX;
    for (uint32_t i = 0; i < f->n_tracks; i++) {
        Track *t = &f->tracks[i];
        if (!t->used) continue;
        track_settle(f, t);
        if (f->base == NO_TIME && t->first + 1 < t->n && t->points[t->first]->t < *least)
            *least = t->points[t->first]->t;
        if (t->boxed + 1 >= t->n) continue;
        starts[n].t = t->points[t->boxed]->t;
        starts[n++].track = i;
    }
    qsort(starts, n, sizeof(Start), by_start);
    return n;
}

/* Sweep whole steps up to .safe; what has no boxes yet gets them as there is room. */
static void sweep(Fold *f, Sweep *s, Start *starts, uint32_t n, int64_t safe) {
    int64_t step_us = f->set.step_us;
    uint32_t next = 0, active = 0, kept;
    while (!f->failed && f->base <= safe - step_us) {
        int64_t end = f->base + STEPS * step_us, soonest = INT64_MAX;
        while (next < n && starts[next].t < end) starts[active++] = starts[next++];
        for (uint32_t i = kept = 0; i < active; i++) {
            const Track *t = &f->tracks[starts[i].track];
            track_boxes(f, starts[i].track, end);
            if (t->boxed + 1 >= t->n) continue;
            if (t->points[t->boxed]->t < soonest) soonest = t->points[t->boxed]->t;
            starts[kept++] = starts[i];
        }
        active = kept;
        if (next < n && starts[next].t < soonest) soonest = starts[next].t;
        if (!f->n_boxes && soonest == INT64_MAX && safe == INT64_MAX) return;
        int64_t from = step_floor(soonest < safe ? soonest : safe, step_us);
        if (!f->n_boxes && from > f->base) {
            f->base = f->swept = from; /* nobody flies until then */
            continue;
        }
        for (int i = 0; i < STEPS / 2 && f->base <= safe - step_us; i++) {
            sweep_step(f, s, &f->steps[step_at(f, f->base)], f->base);
            f->base += step_us;
            f->swept = f->base;
            pairs_close(f, f->base);
        }
    }
}

int64_t held_since(const Fold *f) {
    int64_t least = INT64_MAX;
    for (uint32_t i = 0; i < f->n_tracks; i++)
        if (f->tracks[i].n && f->tracks[i].points[0]->t < least) least = f->tracks[i].points[0]->t;
    return least;
}

void fold_advance(Fold *f, int64_t watermark, int everything) {
    if (watermark > f->watermark) f->watermark = watermark;
    if (f->watermark == NO_TIME || f->failed) return;
    int64_t step_us = f->set.step_us, least;
    int64_t safe = everything ? INT64_MAX
                              : f->watermark - f->set.lateness_us - f->set.max_gap_us;
    if (!everything && f->base != NO_TIME && f->base > safe - step_us) return;
    Start *starts = malloc((f->n_tracks + 1) * sizeof(Start));
    if (!starts) {
        f->failed = 1;
        return;
    }
    Sweep s = {.cubes_per_m = 0.5 / (f->set.within_m + 400e-6 * (double)step_us)};
    uint32_t n = find_starts(f, starts, &least);
    if (f->base == NO_TIME) {
        f->base = step_floor(least < safe ? least : safe, step_us);
        if (f->base < f->swept) f->base = f->swept;
    }
    sweep(f, &s, starts, n, safe);
    pairs_close(f, everything ? INT64_MAX : f->swept);
    for (uint32_t i = 0; i < f->n_tracks && everything; i++) f->tracks[i].first = f->tracks[i].n;
    f->trim = 1;
    free(starts);
    free(s.nodes);
    free(s.heads);
}
