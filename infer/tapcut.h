/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
/* tapcut inference: select an object in a photo with one tap.
 *
 *	struct tapcut_model *model;
 *	struct tapcut_session *session;
 *	char message[TAPCUT_MESSAGE_SIZE];
 *	if (tapcut_model_load_file("model.tapcut", &model, message) != TAPCUT_OK) ...
 *	tapcut_session_new(model, NULL, &session, message);
 *	tapcut_session_set_image(session, rgb, width, height, 3 * width);
 *	tapcut_session_click(session, 320, 200, 1);
 *	tapcut_session_mask(session, mask, width);          // 255 = object; tapcut_session_alpha for soft edges
 *	tapcut_session_free(session);
 *	tapcut_model_free(model);
 *
 * Depends on libc, libm and zlib only.
 *
 * Threads: a model does not change after loading and may serve any number of sessions on any threads at once; a
 * session belongs to one thread at a time. Owner: what a call "borrows" stays the session's or the model's;
 * everything else is the caller's. Errors: calls return a status; a refused call changes nothing, except that a
 * refused photo leaves the session without one. NULL in place of something that a call needs is
 * TAPCUT_ARGUMENT. Nothing here prints or exits. Coordinates are whole pixels of the
 * photo as given (turn it upright before), origin top left. */
#ifndef TAPCUT_H
#define TAPCUT_H

#include <stddef.h>
#include <stdint.h>

#define TAPCUT_VERSION "0.5.0"

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
/* The library is compiled with -fvisibility=hidden: what is declared here is all that it shows. */
#pragma GCC visibility push(default)
#endif

/* TAPCUT_VERSION of the library, not of the header. Static. */
const char *tapcut_version(void);

enum { TAPCUT_MESSAGE_SIZE = 256, TAPCUT_MAX_CLICKS = 64, TAPCUT_MAX_THREADS = 64, TAPCUT_MAX_FEATHER = 200 };

enum tapcut_status {
	TAPCUT_OK = 0,
	TAPCUT_NO_MEMORY,
	TAPCUT_IO,     /* the file cannot be read */
	TAPCUT_FORMAT, /* not a weights file, damaged, or of an unknown version */
	TAPCUT_LIMIT,  /* a size is over the limits of FORMAT.md or of the options */
	/* the caller's argument is out of range (click outside the photo, too many clicks, no image) */
	TAPCUT_ARGUMENT,
	TAPCUT_CANCELLED, /* by tapcut_session_cancel */
};

struct tapcut_model;
struct tapcut_session;

/* --- model ---------------------------------------------------------------- */

/* `message` (TAPCUT_MESSAGE_SIZE bytes, or NULL) says what is wrong on failure; *model is then NULL. */
enum tapcut_status tapcut_model_load_file(const char *path, struct tapcut_model **model, char *message);
enum tapcut_status tapcut_model_load_memory(const void *data, size_t size, struct tapcut_model **model, char *message);
void tapcut_model_free(struct tapcut_model *model); /* after its sessions; NULL is allowed */

struct tapcut_model_info {
	const char *architecture; /* as named by the exporter, e.g. "squeezenet1_1+sharpmask_light"; borrowed */
	const char *weights;      /* "f32", "f16", "int8" or "codebook" */
	size_t parameters;
	size_t steps;
	size_t file_bytes;
	int default_size; /* long side at which the model sees whole photos best, in pixels */
	int arithmetic;   /* what TAPCUT_ARITHMETIC_AUTO means for it: TAPCUT_ARITHMETIC_FLOAT or _INT8 */
};
void tapcut_model_get_info(const struct tapcut_model *model, struct tapcut_model_info *info);
/* The function's name up to version 0.4. C++ cannot have a function and a struct of one name. */
#define tapcut_model_info(model, info) tapcut_model_get_info(model, info)

/* A model may label whole scenes instead of answering clicks. Then it has classes: the name of class `index`, 0 being
 * the background, borrowed; NULL from the number of classes on, and always for a model that selects what is clicked. */
const char *tapcut_model_class(const struct tapcut_model *model, int index);

/* --- session -------------------------------------------------------------- */

enum tapcut_arithmetic {
	TAPCUT_ARITHMETIC_AUTO = 0, /* 8 bits where the file has what that takes, else float */
	TAPCUT_ARITHMETIC_FLOAT,
	TAPCUT_ARITHMETIC_INT8, /* refused (TAPCUT_ARGUMENT) where the file cannot */
};

/* 0 stands for the default of every field: `struct tapcut_options options = {0};` has all of them. */
struct tapcut_options {
	/* sizeof(struct tapcut_options), for programs that set a field which came after version 0.5; 0: the fields of
	 * that version, which are all below */
	size_t struct_size;
	/* long side in pixels at which the network sees the photo, or its closer view; 0: the model's default where
	 * no_zoom is set, else five quarters of it */
	int size;
	int first_size; /* the same for the first click; 0: the model's default, but not more than size */
	/* 0: once the object is found in the whole photo, look closer at its surroundings (RITM's zoom-in); 1: never */
	int no_zoom;
	float threshold; /* a pixel is object where its probability is above this, under 1; 0: 0.49 */
	int keep_all;    /* 0: keep only components that a positive click touches; 1: keep all components */
	/* fill holes of up to this many pixels per million of the photo, at most 1000000; 0: 500; -1: fill none */
	int hole_limit;
	int arithmetic; /* enum tapcut_arithmetic */
	/* threads that run the network, the caller's included, 1 to TAPCUT_MAX_THREADS; 0: 1. Any number gives the
	 * same bytes */
	int threads;
	int graph_cut; /* 1: refine each mask by colour models and max-flow; 0: do not, unless the model has classes */
	float feather; /* tapcut_session_set_feather's pixels; 0: none */
	/* 0: the first click runs the network twice, on the whole photo and on the closer view of what was found there;
	 * 1: once, in half the time and less exactly */
	int one_look;
};
/* Sets every field to 0. */
void tapcut_options_init(struct tapcut_options *options);
/* Puts what each 0 stands for with this model in its place, as sessions do, except in struct_size. */
void tapcut_options_resolve(const struct tapcut_model *model, struct tapcut_options *options);

enum tapcut_status tapcut_session_new(const struct tapcut_model *model, const struct tapcut_options *options,
				      struct tapcut_session **session, char *message);
void tapcut_session_free(struct tapcut_session *session); /* NULL is allowed */

/* Copies what it needs of the photo: 8-bit RGB, `stride` bytes from row to row. Forgets all clicks. */
enum tapcut_status tapcut_session_set_image(struct tapcut_session *session, const uint8_t *rgb, int width, int height,
					    size_t stride);

/* Adds a click (positive: on the object; else on what is not) and updates the mask. Allocates nothing. */
enum tapcut_status tapcut_session_click(struct tapcut_session *session, int x, int y, int positive);
/* Ends the click that is running, soon and without effect: it returns TAPCUT_CANCELLED, and clicks and mask are as they
 * were before it. Where none runs, nothing happens. The only function that may be called while another one works on the
 * session, from any thread or signal handler. */
void tapcut_session_cancel(struct tapcut_session *session);
/* Takes back the last click; the mask is exactly what it was before it. */
enum tapcut_status tapcut_session_undo(struct tapcut_session *session);
/* Takes back all clicks. */
void tapcut_session_reset(struct tapcut_session *session);
int tapcut_session_click_count(const struct tapcut_session *session);

/* --- results ------------------------------------------------------------------------------------------------------
 *
 * A click works at a working resolution (long side at most 1024, the photo's own where that is smaller). What is larger
 * is made when one of these is called, from the photo's own pixels; the same clicks give the same bytes in whatever
 * order they are called. Without a click all of them are empty. None allocates. */

/* The mask at the photo's size after post-processing: 255 for the object, 0 for what is not; `stride` bytes from row
 * to row. */
enum tapcut_status tapcut_session_mask(struct tapcut_session *session, uint8_t *mask, size_t stride);

/* The soft mask at the photo's size: 255 for the object, 0 for what is not, between them the pixel's share of the
 * object; its edge follows the photo's (guided filter) and fades over the feather. `stride` bytes from row to row.
 * Multiply colours by it, or use it as an alpha channel. */
enum tapcut_status tapcut_session_alpha(struct tapcut_session *session, uint8_t *alpha, size_t stride);

/* The same at another size of at most the photo's sides (w x h, for a page or a thumbnail): fast, and a little less
 * exact than tapcut_session_alpha made smaller. */
enum tapcut_status tapcut_session_preview(struct tapcut_session *session, uint8_t *alpha, int w, int h, size_t stride);

/* From now on alpha and preview fade over so many pixels of the photo, half of them on either side of the edge: 0
 * (the edge as the photo has it) to TAPCUT_MAX_FEATHER. Clicks, masks and undo are not affected. */
enum tapcut_status tapcut_session_set_feather(struct tapcut_session *session, float pixels);

/* The class of each pixel of the photo (tapcut_model_class), `stride` bytes from row to row; clicks play no part. With
 * such a model a positive click selects the region that it is on, what hangs together and is of one class, and the
 * graph cut finds its edge. TAPCUT_ARGUMENT where the model has no classes. */
enum tapcut_status tapcut_session_labels(struct tapcut_session *session, uint8_t *labels, size_t stride);

/* The probability of each pixel at the working resolution, before post-processing: *w x *h floats (w and h may be
 * NULL). Borrowed, valid until the next call; NULL where there is no photo. */
const float *tapcut_session_probabilities(struct tapcut_session *session, int *w, int *h);

/* What went wrong in the last call that failed on this session. Borrowed. */
const char *tapcut_session_message(const struct tapcut_session *session);
/* Bytes this session holds for the current photo, model excluded. */
size_t tapcut_session_bytes(const struct tapcut_session *session);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif

#endif
