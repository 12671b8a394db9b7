/* See patience.h. */
#include "train/patience.h"

#include <stdio.h>
#include <string.h>

static const struct metric {
	const char *name;
	size_t offset;
	bool lower_is_better;
} metrics[] = {
	{"noc90", offsetof(struct run_val, noc90), true},  {"noc85", offsetof(struct run_val, noc85), true},
	{"miou1", offsetof(struct run_val, miou1), false}, {"miou3", offsetof(struct run_val, miou3), false},
	{"miou5", offsetof(struct run_val, miou5), false}, {"biou1", offsetof(struct run_val, biou1), false},
};
const char *const patience_metrics[] = {"noc90", "noc85", "miou1", "miou3", "miou5", "biou1", NULL};

/* The config has checked the name. */
static const struct metric *metric_of(const struct patience *patience)
{
	size_t i = 0;
	while (strcmp(metrics[i].name, patience->config->train.patience_metric) != 0)
		i++;
	return &metrics[i];
}

void patience_init(struct patience *patience, const struct config *config)
{
	*patience = (struct patience){.config = config};
}

void patience_add(struct patience *patience, const struct run_val *val)
{
	const struct metric *metric = metric_of(patience);
	uint64_t every = (uint64_t)patience->config->eval.every;
	double value = *(const double *)((const char *)val + metric->offset);
	if (!every || val->step % every != 0)
		return;
	bool better = metric->lower_is_better ? value < patience->best : value > patience->best;
	if (patience->best_step && !better) {
		patience->since++;
		return;
	}
	patience->best_step = val->step;
	patience->best = value;
	patience->since = 0;
}

enum status patience_read_log(struct patience *patience, const char *log_path)
{
	struct run_history history;
	TRY(run_history_read(&history, log_path));
	for (int i = 0; i < history.val_count && !patience_is_over(patience); i++)
		patience_add(patience, &history.vals[i]);
	run_history_release(&history);
	return STATUS_OK;
}

bool patience_is_over(const struct patience *patience)
{
	return patience->config->train.patience && patience->since >= patience->config->train.patience;
}

void patience_describe(const struct patience *patience, char *text, size_t size)
{
	snprintf(text, size, "no better %s in %d validations since step %llu, where it was %.4g",
		 metric_of(patience)->name, patience->since, (unsigned long long)patience->best_step, patience->best);
}
