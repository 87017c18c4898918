/* The Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html), as far as
 * kernels need it: take primitive and string columns in, hand primitive and string columns out. */
#ifndef ADIZ_ARROW_H
#define ADIZ_ARROW_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

static void adiz_release_schema(struct ArrowSchema *s) { s->release = NULL; }

static void adiz_release_array(struct ArrowArray *a) {
    for (int64_t i = 0; i < a->n_buffers; i++) free((void *)a->buffers[i]);
    free(a->buffers);
    a->release = NULL;
}

/* A column of n values whose buffers (malloc'ed) it comes to own: no nulls. `format` must live
   for ever. second is NULL but for strings. Returns 0, or 1 out of memory (buffers are freed). */
static int adiz_column_out(struct ArrowSchema *schema, struct ArrowArray *array, const char *format,
                           int64_t n, void *first, void *second) {
    const void **buffers = malloc(3 * sizeof *buffers);
    if (!buffers || !first) {
        free(buffers), free(first), free(second);
        return 1;
    }
    buffers[0] = NULL;
    buffers[1] = first;
    buffers[2] = second;
    memset(schema, 0, sizeof *schema);
    schema->format = format;
    schema->name = "";
    schema->release = adiz_release_schema;
    memset(array, 0, sizeof *array);
    array->length = n;
    array->n_buffers = second ? 3 : 2;
    array->buffers = buffers;
    array->release = adiz_release_array;
    return 0;
}

#endif
