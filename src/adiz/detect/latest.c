/* What each track said last, and where: told apart quickly, for most reports say nothing new.
 *
 * Texts of up to 12 bytes are kept as they lie in an Arrow view and compared in full; a longer one
 * is not kept, so that its row always counts as changed.
 */
#include "latest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHORT 12
#define BLOCK 32

static const Text NO_TEXT = {{UINT32_MAX, 0}};
static const Text ANOTHER = {{UINT32_MAX - 1, 0}}; /* as no text is */

Latest *latest_new(void) {
    Latest *l = calloc(1, sizeof *l);
    if (l && names_init(&l->names)) {
        latest_free(l);
        return NULL;
    }
    return l;
}

void latest_free(Latest *l) {
    if (!l) return;
    names_free(&l->names);
    free(l->last), free(l);
}

/* The last of a name; one that is new has heard nothing yet. */
static Last *last_of(Latest *l, const NameKey *key) {
    int32_t known = l->names.n, i = names_find(&l->names, key);
    if (i < 0) return NULL;
    if (i < known) return &l->last[i];
    if (i >= l->cap) {
        int32_t cap = l->cap ? 2 * l->cap : 256;
        Last *grown = realloc(l->last, (size_t)cap * sizeof *grown);
        if (!grown) return NULL;
        l->last = grown;
        l->cap = cap;
    }
    l->last[i] = (Last){INT64_MAX, INT64_MIN, NAN, NAN, NAN, {{{0}}}};
    for (int j = 0; j < TEXTS; j++) l->last[i].said[j] = ANOTHER;
    return &l->last[i];
}

Last *latest_of(Latest *l, const char *name, int64_t length, int add) {
    StringView view = {.length = (int32_t)length};
    const char *data[] = {name};
    if (length <= SHORT) memcpy(view.u.inlined, name, (size_t)length);
    NameKey key = names_key(&l->names, &view, data);
    if (add) return last_of(l, &key);
    int32_t i = names_look(&l->names, &key);
    return i < 0 ? NULL : &l->last[i];
}

static int has(const LatestColumn *c, int64_t i) {
    int64_t j = c->offset + i;
    return c->value && (!c->valid || (c->valid[j >> 3] >> (j & 7) & 1));
}

static void take_place(Last *last, const LatestColumns *in, int64_t row) {
    double *place[] = {&last->lat, &last->lon, &last->alt};
    int64_t t = in->time_us[row];
    if (t < last->first_us) last->first_us = t;
    if (t < last->last_us) return;
    last->last_us = t;
    for (int j = 0; j < 3; j++) {
        const LatestColumn *c = &in->place[j];
        *place[j] = has(c, row) ? ((const double *)c->value)[row] : NAN;
    }
}

/* Whether a row's texts may differ from those of the track's last row. */
static int take_texts(Last *last, const LatestColumns *in, int64_t row) {
    int changed = 0;
    for (int j = 0; j < TEXTS; j++) {
        const LatestColumn *c = &in->text[j];
        Text said = NO_TEXT;
        if (has(c, row)) {
            const StringView *view = (const StringView *)c->value + row;
            memcpy(&said, view, sizeof said);
            if (view->length > SHORT) said = ANOTHER, changed = 1;
        }
        if (memcmp(&said, &last->said[j], sizeof said)) {
            last->said[j] = said;
            changed = 1;
        }
    }
    return changed;
}

int64_t latest_step(Latest *l, const LatestColumns *in, int64_t *changed) {
    NameKey key[BLOCK];
    int32_t number[BLOCK];
    int64_t count = 0;
    for (int64_t i = 0; i < in->n; i += BLOCK) {
        int n = in->n - i < BLOCK ? (int)(in->n - i) : BLOCK;
        for (int j = 0; j < n; j++)
            key[j] = names_key(&l->names, in->track_id + i + j, in->track_data);
        for (int j = 0; j < n; j++) {
            Last *last = last_of(l, &key[j]);
            if (!last) return -1;
            number[j] = (int32_t)(last - l->last);
            __builtin_prefetch(last, 1);
            __builtin_prefetch((char *)last + 64, 1);
        }
        for (int j = 0; j < n; j++) {
            Last *last = &l->last[number[j]];
            take_place(last, in, i + j);
            if (take_texts(last, in, i + j)) changed[count++] = i + j;
        }
    }
    return count;
}

int latest_forget(Latest *l, int64_t before_us) {
    Latest *kept = latest_new();
    if (!kept) return 1;
    for (int32_t i = 0; i < l->names.n; i++) {
        if (l->last[i].last_us < before_us) continue;
        const int64_t *start = l->names.start + i;
        Last *last = latest_of(kept, l->names.text + start[0], start[1] - start[0], 1);
        if (!last) {
            latest_free(kept);
            return 1;
        }
        *last = l->last[i];
    }
    Latest old = *l;
    *l = *kept;
    *kept = old;
    latest_free(kept);
    return 0;
}
