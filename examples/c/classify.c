/* Recognizes handwritten digits with a network that sessile has compiled to a C library.
 *
 *     classify FOLDER      reads images.bin, answers.bin and expected.bin from FOLDER (see make_library.py)
 *
 * Shows the first digit, counts how many are recognized, and compares the probabilities with those that the session in
 * Python has computed: the same bits, or, from a library for another processor, nearly. Exit status 0 if they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"

enum { PIXELS = 64, SIDE = 8, CLASSES = 10, BATCH = 100 };

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "classify: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

/* The contents of a file, and how many elements of `element` bytes it holds. */
static void *contents(const char *folder, const char *name, size_t element, size_t *count)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail(path, "cannot be read");
    long size = ftell(file);
    rewind(file);
    void *data = malloc(size > 0 ? (size_t)size : 1);
    if (!data || size < 0 || fread(data, 1, (size_t)size, file) != (size_t)size)
        fail(path, "cannot be read");
    fclose(file);
    *count = (size_t)size / element;
    return data;
}

static void show(const float *image)
{
    static const char shades[] = " .:-=+*#%@";
    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < SIDE; column++) {
            char shade = shades[(int)(image[row * SIDE + column] * 9.0f)];
            putchar(shade), putchar(shade);
        }
        putchar('\n');
    }
}

/* Computes probabilities and digits of all images, a batch after the other; the last one may be smaller. */
static void classify(digits_context *context, const float *images, size_t count, float *probabilities, int64_t *digits)
{
    for (size_t first = 0; first < count; first += BATCH) {
        size_t batch = count - first < BATCH ? count - first : BATCH;
        if (digits_get_size(context, DIGITS_SIZE_BATCH) != (int64_t)batch
            && digits_set_size(context, DIGITS_SIZE_BATCH, (int64_t)batch) != DIGITS_OK)
            fail("set_size", digits_error_message(context));
        const void *inputs[] = {[DIGITS_INPUT_IMAGES] = images + first * PIXELS};
        void *outputs[] = {
            [DIGITS_OUTPUT_PROBABILITIES] = probabilities + first * CLASSES,
            [DIGITS_OUTPUT_DIGITS] = digits + first,
        };
        if (digits_run(context, inputs, outputs, NULL) != DIGITS_OK)
            fail("run", digits_error_message(context));
    }
}

static float largest_difference(const float *a, const float *b, size_t count)
{
    float largest = 0.0f;
    for (size_t k = 0; k < count; k++) {
        float difference = a[k] < b[k] ? b[k] - a[k] : a[k] - b[k];
        if (!(difference <= largest)) /* holds for NaN too */
            largest = difference;
    }
    return largest;
}

int main(int argc, char **argv)
{
    const char *folder = argc > 1 ? argv[1] : ".";
    size_t count, answer_count, expected_count;
    float *images = contents(folder, "images.bin", PIXELS * sizeof(float), &count);
    unsigned char *answers = contents(folder, "answers.bin", 1, &answer_count);
    float *expected = contents(folder, "expected.bin", CLASSES * sizeof(float), &expected_count);
    if (!count || answer_count != count || expected_count != count)
        fail(folder, "the files do not belong together");

    float *probabilities = malloc(count * CLASSES * sizeof(float));
    int64_t *digits = malloc(count * sizeof(int64_t));
    digits_context *context = digits_create();
    if (!probabilities || !digits || !context)
        fail("main", "out of memory");
    classify(context, images, count, probabilities, digits);

    size_t right = 0;
    for (size_t k = 0; k < count; k++)
        right += digits[k] == answers[k];
    show(images);
    printf("a %d, with probability %.3f\n", (int)digits[0], probabilities[digits[0]]);
    printf("%zu of %zu digits recognized\n", right, count);
    float distance = largest_difference(probabilities, expected, count * CLASSES);
    if (!memcmp(probabilities, expected, count * CLASSES * sizeof(float)))
        puts("the same bits as in Python");
    else
        printf("at most %g away from what Python computes\n", distance);

    digits_free(context);
    free(digits);
    free(probabilities);
    free(expected);
    free(answers);
    free(images);
    return distance < 1e-5f ? EXIT_SUCCESS : EXIT_FAILURE;
}
