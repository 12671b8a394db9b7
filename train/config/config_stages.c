/* Stages: one config that describes a whole way, whose later parts change some of its keys. A stage keeps the text of
 * its keys; what it means is found by applying that text, and those of the stages before it, to a copy. */
#include <stdlib.h>
#include <string.h>

#include "train/config/config_keys.h"

static const uint64_t STEPS_MOST = 1000000000;

/* --- in ------------------------------------------------------------------- */

/* Compact, and the same bytes for the same value. */
static void add_json(struct text *text, const struct json *value)
{
	double number = 0;
	bool on = false, list = json_type(value) == JSON_TYPE_ARRAY;
	switch (json_type(value)) {
	case JSON_TYPE_NULL: text_add(text, "null"); return;
	case JSON_TYPE_BOOL:
		json_bool(value, &on);
		text_add(text, "%s", on ? "true" : "false");
		return;
	case JSON_TYPE_NUMBER:
		json_number(value, &number);
		text_add_number(text, number);
		return;
	case JSON_TYPE_STRING: text_add_json_string(text, json_string(value)); return;
	case JSON_TYPE_ARRAY:
	case JSON_TYPE_OBJECT: break;
	}
	text_add(text, list ? "[" : "{");
	for (const struct json *member = json_first(value), *first = member; member; member = json_next(member)) {
		text_add(text, member == first ? "" : ", ");
		if (!list) {
			text_add_json_string(text, json_key(member));
			text_add(text, ": ");
		}
		add_json(text, member);
	}
	text_add(text, list ? "]" : "}");
}

static enum status refuse(const char *source, int index, const char *expected, const struct json *found)
{
	char text[80];
	json_describe(found, text, sizeof text);
	return status_fail(STATUS_CONFIG, "%s: stages: stage %d: expected %s, found %s", source, index + 1, expected,
			   text);
}

/* A section of a stage: each of its keys is one that may change. */
static enum status check_section(const struct json *section, int index, const char *source)
{
	for (const struct json *member = json_first(section); member; member = json_next(member)) {
		char name[128];
		snprintf(name, sizeof name, "%.60s.%.60s", json_key(section), json_key(member));
		const struct config_key *key = config_find_key(name);
		if (key && !config_key_may_change(key))
			return status_fail(STATUS_CONFIG, "%s: stages: stage %d: %s cannot change within a run", source,
					   index + 1, name);
	}
	return STATUS_OK;
}

static enum status set_keys(struct config_stage *stage, struct text *keys, const char *source, int index)
{
	text_add(keys, "}");
	if (keys->failed)
		return text_status(keys);
	if (keys->length >= sizeof stage->keys)
		return status_fail(STATUS_CONFIG, "%s: stages: stage %d: expected keys of at most %zu bytes, found %zu",
				   source, index + 1, sizeof stage->keys - 1, keys->length);
	memcpy(stage->keys, keys->data, keys->length + 1);
	return STATUS_OK;
}

static enum status set_member(struct config_stage *stage, const struct json *member, struct text *keys, int index,
			      const char *source)
{
	const char *name = json_key(member);
	double number;
	if (strcmp(name, "steps") == 0) {
		bool fits = json_number(member, &number) == STATUS_OK && number >= 1 && number <= (double)STEPS_MOST &&
			    number == (double)(uint64_t)number;
		stage->steps = fits ? (uint64_t)number : 0;
		return fits ? STATUS_OK : refuse(source, index, "\"steps\", an integer in 1 .. 1000000000", member);
	}
	if (strcmp(name, "restart") == 0)
		return json_bool(member, &stage->restart) == STATUS_OK
			       ? STATUS_OK
			       : refuse(source, index, "\"restart\", true or false", member);
	if (json_type(member) != JSON_TYPE_OBJECT)
		return status_fail(STATUS_CONFIG,
				   "%s: stages: stage %d: expected \"steps\", \"restart\" and sections of keys, found "
				   "\"%.40s\"",
				   source, index + 1, name);
	TRY(check_section(member, index, source));
	text_add(keys, "%s", keys->length > 1 ? ", " : "");
	text_add_json_string(keys, name);
	text_add(keys, ": ");
	add_json(keys, member);
	return STATUS_OK;
}

static enum status set_stage(struct config_stage *stage, const struct json *value, int index, const char *source)
{
	struct text keys;
	enum status status = STATUS_OK;
	if (json_type(value) != JSON_TYPE_OBJECT)
		return refuse(source, index, "an object of \"steps\" and sections of keys", value);
	text_init(&keys);
	text_add(&keys, "{");
	for (const struct json *member = json_first(value); member && !status; member = json_next(member))
		status = set_member(stage, member, &keys, index, source);
	if (!status && !stage->steps)
		status = refuse(source, index, "\"steps\"", value);
	if (!status)
		status = set_keys(stage, &keys, source, index);
	text_release(&keys);
	return status;
}

enum status config_set_stages(struct config *config, const struct json *list, const char *source)
{
	int count = json_array_size(list);
	char found[80];
	json_describe(list, found, sizeof found);
	if (count < 0 || count > CONFIG_MAX_STAGES)
		return status_fail(STATUS_CONFIG, "%s: stages: expected a list of at most %d objects, found %s", source,
				   CONFIG_MAX_STAGES, found);
	memset(config->stages, 0, sizeof config->stages);
	config->stage_count = count;
	int index = 0;
	for (const struct json *item = json_first(list); item; item = json_next(item), index++)
		TRY(set_stage(&config->stages[index], item, index, source));
	return STATUS_OK;
}

void config_add_stages(struct text *text, const struct config *config)
{
	text_add(text, "[");
	for (int i = 0; i < config->stage_count; i++) {
		const struct config_stage *stage = &config->stages[i];
		bool has_keys = strcmp(stage->keys, "{}") != 0;
		text_add(text, "%s{\"steps\": %llu%s%s%s", i ? ", " : "", (unsigned long long)stage->steps,
			 stage->restart ? ", \"restart\": true" : "", has_keys ? ", " : "",
			 has_keys ? stage->keys + 1 : "}");
	}
	text_add(text, "]");
}

/* --- what they mean ------------------------------------------------------- */

/* Rounds to the nearest step; steps and sum are at most 10^9. */
static enum status place_stages(struct config *config, const char *source)
{
	uint64_t sum = 0, so_far = 0;
	for (int i = 0; i < config->stage_count; i++)
		sum += config->stages[i].steps;
	if (sum > STEPS_MOST)
		return status_fail(STATUS_CONFIG, "%s: stages: expected at most %llu steps together, found %llu",
				   source, (unsigned long long)STEPS_MOST, (unsigned long long)sum);
	if (!config->steps_given)
		config->train.steps = sum;
	for (int i = 0; i < config->stage_count; i++) {
		so_far += config->stages[i].steps;
		config->stages[i].end = (2 * config->train.steps * so_far + sum) / (2 * sum);
	}
	return STATUS_OK;
}

static uint64_t first_step(const struct config *config, int stage)
{
	return stage > 0 ? config->stages[stage - 1].end : 0;
}

static enum status apply_keys(struct config *to, const struct config_stage *stage, const char *name)
{
	struct json *keys;
	TRY(json_parse(stage->keys, strlen(stage->keys), name, &keys));
	enum status status = config_apply(to, "", keys, name);
	json_free(keys);
	return status;
}

/* The schedule runs from the last restart to the next one or the end. */
static void place_schedule(const struct config *config, int stage, struct config *to)
{
	int begin = stage, end = stage + 1;
	while (begin > 0 && !config->stages[begin].restart)
		begin--;
	while (end < config->stage_count && !config->stages[end].restart)
		end++;
	to->schedule.first_step = first_step(config, begin);
	to->schedule.total_steps = first_step(config, end) - first_step(config, begin);
}

/* `to` has had the keys of the stages before this one applied. */
static enum status move_to_stage(const struct config *config, int stage, const char *source, struct config *to)
{
	char name[600];
	bool rounded = to->model.quantize;
	uint64_t from = to->quantize_from;
	snprintf(name, sizeof name, "%.500s: stage %d", source, stage + 1);
	TRY(apply_keys(to, &config->stages[stage], name));
	TRY(config_finish(to, name));
	place_schedule(config, stage, to);
	to->quantize_from = first_step(config, stage) + (uint64_t)to->calibration_steps;
	if (rounded && stage > 0) /* it goes on */
		to->quantize_from = from;
	return STATUS_OK;
}

enum status config_finish_stages(struct config *config, const char *source)
{
	if (!config->stage_count)
		return STATUS_OK;
	TRY(place_stages(config, source));
	struct config *to = malloc(sizeof *to);
	if (!to)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for its stages", source);
	*to = *config;
	enum status status = STATUS_OK;
	uint64_t samples = 0;
	for (int i = 0; i < config->stage_count && !status; i++) {
		struct config_stage *stage = &config->stages[i];
		status = move_to_stage(config, i, source, to);
		stage->batch_size = to->train.batch_size;
		stage->first_sample = samples;
		samples += (stage->end - first_step(config, i)) * (uint64_t)stage->batch_size;
	}
	free(to);
	return status;
}

int config_stage_at(const struct config *config, uint64_t step)
{
	int stage = 0;
	while (stage + 1 < config->stage_count && step >= config->stages[stage].end)
		stage++;
	return stage;
}

uint64_t config_samples(const struct config *config, uint64_t step)
{
	if (!config->stage_count)
		return step * (uint64_t)config->train.batch_size;
	int stage = config_stage_at(config, step);
	return config->stages[stage].first_sample +
	       (step - first_step(config, stage)) * (uint64_t)config->stages[stage].batch_size;
}

/* Whether the steps of one stage before `step` are the same. Both begin at the same step. */
static enum status same_stage_until(const struct config *a, const struct config *b, int stage, uint64_t step,
				    bool *same)
{
	struct config *x = malloc(2 * sizeof *x), *y = x + 1;
	const struct config_stage *p = &a->stages[stage], *q = &b->stages[stage];
	if (!x)
		return status_fail(STATUS_NO_MEMORY, "no memory for the stages of a config");
	*same = p->restart == q->restart && strcmp(p->keys, q->keys) == 0;
	enum status status = config_in_stage(a, stage, x);
	if (!status)
		status = config_in_stage(b, stage, y);
	*same = !status && *same && (!x->model.quantize || x->quantize_from == y->quantize_from);
	for (uint64_t s = first_step(a, stage); *same && s < p->end && s < step; s++)
		*same = schedule_lr(&x->schedule, s) == schedule_lr(&y->schedule, s);
	free(x);
	return status;
}

enum status config_same_stages_until(const struct config *a, const struct config *b, uint64_t step, bool *same)
{
	int last = step ? config_stage_at(a, step - 1) : -1;
	*same = a->stage_count > 0 && b->stage_count > 0;
	for (int i = 0; i <= last && *same; i++) {
		bool ends = i < last || a->stages[i].end < step || b->stages[i].end < step;
		*same = i < b->stage_count && (!ends || a->stages[i].end == b->stages[i].end);
		if (*same)
			TRY(same_stage_until(a, b, i, step, same));
	}
	return STATUS_OK;
}

enum status config_in_stage(const struct config *config, int stage, struct config *to)
{
	*to = *config;
	for (int i = 0; i <= stage && i < config->stage_count; i++)
		TRY(move_to_stage(config, i, config->name, to));
	return STATUS_OK;
}

enum status config_after(const struct config *config, uint64_t step, struct config *to)
{
	return config_in_stage(config, config_stage_at(config, step ? step - 1 : 0), to);
}
