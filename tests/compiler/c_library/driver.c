/* Runs the library `model` as a C program does: two threads, each with a context of its own, many sizes, failures.
 *
 *     driver CASES     where CASES holds for each case: n, x float[n][20], rows int32_t[n], y float[n][3]
 *
 * Exit status 0 if all results have the expected bits and all failures the expected status.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum { INPUTS = 20, OUTPUTS = 3, CASES = 16, ROUNDS = 3 };

struct test_case {
    int64_t n;
    float *x, *y;
    int32_t *rows;
};

static struct test_case cases[CASES];
static int case_count;

static void *piece(FILE *file, size_t size)
{
    void *data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, file) != size)
        exit(10);
    return data;
}

static void read_cases(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        exit(11);
    int64_t n;
    while (case_count < CASES && fread(&n, sizeof n, 1, file) == 1) {
        struct test_case *own = &cases[case_count++];
        own->n = n;
        own->x = piece(file, (size_t)n * INPUTS * sizeof(float));
        own->rows = piece(file, (size_t)n * sizeof(int32_t));
        own->y = piece(file, (size_t)n * OUTPUTS * sizeof(float));
    }
    fclose(file);
}

static model_status run(model_context *context, const struct test_case *own, float *y, void *workspace)
{
    const void *inputs[] = {[MODEL_INPUT_X] = own->x, [MODEL_INPUT_ROWS] = own->rows};
    void *outputs[] = {[MODEL_OUTPUT_Y] = y};
    return model_run(context, inputs, outputs, workspace);
}

/* All cases several times with one context. Returns NULL if all is well, else what was wrong. */
static const char *check_cases(model_context *context, int own_workspace)
{
    for (int round = 0; round < ROUNDS; round++)
        for (int k = 0; k < case_count; k++) {
            if (model_set_size(context, MODEL_SIZE_N, cases[k].n))
                return model_error_message(context);
            size_t bytes = model_output_bytes(context, MODEL_OUTPUT_Y);
            float *y = malloc(bytes ? bytes : 1);
            void *workspace = own_workspace ? NULL : malloc(model_workspace_size(context));
            model_status status = run(context, &cases[k], y, workspace);
            int same = !status && !memcmp(y, cases[k].y, bytes);
            free(workspace);
            free(y);
            if (status)
                return model_error_message(context);
            if (!same)
                return "other results";
        }
    return NULL;
}

static void *thread(void *unused)
{
    (void)unused;
    model_context *context = model_create();
    const char *wrong = context ? check_cases(context, 1) : "no context";
    model_free(context);
    return (void *)wrong;
}

static void expect(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "driver: %s\n", what);
        exit(1);
    }
}

static void check_failures(void)
{
    model_context *context = model_create();
    struct test_case own = cases[0];
    float y[OUTPUTS * 64];
    int32_t rows[64] = {0};
    expect(run(context, &own, y, NULL) == MODEL_SIZE_MISSING, "a run without sizes");
    expect(model_set_size(context, MODEL_SIZE_N, -1) == MODEL_BAD_SIZE, "a negative size");
    expect(model_set_size(context, 5, 1) == MODEL_BAD_INDEX, "a size that does not exist");
    expect(model_set_size(context, MODEL_SIZE_N, own.n) == MODEL_OK, "a size");
    rows[own.n - 1] = 1000;
    own.rows = rows;
    expect(run(context, &own, y, NULL) == MODEL_BAD_VALUE, "an index out of range");
    expect(strstr(model_error_message(context), "an index lies outside") != NULL, model_error_message(context));
    own.rows = NULL;
    expect(run(context, &own, y, NULL) == MODEL_NULL_POINTER, "an input that is NULL");
    expect(run(context, &cases[0], y, NULL) == MODEL_OK, "a run after failures");
    model_free(context);
    model_free(NULL);
}

int main(int argc, char **argv)
{
    expect(argc == 2, "usage: driver CASES");
    read_cases(argv[1]);
    expect(case_count > 0, "no cases");
    pthread_t threads[2];
    for (int k = 0; k < 2; k++)
        expect(!pthread_create(&threads[k], NULL, thread, NULL), "no thread");
    for (int k = 0; k < 2; k++) {
        void *wrong;
        pthread_join(threads[k], &wrong);
        expect(!wrong, wrong);
    }
    void *memory = malloc(model_context_size());
    const char *wrong = check_cases(model_init(memory), 0);
    expect(!wrong, wrong);
    free(memory);
    check_failures();
    for (int k = 0; k < case_count; k++)
        free(cases[k].x), free(cases[k].rows), free(cases[k].y);
    puts("all is well");
    return 0;
}
