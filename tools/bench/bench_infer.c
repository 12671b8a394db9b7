/* What a tap costs: milliseconds to load a model, to set a photo, and of its first and second click, and peak memory,
 * on one thread. Links infer/ alone, so that the memory is what an app would see. The photo is square and as large as
 * the network's input for the first click; the second may look closer, at the same size.
 *
 *   bench_infer MODEL.tapcut [SIZE [ROUNDS]]      prints one JSON object */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "infer/tapcut.h"

enum { MAX_ROUNDS = 40 };

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values, int count)
{
	qsort(values, (size_t)count, sizeof values[0], compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* A bright disk on a rough ground: something to select. */
static void draw(uint8_t *rgb, int size)
{
	uint32_t noise = 1;
	for (int y = 0; y < size; y++)
		for (int x = 0; x < size; x++)
			for (int c = 0; c < 3; c++) {
				int dx = x - size / 2, dy = y - size / 2;
				noise = noise * 1664525u + 1013904223u;
				*rgb++ = (uint8_t)((dx * dx + dy * dy < size * size / 9 ? 150 : 40) + 20 * c +
						   (int)(noise >> 27));
			}
}

struct figures {
	double load, set_image, first_click, second_click;
	double session_mib;
};

static int fail(const char *what, const char *message)
{
	fprintf(stderr, "bench_infer: %s: %s\n", what, message);
	return 1;
}

/* Adds a click and fetches the mask; milliseconds, negative if that failed. */
static double time_click(struct tapcut_session *session, int x, int y, int positive, uint8_t *mask, int size)
{
	double start = now_ms();
	if (tapcut_session_click(session, x, y, positive) != TAPCUT_OK ||
	    tapcut_session_mask(session, mask, (size_t)size) != TAPCUT_OK)
		return -1;
	return now_ms() - start;
}

/* Each round sets the photo anew, clicks on the object and beside it; all times are medians over the rounds. */
static int measure_session(struct tapcut_session *session, const uint8_t *rgb, int size, int rounds, struct figures *f)
{
	double set_image[MAX_ROUNDS], first[MAX_ROUNDS], second[MAX_ROUNDS];
	uint8_t *mask = malloc((size_t)size * (size_t)size);
	if (!mask)
		return fail("mask", "no memory");
	int failed = 0;
	for (int i = -1; i < rounds && !failed; i++) { /* round -1 warms up */
		int at = i < 0 ? 0 : i;
		double start = now_ms();
		failed = tapcut_session_set_image(session, rgb, size, size, 3 * (size_t)size) != TAPCUT_OK;
		set_image[at] = now_ms() - start;
		first[at] = failed ? -1 : time_click(session, size / 2 + at % 7, size / 2, 1, mask, size);
		second[at] = first[at] < 0 ? -1 : time_click(session, size / 16, size / 16, 0, mask, size);
		failed = second[at] < 0;
	}
	free(mask);
	if (failed)
		return fail("session", tapcut_session_message(session));
	f->set_image = median(set_image, rounds);
	f->first_click = median(first, rounds);
	f->second_click = median(second, rounds);
	f->session_mib = (double)tapcut_session_bytes(session) / (1 << 20);
	return 0;
}

static int measure(const char *path, int size, int rounds, struct figures *f)
{
	char message[TAPCUT_MESSAGE_SIZE] = "";
	struct tapcut_model *model = NULL;
	struct tapcut_session *session = NULL;
	struct tapcut_options options;
	tapcut_options_init(&options);
	options.size = options.first_size = size;
	double start = now_ms();
	if (tapcut_model_load_file(path, &model, message) != TAPCUT_OK)
		return fail("model", message);
	f->load = now_ms() - start;
	uint8_t *rgb = malloc(3 * (size_t)size * (size_t)size);
	int code;
	if (!rgb)
		code = fail("photo", "no memory");
	else if (tapcut_session_new(model, &options, &session, message) != TAPCUT_OK)
		code = fail("session", message);
	else {
		draw(rgb, size);
		code = measure_session(session, rgb, size, rounds, f);
	}
	tapcut_session_free(session);
	free(rgb);
	tapcut_model_free(model);
	return code;
}

int main(int argc, char **argv)
{
	struct figures f;
	struct rusage usage;
	int size = argc > 2 ? atoi(argv[2]) : 512, rounds = argc > 3 ? atoi(argv[3]) : 9;
	if (argc < 2 || size < 32 || size > 4096 || rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: bench_infer MODEL.tapcut [SIZE [ROUNDS]]\n");
		return 2;
	}
	if (measure(argv[1], size, rounds, &f) != 0)
		return 1;
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"size\": %d, \"rounds\": %d, \"load_ms\": %.2f, \"set_image_ms\": %.2f, \"click1_ms\": %.2f, "
	       "\"click2_ms\": %.2f, \"session_mib\": %.1f, "
	       "\"peak_mib\": %.1f}\n",
	       size, rounds, f.load, f.set_image, f.first_click, f.second_click, f.session_mib,
	       (double)usage.ru_maxrss / 1024);
	return 0;
}
