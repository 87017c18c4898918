/* The end of tracks, whose memory is given back, and the change of zones. */
#include <string.h>

#include "membership.h"
#include "warn.h"

#define WORTH_WHILE 1024

int warn_silent(Warn *w, int64_t before_us) {
    for (int32_t i = 0; i < w->names.n; i++) {
        WarnTrack *k = &w->tracks[i];
        if (k->t == NO_TIME || k->t >= before_us) continue;
        track_forget(w, k);
        w->n_dead++;
    }
    return w->failed ? STEP_NO_MEMORY : STEP_OK;
}

int warn_standing(Warn *w) {
    for (int32_t i = 0; i < w->names.n; i++) {
        const WarnTrack *k = &w->tracks[i];
        for (int32_t j = k->watches; j >= 0; j = w->watches[j].next) {
            const Watch *x = &w->watches[j];
            if (!x->standing) continue;
            if (!grow((void **)&w->out, w->n_out, w->cap_out, sizeof *w->out, &w->cap_out))
                return STEP_NO_MEMORY;
            double course = k->held_course < 0 ? k->held_course + 360.0 : k->held_course;
            w->out[w->n_out++] = (Change){i, x->zone, CHANGE_RAISED, x->course, REASON_NONE,
                                          x->vertical, k->update_us, x->raised_us, x->entry_us,
                                          x->lat, x->lon, k->held_speed * 3600.0 / 1852.0, course,
                                          k->alt};
        }
    }
    return STEP_OK;
}

/* The tracks that live are moved together, in their order. */
int warn_compact(Warn *w) {
    Names *m = &w->names;
    int32_t n = 0;
    int64_t text = 0;
    if (w->n_dead < WORTH_WHILE || w->n_dead < m->n / 4) return STEP_OK;
    for (int32_t i = 0; i < m->n; i++) {
        if (w->tracks[i].t == NO_TIME) continue;
        int64_t from = m->start[i], length = m->start[i + 1] - from;
        memmove(m->text + text, m->text + from, (size_t)length);
        w->tracks[n] = w->tracks[i];
        m->start[n++] = text; /* n <= i + 1: what is read next is not yet written over */
        text += length;
    }
    m->start[n] = text;
    m->n = n;
    m->n_text = text;
    w->n_dead = 0;
    return names_rehash(m) ? STEP_NO_MEMORY : STEP_OK;
}

int warn_rezone(Warn *w, const ZoneIndex *index, const double *horizon_s, const int32_t *map) {
    for (int32_t i = 0; i < w->names.n; i++) {
        WarnTrack *k = &w->tracks[i];
        for (int32_t *at = &k->watches; *at >= 0;) {
            Watch *x = &w->watches[*at];
            if (map[x->zone] < 0) {
                *at = x->next;
                watch_end(w, k, x, REASON_ENDED);
            } else {
                at = &x->next;
            }
        }
        k->next_us = k->hold_us = NO_TIME; /* what was far from every zone may be near a new one */
    }
    return w->failed || warn_zones(w, index, horizon_s) ? STEP_NO_MEMORY : STEP_OK;
}

/* Give watches their zones' new numbers, once the changes that name the old ones are taken. */
void warn_renumber(Warn *w, const int32_t *map) {
    for (int32_t i = 0; i < w->names.n; i++)
        for (int32_t j = w->tracks[i].watches; j >= 0; j = w->watches[j].next)
            w->watches[j].zone = map[w->watches[j].zone];
}
