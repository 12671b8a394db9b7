/* The parts of `tapcut bench`: each measures one thing and fills a struct of figures; print.c and json.c show them. */
#ifndef TOOLS_BENCH_BENCH_H
#define TOOLS_BENCH_BENCH_H

#include <stdio.h>

#include "core/workers.h"
#include "tools/bench/child.h"
#include "train/batch.h"
#include "tools/bench/profile.h"

enum { BENCH_MAX_REPEATS = 99 };

/* The median; sorts the values. 0 of none. */
double bench_median(double *values, int count);

/* --- machine.c ------------------------------------------------------------ */

struct bench_machine {
	char cpu[128];
	long processors;
	double idle; /* share of the processors that others leave free, before anything was measured; < 0: unknown */
	double peak_one;  /* FMA peak of one thread that runs alone, FLOP/s */
	double peak_each; /* of each of `threads` that run together */
	int threads;
};

void bench_machine_look(struct bench_machine *machine, struct workers *workers);

/* --- training.c ----------------------------------------------------------- */

/* A trainer without data: its network, batch and optimiser, on generated samples that stay the same. */
struct bench_training {
	const struct config *config; /* borrowed */
	struct params params;
	struct model model;
	struct objective objective;
	struct optim optim;
	struct workers *workers; /* borrowed */
	struct batch batch;
	struct sample *samples; /* batch_size */
	uint64_t steps;         /* done so far */
};

enum status bench_training_init(struct bench_training *training, const struct config *config, struct workers *workers);
void bench_training_release(struct bench_training *training);

/* Some steps; wall and thread time in seconds. */
struct bench_steps {
	int samples;
	double wall, best; /* of all, and of the fastest step */
	double cpu, optimiser_cpu;
};
/* Runs `limit.steps` steps, or fewer if they take longer than `limit.seconds`. */
struct bench_limit {
	int steps;
	double seconds;
};
enum status bench_training_run(struct bench_training *training, struct bench_limit limit, struct bench_steps *result);

/* Parts of a step that belong to no node: thread time of one step, in seconds. */
struct bench_parts {
	double prepare; /* weights packed for the kernels */
	double sum;     /* gradients of the slots added up */
};
void bench_training_parts(struct bench_training *training, struct bench_parts *parts);

/* Profiles `steps` steps of each sort. */
enum status bench_training_profile(struct bench_training *training, int steps, struct profile *profile);

/* --- loader.c ------------------------------------------------------------- */

/* Thread time per sample, in seconds. */
struct bench_loader {
	double load;                /* decode, crop, resample, augment */
	double click;               /* first clicks, and drawing them */
	int samples, width, height; /* size of the generated photos */
};

enum status bench_loader(const struct config *config, struct bench_loader *figures);

/* --- inference.c ---------------------------------------------------------- */

/* One thread; medians, in seconds. */
struct bench_inference {
	int size;
	double set_image, first_click, second_click;
	size_t session_bytes;
};

enum status bench_inference(const struct bench_training *training, int size, struct bench_inference *figures);

/* --- torch.c -------------------------------------------------------------- */

/* The PyTorch twin, a process of its own that is asked to train a few steps at a time. */
struct bench_torch {
	struct bench_child child;
	bool skipped;
	char reason[256]; /* why it was skipped */
	char version[32];
	const char *format;     /* "nchw" or "channels_last": the faster one */
	double format_speed[2]; /* samples/s of both, in that order */
};
extern const char *const bench_torch_formats[2];

/* Starts the twin and checks that it is the same network. Where there is no Python, PyTorch or twin, `skipped` is set
 * and the status is STATUS_OK. */
enum status bench_torch_open(struct bench_torch *torch, const struct bench_training *training);
/* The same as bench_training_run; the optimiser's time is not known apart. */
enum status bench_torch_run(struct bench_torch *torch, const char *format, struct bench_limit limit,
			    struct bench_steps *result);
/* Measures both memory formats and remembers the faster. */
enum status bench_torch_choose_format(struct bench_torch *torch, struct bench_limit limit);
void bench_torch_close(struct bench_torch *torch);

/* --- taps.c --------------------------------------------------------------- */

struct bench_taps_options {
	const char *model; /* NULL: the shipped one */
	int size;          /* of the planes; 0: 512 and 256 */
	int threads;       /* 0: 1 and 2 */
	int repeats;       /* turns, or pairs of them */
	bool against;      /* in turns with ONNX Runtime on the same network, exported as ONNX */
	bool kinds;        /* float by kind of step too */
};

/* Runs a weights file and prints what a tap takes, what share of the FMA peak that is, and memory. */
enum status bench_taps(const struct bench_taps_options *options, FILE *out);

/* kinds.c: a table of the steps' times in float by kind, and their share of `peak` FLOP/s. */
struct infer_network;
enum status bench_kinds(const struct infer_network *network, int size, int threads, double peak, FILE *out);

/* --- print.c, json.c ------------------------------------------------------ */

struct bench_report {
	const struct config *config;
	struct bench_machine machine;
	size_t parameters;
	double macs; /* forward, one sample */
	int repeats;
	struct bench_limit limit;
	double speed[BENCH_MAX_REPEATS]; /* samples/s of each repeat, in the order of time */
	double best;                     /* samples/s of the fastest step of all */
	double cpu;                      /* thread time per sample, medians over the repeats */
	double optimiser_cpu;
	struct bench_parts parts; /* of a sample */
	struct profile_row *nodes, *kinds;
	int node_count, kind_count;
	bool show_nodes;
	size_t arena_bytes; /* of one thread */
	size_t batch_bytes; /* arenas, gradients and prepared weights of all */
	size_t peak_rss;    /* of the process, after training */
	struct bench_loader loader;
	struct bench_inference inference;
	bool against_torch;
	struct bench_torch torch;
	double torch_speed[BENCH_MAX_REPEATS], torch_best, torch_cpu;
};

/* Median samples per second. */
double bench_report_speed(const struct bench_report *report);
/* Median of the ratios of repeats that were measured one after the other. */
double bench_report_ratio(const struct bench_report *report);

void bench_print(const struct bench_report *report, FILE *out);
/* One object; STATUS_NO_MEMORY. */
enum status bench_print_json(const struct bench_report *report, FILE *out);

/* --- photo.c -------------------------------------------------------------- */

struct bench_photo_options {
	const char *photo, *model; /* model NULL: the shipped one */
	int threads;               /* 0: 1 */
	int repeats;
	int graph_cut;
};
enum status bench_photo(const struct bench_photo_options *options, FILE *out);

#endif
