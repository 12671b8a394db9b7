/* See evaluate_labels.h. */
#include "train/evaluate/evaluate_labels.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/text.h"
#include "core/workers.h"
#include "data/label_map.h"

int evaluate_label_classes(const struct tapcut_model *model)
{
	int count = 0;
	while (tapcut_model_class(model, count))
		count++;
	return count;
}

struct labelling {
	const struct dataset *dataset;
	const struct evaluate_options *options;
	struct tapcut_session **sessions; /* one per thread */
	pthread_mutex_t mutex;            /* for what follows */
	struct label_counts *counts;
	int done, count;
	enum status status;
	char message[512];
};

static enum status label_photo(struct labelling *l, int index, struct tapcut_session *session,
			       struct label_counts *counts)
{
	struct image photo;
	TRY(dataset_read_photo(l->dataset, index, &photo));
	size_t pixels = (size_t)photo.width * (size_t)photo.height;
	uint8_t *truth = malloc(2 * pixels);
	enum status status = STATUS_OK;
	if (!truth)
		status = status_fail(STATUS_NO_MEMORY, "no memory for the labels of %zu pixels", pixels);
	if (!status)
		status = label_map_fill(l->dataset, index, truth);
	if (!status && (tapcut_session_set_image(session, photo.pixels, photo.width, photo.height,
						 3 * (size_t)photo.width) != TAPCUT_OK ||
			tapcut_session_labels(session, truth + pixels, (size_t)photo.width) != TAPCUT_OK))
		status = status_fail(STATUS_LIMIT, "%s: %s", l->dataset->photos[index].file_name,
				     tapcut_session_message(session));
	if (!status)
		label_counts_add(counts, truth + pixels, truth, pixels);
	free(truth);
	image_release(&photo);
	return status;
}

static void label_task(void *context, int index, int thread)
{
	struct labelling *l = context;
	struct label_counts counts;
	label_counts_init(&counts, l->counts->classes);
	enum status status = l->options->stop && *l->options->stop
				     ? status_fail(STATUS_INTERRUPTED, "asked to stop during an evaluation")
				     : label_photo(l, index, l->sessions[thread], &counts);
	pthread_mutex_lock(&l->mutex);
	label_counts_merge(l->counts, &counts);
	if (status && !l->status) {
		l->status = status;
		snprintf(l->message, sizeof l->message, "%s", status_message());
	}
	l->done++;
	if (l->options->progress)
		l->options->progress(l->done, l->count, l->options->context);
	pthread_mutex_unlock(&l->mutex);
}

static enum status run_sessions(struct labelling *l, const struct tapcut_model *model, struct workers *workers)
{
	int threads = workers_threads(workers);
	char message[TAPCUT_MESSAGE_SIZE];
	enum status status = STATUS_OK;
	l->sessions = calloc((size_t)threads, sizeof *l->sessions);
	if (!l->sessions)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d sessions", threads);
	for (int i = 0; i < threads && !status; i++)
		if (tapcut_session_new(model, &l->options->session, &l->sessions[i], message) != TAPCUT_OK)
			status = status_fail(STATUS_CONFIG, "%s", message);
	if (!status)
		workers_run(workers, l->count, label_task, l);
	for (int i = 0; i < threads; i++)
		tapcut_session_free(l->sessions[i]);
	free(l->sessions);
	if (!status && l->status)
		status = status_fail(l->status, "%s", l->message);
	return status;
}

/* The objects' labels are the model's classes. */
static enum status label_objects(const struct tapcut_model *model, struct dataset *dataset, int classes)
{
	const char *names[LABEL_CLASSES];
	int labelled = 0;
	if (classes < 2 || classes > LABEL_CLASSES)
		return status_fail(STATUS_CONFIG,
				   "expected a model of 2 to %d classes, as the task \"labels\" trains it, found one "
				   "of %d: %s",
				   LABEL_CLASSES, classes, classes ? "too many" : "it selects what is tapped");
	for (int i = 1; i < classes; i++)
		names[i - 1] = tapcut_model_class(model, i);
	dataset_label(dataset, names, classes - 1);
	for (int i = 0; i < dataset->object_count; i++)
		labelled += dataset->objects[i].label > 0;
	return labelled ? STATUS_OK
			: status_fail(STATUS_CONFIG, "no object is of a class of the model (%s, ...)", names[0]);
}

enum status evaluate_labels(const struct tapcut_model *model, struct dataset *dataset,
			    const struct evaluate_options *options, struct label_counts *counts)
{
	struct labelling l = {.dataset = dataset, .options = options, .counts = counts, .count = dataset->photo_count};
	struct workers *workers;
	label_counts_init(counts, evaluate_label_classes(model));
	TRY(label_objects(model, dataset, counts->classes));
	if (options->limit > 0 && options->limit < l.count)
		l.count = options->limit;
	TRY(workers_new(options->threads, &workers));
	pthread_mutex_init(&l.mutex, NULL);
	enum status status = run_sessions(&l, model, workers);
	pthread_mutex_destroy(&l.mutex);
	workers_free(workers);
	return status;
}

/* --- figures -------------------------------------------------------------- */

static double share(const struct label_counts *counts, int label)
{
	return counts->pixels ? (double)counts->truth[label] / (double)counts->pixels : 0;
}

void evaluate_labels_print(const struct tapcut_model *model, const struct label_counts *counts, FILE *out)
{
	fprintf(out, "%-32s %8s %8s\n", "class", "pixels", "IoU");
	for (int c = 0; c < counts->classes; c++) {
		double iou = label_counts_iou(counts, c);
		fprintf(out, "%-32s %6.2f %% ", tapcut_model_class(model, c), 100 * share(counts, c));
		if (counts->truth[c])
			fprintf(out, "%6.1f %%\n", 100 * iou);
		else
			fprintf(out, "%8s\n", iou < 0 ? "not there" : "0: not there, but found");
	}
	fprintf(out, "pixel accuracy %.1f %%, mIoU %.1f %% over the classes that are there\n",
		100 * label_counts_accuracy(counts), 100 * label_counts_miou(counts));
}

void evaluate_labels_print_json(const struct tapcut_model *model, const struct label_counts *counts, FILE *out)
{
	struct text text;
	text_init(&text);
	text_add(&text, "{\"pixel_accuracy\": ");
	text_add_number(&text, label_counts_accuracy(counts));
	text_add(&text, ", \"miou\": ");
	text_add_number(&text, label_counts_miou(counts));
	text_add(&text, ", \"classes\": [");
	for (int c = 0; c < counts->classes; c++) {
		text_add(&text, c ? ", {\"name\": " : "{\"name\": ");
		text_add_json_string(&text, tapcut_model_class(model, c));
		text_add(&text, ", \"pixels\": %llu, \"found\": %llu, \"iou\": ", (unsigned long long)counts->truth[c],
			 (unsigned long long)counts->found[c]);
		if (counts->truth[c] + counts->found[c])
			text_add_number(&text, label_counts_iou(counts, c));
		else
			text_add(&text, "null");
		text_add(&text, "}");
	}
	text_add(&text, "]}\n");
	if (text.data)
		fwrite(text.data, 1, text.length, out);
	text_release(&text);
}
