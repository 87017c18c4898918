/* Rows of Arrow columns made into reports: the part of the work that needs nothing but the rows, so
 * that several threads can do it ahead of the sweep. */
#include <math.h>
#include <stdlib.h>

#include "encounters_leg.h"
#include "geodesic.h"

#define BLOCK 64
#define NOBODY UINT32_MAX
#define FAR_US 400000000000000000 /* some 12,000 years; beyond, sums of times might overflow */

/* Where the compiler can, the loop of place_block() is compiled for wider registers too, and the
 * widest that the processor has is taken. The operations are the same, and so is every bit. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__gnu_linux__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif

static int has(const Column *c, int64_t i) {
    i += c->offset;
    return !c->absent && (!c->valid || (c->valid[i >> 3] >> (i & 7) & 1));
}

/* Numbers of some rows, NaN where there is none: as they lie, or in .room. */
static const double *numbers(const Column *c, int64_t first, int64_t n, double *room) {
    const double *data = (const double *)c->data + c->offset + first;
    if (!c->absent && !c->valid) return data;
    for (int64_t i = 0; i < n; i++) room[i] = NAN;
    for (int64_t i = 0; i < n && !c->absent; i++)
        if (has(c, first + i)) room[i] = data[i];
    return room;
}

static int truth(const Column *c, int64_t i) {
    int64_t j = c->offset + i;
    return has(c, i) && (((const uint8_t *)c->data)[j >> 3] >> (j & 7) & 1);
}

/* A string view: a short text lies in the view, a longer one in a buffer that it names. */
static const char *view_of(const Column *c, int64_t i, uint64_t view[2], uint32_t *len) {
    const int32_t *at = (const int32_t *)c->data + 4 * (c->offset + i);
    memcpy(view, at, 16);
    *len = (uint32_t)at[0];
    return at[0] <= 12 ? (const char *)(at + 1) : (const char *)c->buffers[2 + at[2]] + at[3];
}

static void name_hash(Name *name) {
    uint64_t h = (name->head[0] ^ name->head[1] * 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u;
    h ^= h >> 32;
    h *= 0xD6E8FEB86659FD93u;
    for (uint32_t i = 12; i < name->len; i++)
        h = (h ^ (unsigned char)name->text[i]) * 0x100000001B3u;
    name->hash = (uint32_t)(h >> 32);
}

static void name_head(Name *name) {
    char bytes[16] = {0};
    memcpy(bytes, &name->len, 4);
    memcpy(bytes + 4, name->text, name->len < 12 ? name->len : 12);
    memcpy(name->head, bytes, 16);
}

void name_set(Name *name, const char *text, uint32_t len) {
    name->text = text;
    name->len = len;
    name_head(name);
    name_hash(name);
}

/* Flags of a 24-bit address in hex; 0 where it is none. */
static uint32_t address_flags(const char *text, uint32_t len) {
    uint32_t value = 0;
    if (len != 6) return 0;
    for (int i = 0; i < 6; i++) {
        uint32_t digit = (uint8_t)text[i];
        if (digit >= '0' && digit <= '9')
            digit -= '0';
        else if ((digit | 32) >= 'a' && (digit | 32) <= 'f')
            digit = (digit | 32) - 'a' + 10;
        else
            return 0;
        value = value << 4 | digit;
    }
    return value | POINT_HAS_ADDRESS;
}

/* Sine and cosine of up to ±pi by Taylor series about the nearest quarter turn (error 1e-16); a
 * loop over it is vectorised, which calls to libm are not. */
static inline __attribute__((always_inline)) void sine_cosine(double x, double *sine,
                                                              double *cosine) {
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

/* Where the rows of a block are, earth-centred (m), and which of them can be used. */
typedef struct {
    double x[BLOCK], y[BLOCK], z[BLOCK];
    double lat[BLOCK], lon[BLOCK]; /* 0 where they cannot */
    int64_t usable[BLOCK];
    int64_t all, far; /* all of them can; there are longitudes beyond ±180 */
} Places;

WIDE static void check_block(const int64_t *restrict t, const double *restrict lat,
                             const double *restrict lon, Places *restrict to) {
    int64_t far = 0, all = 1;
    for (int i = 0; i < BLOCK; i++) {
        double y = fabs(lat[i]), x = fabs(lon[i]);
        int64_t good = (t[i] >= -FAR_US) & (t[i] <= FAR_US) & (y <= 90.0) & (x <= 1e6);
        to->usable[i] = good;
        to->lat[i] = good ? lat[i] : 0.0;
        to->lon[i] = good ? lon[i] : 0.0;
        far |= good & (x > 180.0);
        all &= good;
    }
    to->all = all;
    to->far = far;
}

/* Earth-centred coordinates of latitudes and of longitudes within ±180. */
WIDE static void place_block(const double *restrict lat, const double *restrict lon,
                             double *restrict x, double *restrict y, double *restrict z) {
    for (int i = 0; i < BLOCK; i++) {
        double sin_lat, cos_lat, sin_lon, cos_lon;
        sine_cosine(lat[i] * DEG, &sin_lat, &cos_lat);
        sine_cosine(lon[i] * DEG, &sin_lon, &cos_lon);
        double normal = WGS84_A / sqrt(1.0 - WGS84_E2 * sin_lat * sin_lat);
        x[i] = normal * cos_lat * cos_lon;
        y[i] = normal * cos_lat * sin_lon;
        z[i] = normal * (1.0 - WGS84_E2) * sin_lat;
    }
}

int64_t rows_least_time(const Rows *rows) {
    const Column *c = &rows->columns[ROWS_TIME];
    const int64_t *t = (const int64_t *)c->data + c->offset + rows->first;
    int64_t least = INT64_MAX;
    if (!c->absent && !c->valid)
        for (int64_t i = 0; i < rows->n; i++) least = t[i] < least ? t[i] : least;
    if (!c->absent && !c->valid && least >= -FAR_US) return least;
    least = INT64_MAX;
    for (int64_t i = 0; i < rows->n; i++)
        if (t[i] < least && t[i] >= -FAR_US && has(c, rows->first + i)) least = t[i];
    return least;
}

static uint32_t name_place(const Chunk *c, const Name *name) {
    uint32_t mask = c->names.size - 1, i = name->hash & mask;
    while (c->names.slot[i] && !name_same(&c->runs[c->names.slot[i] - 1].name, name))
        i = (i + 1) & mask;
    return i;
}

static int names_widen(Chunk *c) {
    uint32_t size = c->names.size ? c->names.size * 2 : 1024, cap = c->names.size;
    if (!grow((void **)&c->names.slot, &cap, size, sizeof(uint32_t))) return 0;
    c->names.size = size;
    memset(c->names.slot, 0, size * sizeof(uint32_t));
    for (uint32_t i = 0; i < c->n_runs; i++)
        c->names.slot[name_place(c, &c->runs[i].name)] = i + 1;
    return 1;
}

/* The run of a name; a new one where it has none yet. */
static uint32_t run_of(Chunk *c, Name *name) {
    name_hash(name);
    if (c->n_runs * 2 >= c->names.size && !names_widen(c)) return NOBODY;
    uint32_t place = name_place(c, name);
    if (c->names.slot[place]) return c->names.slot[place] - 1;
    if (!grow((void **)&c->runs, &c->cap_runs, c->n_runs + 1, sizeof(Run)) ||
        !grow((void **)&c->next, &c->cap_next, c->n_runs + 1, sizeof(uint32_t)))
        return NOBODY;
    Run *run = &c->runs[c->n_runs];
    memset(run, 0, sizeof *run);
    run->name = *name;
    c->next[c->n_runs] = NOBODY;
    c->names.slot[place] = ++c->n_runs;
    return c->n_runs - 1;
}

/* Whose report a row is; and of .last, whose the one before is, that this one comes after it. */
static uint32_t whose(Chunk *c, const Column *names, int64_t row, uint32_t last) {
    Name name;
    name.text = view_of(names, row, name.head, &name.len);
    if (name.len > 12) name_head(&name);
    uint32_t run = last;
    if (last == NOBODY || !name_same(&c->runs[last].name, &name)) run = run_of(c, &name);
    if (last != NOBODY) c->next[last] = run;
    return run;
}

/* Whether a row is the guess's, whose name is short. */
static inline int is_whose(const Chunk *c, const Column *names, int64_t row, uint32_t guess) {
    uint64_t view[2];
    memcpy(view, (const int32_t *)names->data + 4 * (names->offset + row), 16);
    const Name *name = &c->runs[guess].name;
    return view[0] == name->head[0] && view[1] == name->head[1] && name->len <= 12;
}

static uint32_t source_of(Chunk *c, const char *text, uint32_t len) {
    for (uint32_t i = c->n_sources; i-- > 0;)
        if (c->sources[i].len == len && !memcmp(c->sources[i].text, text, len)) return i;
    if (!grow((void **)&c->sources, &c->cap_sources, c->n_sources + 1, sizeof(Name))) {
        c->failed = 1;
        return 0;
    }
    c->sources[c->n_sources].text = text;
    c->sources[c->n_sources].len = len;
    return c->n_sources++;
}

static uint32_t address_of(Run *run, const Column *c, int64_t row) {
    uint64_t view[2];
    uint32_t len;
    const char *text = view_of(c, row, view, &len);
    if (view[0] != run->address[0] || view[1] != run->address[1]) {
        memcpy(run->address, view, sizeof view);
        run->flags = address_flags(text, len);
    }
    return run->flags;
}

/* The source of a row; *last and *view are of the row before. */
static uint32_t source_at(Chunk *c, const Column *source, int64_t row, uint32_t last,
                          uint64_t view[2]) {
    uint64_t other[2] = {0, 0};
    uint32_t len = 0;
    const char *text = "";
    if (source->same) row = 0;
    if ((source->absent || source->same) && last != NOBODY) return last;
    if (has(source, row)) text = view_of(source, row, other, &len);
    if (last != NOBODY && view[0] == other[0] && view[1] == other[1]) return last;
    memcpy(view, other, sizeof other);
    return source_of(c, text, len);
}

/* Times and positions of a block: as they lie where it is whole and has no gaps, else in .room. */
typedef struct {
    const int64_t *t;
    const double *lat, *lon;
    int64_t times[BLOCK];
    double room[2][BLOCK];
} Block;

static void block_read(Block *b, const Column *columns, int64_t first, int n) {
    const Column *time = &columns[ROWS_TIME], *track = &columns[ROWS_TRACK];
    b->t = (const int64_t *)time->data + time->offset + first;
    b->lat = numbers(&columns[ROWS_LAT], first, n, b->room[0]);
    b->lon = numbers(&columns[ROWS_LON], first, n, b->room[1]);
    if (n == BLOCK && !time->absent && !time->valid && !track->absent && !track->valid) return;
    for (int i = 0; i < BLOCK; i++) {
        int known = i < n && has(time, first + i) && has(track, first + i);
        b->times[i] = known ? b->t[i] : INT64_MIN;
        b->room[0][i] = i < n ? b->lat[i] : NAN;
        b->room[1][i] = i < n ? b->lon[i] : NAN;
    }
    b->t = b->times;
    b->lat = b->room[0];
    b->lon = b->room[1];
}

/* Find out which rows can be used and whose they are, and how many each track has. */
static void count_rows(Chunk *c, const Rows *part, uint32_t *run_of) {
    const Column *names = &part->columns[ROWS_TRACK];
    uint32_t run = NOBODY, guess = NOBODY;
    int64_t latest = c->latest;
    Places at;
    Block b;
    for (int64_t from = 0; from < part->n; from += BLOCK) {
        int64_t first = part->first + from;
        int rows = part->n - from < BLOCK ? (int)(part->n - from) : BLOCK;
        block_read(&b, part->columns, first, rows);
        check_block(b.t, b.lat, b.lon, &at);
        c->plain &= at.all && !at.far;
        for (int i = 0; i < rows; i++) {
            if (!at.usable[i]) {
                c->unusable++;
                *run_of++ = NOBODY;
                continue;
            }
            if (guess != NOBODY && is_whose(c, names, first + i, guess))
                run = guess;
            else if ((run = whose(c, names, first + i, run)) == NOBODY) {
                c->failed = 1;
                return;
            }
            guess = c->next[run];
            latest = b.t[i] > latest ? b.t[i] : latest;
            c->runs[run].n++;
            *run_of++ = run;
        }
    }
    c->latest = latest;
}

/* Make reports of some rows, a block at a time so that their places are found together, and put
 * each behind those of its track. */
static void add_rows(Chunk *c, const Rows *part, const uint32_t *run_of) {
    const Column *columns = part->columns;
    const Column *address = &columns[ROWS_ADDRESS], *ground = &columns[ROWS_GROUND];
    const Column *sources = &columns[ROWS_SOURCE];
    int many_sources = !sources->absent && !sources->same;
    uint32_t source = NOBODY;
    uint64_t view[2] = {0, 0};
    double room[2][BLOCK];
    Places at;
    Block b;
    for (int64_t from = 0; from < part->n && !c->failed; from += BLOCK) {
        int64_t first = part->first + from;
        int rows = part->n - from < BLOCK ? (int)(part->n - from) : BLOCK;
        block_read(&b, columns, first, rows);
        const double *baro = numbers(&columns[ROWS_BARO], first, rows, room[0]);
        const double *geom = numbers(&columns[ROWS_GEOM], first, rows, room[1]);
        if (!c->plain) {
            check_block(b.t, b.lat, b.lon, &at);
            for (int i = 0; i < rows && at.far; i++)
                if (fabs(at.lon[i]) > 180.0) at.lon[i] = remainder(at.lon[i], 360.0);
        }
        place_block(c->plain ? b.lat : at.lat, c->plain ? b.lon : at.lon, at.x, at.y, at.z);
        for (int i = 0; i < rows; i++) {
            if (*run_of == NOBODY) {
                run_of++;
                continue;
            }
            Run *run = &c->runs[*run_of++];
            if (many_sources || source == NOBODY)
                source = source_at(c, sources, first + i, source, view);
            Point *p = &c->points[run->first + run->n++];
            p->t = b.t[i];
            p->p[0] = at.x[i];
            p->p[1] = at.y[i];
            p->p[2] = at.z[i];
            p->baro = (float)baro[i];
            p->geom = (float)geom[i];
            p->source = source;
            p->flags = !ground->absent && truth(ground, first + i) ? POINT_GROUND : 0;
            if (!address->absent && has(address, first + i))
                p->flags |= address_of(run, address, first + i);
            __builtin_prefetch((const char *)(p + 2) - 1, 1); /* where its next one goes */
        }
    }
}

/* Give each run its place among the reports. */
static void place_runs(Chunk *c) {
    for (uint32_t i = 0; i < c->n_runs; i++) {
        Run *run = &c->runs[i];
        run->first = c->n;
        c->n += run->n;
        run->n = 0;
    }
}

/* Mark the legs within a run. */
static void mark_run(const Settings *set, Point *points, Run *run) {
    uint32_t flags = 0;
    int in_order = 1;
    for (uint32_t i = 1; i < run->n; i++) {
        in_order &= points[i].t > points[i - 1].t;
        leg_mark(set, &points[i - 1], &points[i]);
        flags |= points[i].flags;
    }
    run->in_order = (uint8_t)in_order;
    run->fast = (flags & POINT_TOO_FAST) != 0;
}

void chunk_fill(Chunk *c, const Settings *set, const Rows *parts, uint32_t n_parts) {
    uint64_t rows = 0;
    for (uint32_t i = 0; i < n_parts; i++) rows += (uint64_t)parts[i].n;
    c->n = c->n_runs = c->n_sources = 0;
    c->latest = INT64_MIN;
    c->unusable = 0;
    c->plain = 1;
    if (c->names.size) memset(c->names.slot, 0, c->names.size * sizeof(uint32_t));
    if (rows >= NOBODY ||
        !grow((void **)&c->points, &c->cap_points, (uint32_t)rows, sizeof(Point)) ||
        !grow((void **)&c->run_of, &c->cap_rows, (uint32_t)rows, sizeof(uint32_t)))
        c->failed = 1;
    int64_t done = 0;
    for (uint32_t i = 0; i < n_parts && !c->failed; done += parts[i++].n)
        count_rows(c, &parts[i], c->run_of + done);
    place_runs(c);
    done = 0;
    for (uint32_t i = 0; i < n_parts && !c->failed; done += parts[i++].n)
        add_rows(c, &parts[i], c->run_of + done);
    for (uint32_t i = 0; i < c->n_runs && !c->failed; i++)
        mark_run(set, c->points + c->runs[i].first, &c->runs[i]);
}

void chunk_free(Chunk *c) {
    free(c->points);
    free(c->runs);
    free(c->run_of);
    free(c->next);
    free(c->names.slot);
    free(c->sources);
    free(c->renamed);
    memset(c, 0, sizeof *c);
}
