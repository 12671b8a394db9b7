/* See validate.h. */
#include "train/validate.h"

#include <stdlib.h>

struct export_options deploy_options(const struct config *config, enum export_weights weights)
{
	return (struct export_options){
		.weights = weights,
		.preprocess = config->preprocess,
		.default_size = config->eval.size,
		.categories = config->data.categories,
	};
}

enum status deploy_in_memory(const struct model *model, const struct config *config, const float *values,
			     struct tapcut_model **deployed)
{
	struct export_options options = deploy_options(config, EXPORT_F32);
	unsigned char *data;
	size_t size;
	char message[TAPCUT_MESSAGE_SIZE];
	TRY(export_memory(model, &config->model, values, &options, &data, &size));
	enum tapcut_status loaded = tapcut_model_load_memory(data, size, deployed, message);
	free(data);
	if (loaded != TAPCUT_OK)
		return status_fail(STATUS_FORMAT, "exported weights: %s", message);
	return STATUS_OK;
}

struct evaluate_options validate_options(const struct config *config, int threads)
{
	struct evaluate_options options;
	evaluate_options_init(&options);
	options.session.no_zoom = !config->eval.zoom;
	options.session.threshold = (float)config->threshold;
	options.max_clicks = config->eval.max_clicks;
	options.limit = config->eval.limit;
	options.threads = threads;
	return options;
}

enum status validate(const struct model *model, const struct config *config, const float *values, struct dataset *val,
		     int threads, const volatile sig_atomic_t *stop, struct evaluate_result *result,
		     struct label_counts *labels)
{
	struct evaluate_options options = validate_options(config, threads);
	options.stop = stop;
	struct tapcut_model *deployed;
	TRY(deploy_in_memory(model, config, values, &deployed));
	label_counts_init(labels, 0);
	enum status status = evaluate_dataset(deployed, val, &options, result);
	if (status == STATUS_OK && config->task == TASK_LABELS) {
		status = evaluate_labels(deployed, val, &options, labels);
		if (status != STATUS_OK)
			evaluate_result_release(result);
	}
	tapcut_model_free(deployed);
	return status;
}
