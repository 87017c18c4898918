/* Names of tracks, numbered as they are met. Open addressing; a short name (12 bytes or less, as
 * Arrow keeps inline) is its own key, a longer one is keyed by two hashes and compared in full. */
#include <stdlib.h>
#include <string.h>

#include "stays.h"

#define LONG_KEY 0xffffffff00000000ull

static uint64_t mix(uint64_t x) {
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93ull;
    return x ^ (x >> 32);
}

static void key_of(const char *text, int32_t n, uint64_t *k0, uint64_t *k1) {
    if (n <= 12) {
        StringView v = {0};
        v.length = n;
        memcpy(v.u.inlined, text, n);
        memcpy(k0, &v, 8);
        memcpy(k1, (char *)&v + 8, 8);
        return;
    }
    uint64_t a = mix((uint64_t)n), b = mix(a), w;
    for (int32_t i = 0; i < n; i += 8) {
        w = 0;
        memcpy(&w, text + i, n - i < 8 ? n - i : 8);
        a = mix(a ^ w);
        b = mix(b + w);
    }
    *k0 = a | LONG_KEY; /* no short name has a negative length */
    *k1 = b;
}

int names_init(Names *m) {
    memset(m, 0, sizeof *m);
    m->n_slots = 1024;
    m->slots = malloc(m->n_slots * sizeof *m->slots);
    m->start = calloc(1, sizeof *m->start);
    if (!m->slots || !m->start) return 1;
    for (int64_t i = 0; i < m->n_slots; i++) m->slots[i].track = -1;
    return 0;
}

void names_free(Names *m) { free(m->slots), free(m->text), free(m->start); }

static void put(Names *m, uint64_t k0, uint64_t k1, int32_t track) {
    int64_t i = (int64_t)(mix(k0 ^ mix(k1)) & (uint64_t)(m->n_slots - 1));
    while (m->slots[i].track >= 0) i = (i + 1) & (m->n_slots - 1);
    m->slots[i] = (Slot){k0, k1, track, 0};
}

/* Fill the slots from the names alone. */
int names_rehash(Names *m) {
    int64_t n = 1024;
    while (n < 3 * (int64_t)m->n) n *= 2;
    Slot *slots = malloc(n * sizeof *slots);
    if (!slots) return 1;
    free(m->slots);
    m->slots = slots;
    m->n_slots = n;
    for (int64_t i = 0; i < n; i++) slots[i].track = -1;
    for (int32_t t = 0; t < m->n; t++) {
        uint64_t k0, k1;
        key_of(m->text + m->start[t], (int32_t)(m->start[t + 1] - m->start[t]), &k0, &k1);
        put(m, k0, k1, t);
    }
    return 0;
}

static int32_t add(Names *m, const char *text, int32_t n, uint64_t k0, uint64_t k1) {
    if (m->n_text + n > m->cap_text) {
        int64_t cap = 2 * (m->n_text + n) + 4096;
        char *grown = realloc(m->text, cap);
        if (!grown) return -1;
        m->text = grown;
        m->cap_text = cap;
    }
    if (m->n + 1 >= m->cap) {
        int32_t cap = m->cap ? m->cap * 2 : 256;
        int64_t *grown = realloc(m->start, (cap + 1) * sizeof *grown);
        if (!grown) return -1;
        m->start = grown;
        m->cap = cap;
    }
    if (n) memcpy(m->text + m->n_text, text, n);
    m->n_text += n;
    m->start[m->n + 1] = m->n_text;
    put(m, k0, k1, m->n);
    m->n++;
    if (2 * (int64_t)m->n > m->n_slots && names_rehash(m)) return -1;
    return m->n - 1;
}

NameKey names_key(const Names *m, const StringView *view, const char *const *data) {
    NameKey key = {view->u.inlined, view->length, 0, 0, 0};
    if (view->length <= 12) {
        memcpy(&key.k0, view, 8);
        memcpy(&key.k1, (const char *)view + 8, 8);
    } else {
        key.text = data[view->u.ref.buffer] + view->u.ref.offset;
        key_of(key.text, view->length, &key.k0, &key.k1);
    }
    key.hash = mix(key.k0 ^ mix(key.k1));
    __builtin_prefetch(&m->slots[key.hash & (uint64_t)(m->n_slots - 1)]);
    return key;
}

int32_t names_look(const Names *m, const NameKey *key) {
    for (int64_t i = (int64_t)(key->hash & (uint64_t)(m->n_slots - 1)); m->slots[i].track >= 0;
         i = (i + 1) & (m->n_slots - 1)) {
        const Slot *s = &m->slots[i];
        if (s->k0 != key->k0 || s->k1 != key->k1) continue;
        const int64_t *start = m->start + s->track;
        if (key->length <= 12 || (start[1] - start[0] == key->length &&
                                  !memcmp(m->text + start[0], key->text, key->length)))
            return s->track;
    }
    return -1;
}

int32_t names_find(Names *m, const NameKey *key) {
    int32_t known = names_look(m, key);
    return known >= 0 ? known : add(m, key->text, key->length, key->k0, key->k1);
}
