/* What a watch needs of stays besides the fold itself: what is open, memory that does not grow
 * with the months, zones that change. */
#include "membership.h"

#include <stdlib.h>
#include <string.h>

int64_t stays_open_rows(const Stays *s, Stay **rows) {
    int64_t n = 0, cap = 0;
    *rows = NULL;
    for (int32_t k = 0; k < s->names.n; k++) {
        const Track *t = &s->tracks[k];
        if (t->t == NO_TIME) continue;
        for (int32_t i = t->members; i >= 0; i = s->members[i].next) {
            const Member *m = &s->members[i];
            if (!m->open) continue;
            if (!grow((void **)rows, n, cap, sizeof **rows, &cap)) return -1;
            Stay *row = &(*rows)[n++];
            *row = m->stay;
            row->exit_us = t->t;
            row->exit_lat = t->lat;
            row->exit_lon = t->lon;
            row->report_count = (int64_t)(t->n_reports - m->first_report);
        }
    }
    return n;
}

/* ---- tracks that have ended ----------------------------------------------------------------- */

int stays_retire(Stays *s, int64_t before_us) {
    for (int32_t k = 0; k < s->names.n; k++)
        if (s->tracks[k].t != NO_TIME && s->tracks[k].t < before_us) {
            track_end(s, &s->tracks[k]);
            s->tracks[k].t = NO_TIME;
        }
    return s->failed ? STEP_NO_MEMORY : STEP_OK;
}

int stays_compact(Stays *s) {
    Names *m = &s->names;
    int32_t n = 0;
    int64_t text = 0;
    for (int32_t k = 0; k < m->n; k++) {
        if (s->tracks[k].t == NO_TIME) continue;
        int64_t from = m->start[k], length = m->start[k + 1] - from;
        memmove(m->text + text, m->text + from, (size_t)length);
        m->start[n] = text;
        text += length;
        s->tracks[n] = s->tracks[k];
        for (int32_t i = s->tracks[n].members; i >= 0; i = s->members[i].next)
            s->members[i].stay.track = n;
        n++;
    }
    m->start[n] = m->n_text = text;
    m->n = n;
    return names_rehash(m) ? STEP_NO_MEMORY : STEP_OK;
}

void stays_drop(Stays *s, const char *name, int64_t length) {
    for (int32_t k = 0; k < s->names.n; k++) {
        const int64_t *start = s->names.start + k;
        if (start[1] - start[0] != length || memcmp(s->names.text + start[0], name, (size_t)length))
            continue;
        Track *t = &s->tracks[k];
        for (int32_t i = t->members, next; i >= 0; i = next) {
            next = s->members[i].next;
            s->members[i].next = s->free_members;
            s->free_members = i;
        }
        t->members = -1;
        path_settle(s, t);
        *t = (Track){.t = NO_TIME, .members = -1, .path = -1, .speed_mps = NAN};
        return;
    }
}

/* ---- zones that change ---------------------------------------------------------------------- */

/* Stays in zones that are gone end where the track was last seen; those in zones that are kept go
   on under their new number. */
static void keep_members(Stays *s, Track *t, const int32_t *map) {
    for (int32_t i = t->members, next; i >= 0; i = next) {
        Member *m = &s->members[i];
        next = m->next;
        if (map[m->zone] >= 0) {
            if (m->open) path_measure(s, t, m);
            continue;
        }
        if (m->open) stay_close(s, t, m, DEACTIVATED, t->t, t->lat, t->lon, -1);
        member_remove(s, t, m->zone);
    }
    for (int32_t i = t->members; i >= 0; i = s->members[i].next) {
        Member *m = &s->members[i];
        m->zone = m->stay.zone = map[m->zone];
        m->near_edge = -1; /* numbers of the old index */
        m->head_next = 0;
    }
    t->path_n = 0;
    path_settle(s, t);
}

static void new_members(Stays *s, Track *t) {
    int32_t zones[MAX_SET];
    int32_t n = zones_at(s->index, t->lat, t->lon, zones, MAX_SET);
    if (n < 0) s->crowded = 1;
    for (int32_t i = 0; i < n; i++) {
        const ZoneInfo *z = &s->index->zones[zones[i]];
        if (member_of(s, t, zones[i])) continue;
        Member *m = member_add(s, t, zones[i]);
        if (!m) return;
        if (!in_force(z, t->t) || !height_allows(z, t->alt)) continue;
        stay_open(s, t, m, ACTIVATED, t->t, t->lat, t->lon, t->n_reports - 1);
        see_height(z, m, t->alt);
    }
    path_settle(s, t);
    watch_again(s, t);
}

int stays_rezone(Stays *s, const ZoneIndex *index, const int32_t *map) {
    for (int32_t k = 0; k < s->names.n; k++)
        if (s->tracks[k].t != NO_TIME) keep_members(s, &s->tracks[k], map);
    s->index = index;
    for (int32_t k = 0; k < s->names.n; k++) {
        Track *t = &s->tracks[k];
        if (t->t == NO_TIME) continue;
        t->value = cell_value(index, t->cell / COLS, t->cell % COLS);
        new_members(s, t);
    }
    return s->failed ? STEP_NO_MEMORY : s->crowded ? STEP_CROWDED : STEP_OK;
}
