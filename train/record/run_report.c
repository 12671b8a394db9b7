/* See run_report.h. */
#include "train/record/run_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/robot.h"
#include "train/evaluate/metrics.h"
#include "train/record/report.h"
#include "train/validate.h"

enum { REPORT_SAMPLES = 8, REPORT_CLICKS = 3 };

/* One object being clicked: the masks that its report_sample borrows. */
struct clicked {
	struct report_sample *sample;
	uint8_t *pred, *truth;
};

void run_report_release_sample(struct report_sample *sample)
{
	image_release(&sample->photo);
	free((void *)sample->pred); /* const for the report, ours to free */
	free((void *)sample->truth);
	*sample = (struct report_sample){0};
}

/* Clicks until the mask is good or `most` are used up. */
static enum status click_object(struct tapcut_session *session, const struct clicked *object, int most)
{
	struct report_sample *sample = object->sample;
	int w = sample->photo.width, h = sample->photo.height;
	void *workspace = malloc(robot_workspace(w, h));
	if (!workspace)
		return status_fail(STATUS_NO_MEMORY, "no memory for the click robot");
	enum tapcut_status status = TAPCUT_OK;
	memset(object->pred, 0, (size_t)w * (size_t)h);
	sample->iou = 0;
	while (sample->clicks.count < most && sample->iou < 0.9f && status == TAPCUT_OK) {
		struct click click = robot_next_click(sample->pred, sample->truth, w, h, &sample->clicks, workspace);
		sample->clicks.items[sample->clicks.count++] = click;
		status = tapcut_session_click(session, click.x, click.y, click.positive);
		if (status == TAPCUT_OK)
			status = tapcut_session_mask(session, object->pred, (size_t)w);
		sample->iou = (float)metrics_iou(sample->pred, sample->truth, (size_t)w * (size_t)h);
	}
	free(workspace);
	return status == TAPCUT_OK ? STATUS_OK : status_fail(STATUS_FORMAT, "%s", tapcut_session_message(session));
}

enum status run_report_sample(struct tapcut_session *session, const struct dataset *dataset, int index, int most_clicks,
			      struct report_sample *sample)
{
	const struct dataset_object *object = &dataset->objects[index];
	TRY(dataset_read_photo(dataset, object->photo, &sample->photo));
	int w = sample->photo.width, h = sample->photo.height;
	struct clicked clicked = {sample, calloc((size_t)w, (size_t)h), calloc((size_t)w, (size_t)h)};
	sample->pred = clicked.pred;
	sample->truth = clicked.truth;
	if (!clicked.pred || !clicked.truth)
		return status_fail(STATUS_NO_MEMORY, "no memory for masks of %d x %d", w, h);
	rle_to_mask(&object->mask, clicked.truth);
	snprintf(sample->name, sizeof sample->name, "%s #%lld", dataset->photos[object->photo].file_name,
		 (long long)object->id);
	if (tapcut_session_set_image(session, sample->photo.pixels, w, h, 3 * (size_t)w) != TAPCUT_OK)
		return status_fail(STATUS_FORMAT, "%s", tapcut_session_message(session));
	return click_object(session, &clicked, most_clicks);
}

/* Objects spread evenly over the dataset. */
static enum status make_samples(struct tapcut_model *deployed, const struct config *config,
				const struct dataset *dataset, struct report_sample *samples, int count)
{
	char message[TAPCUT_MESSAGE_SIZE];
	struct evaluate_options options = validate_options(config, 1);
	struct tapcut_session *session;
	if (tapcut_session_new(deployed, &options.session, &session, message) != TAPCUT_OK)
		return status_fail(STATUS_NO_MEMORY, "%s", message);
	enum status status = STATUS_OK;
	for (int i = 0; i < count && !status; i++)
		status = run_report_sample(session, dataset, (int)((int64_t)dataset->object_count * i / count),
					   REPORT_CLICKS, &samples[i]);
	tapcut_session_free(session);
	return status;
}

enum status run_report_write(const char *out_dir, const struct config *config, const struct model *model,
			     const float *values, const struct dataset *dataset, const struct report_fact *facts,
			     int fact_count)
{
	struct report_sample samples[REPORT_SAMPLES] = {0};
	int count = dataset->object_count < REPORT_SAMPLES ? dataset->object_count : REPORT_SAMPLES;
	struct tapcut_model *deployed;
	TRY(deploy_in_memory(model, config, values, &deployed));
	enum status status = make_samples(deployed, config, dataset, samples, count);
	char log_path[1024], path[1024];
	snprintf(log_path, sizeof log_path, "%s/log.jsonl", out_dir);
	snprintf(path, sizeof path, "%s/report.html", out_dir);
	struct report report = {.config = config,
				.log_path = log_path,
				.facts = facts,
				.fact_count = fact_count,
				.samples = samples,
				.sample_count = count};
	if (!status)
		status = report_write(&report, path);
	for (int i = 0; i < count; i++)
		run_report_release_sample(&samples[i]);
	tapcut_model_free(deployed);
	return status;
}
