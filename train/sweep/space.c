/* See space.h. */
#include "train/sweep/space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/portable_math.h"
#include "core/rng.h"
#include "core/slips.h"

const char *const space_kind_names[] = {"list", "linear", "log", "integer", "log_integer", NULL};

static const char *const range_keys[] = {"values", "min", "max", "distribution", "multiple", "points", NULL};

/* --- in ------------------------------------------------------------------- */

/* What is being read, for messages. */
struct source {
	const char *name;
	struct space_parameter *parameter;
};

static enum status refuse(const struct source *source, const char *what, const char *expected, const struct json *found)
{
	char text[80] = "nothing";
	if (found)
		json_describe(found, text, sizeof text);
	return status_fail(STATUS_CONFIG, "%s: vary.%s%s: expected %s, found %s", source->name, source->parameter->key,
			   what, expected, text);
}

void space_add_json(struct text *text, const struct json *value)
{
	bool on = false;
	double number = 0;
	int index = 0;
	switch (json_type(value)) {
	case JSON_TYPE_STRING: text_add_json_string(text, json_string(value)); return;
	case JSON_TYPE_NUMBER:
		if (json_number(value, &number) == STATUS_OK)
			text_add_number(text, number);
		return;
	case JSON_TYPE_BOOL: text_add(text, "%s", json_bool(value, &on) == STATUS_OK && on ? "true" : "false"); return;
	case JSON_TYPE_NULL: text_add(text, "null"); return;
	case JSON_TYPE_ARRAY:
	case JSON_TYPE_OBJECT: break;
	}
	bool object = json_type(value) == JSON_TYPE_OBJECT;
	text_add(text, object ? "{" : "[");
	for (const struct json *item = json_first(value); item; item = json_next(item)) {
		text_add(text, index++ ? ", " : "");
		if (object) {
			text_add_json_string(text, json_key(item));
			text_add(text, ": ");
		}
		space_add_json(text, item);
	}
	text_add(text, object ? "}" : "]");
}

static enum status add_list_value(struct source *source, const struct json *value)
{
	struct space_parameter *p = source->parameter;
	struct text text;
	text_init(&text);
	space_add_json(&text, value);
	TRY(text_status(&text));
	if (text.length >= SPACE_VALUE) {
		text_release(&text);
		return refuse(source, "", "values of less than 512 bytes", value);
	}
	for (int i = 0; i < p->value_count; i++)
		if (strcmp(p->values[i], text.data) == 0) {
			enum status status = status_fail(STATUS_CONFIG, "%s: vary.%s: %s is there twice", source->name,
							 p->key, text.data);
			text_release(&text);
			return status;
		}
	p->values[p->value_count++] = text_take(&text);
	return STATUS_OK;
}

static enum status parse_list(struct source *source, const struct json *list)
{
	struct space_parameter *p = source->parameter;
	int count = json_array_size(list);
	if (count < 1 || count > SPACE_MAX_VALUES)
		return refuse(source, "", "a list of 1 to 256 values", list);
	p->kind = SPACE_LIST;
	if (!(p->values = calloc((size_t)count, sizeof *p->values)))
		return status_fail(STATUS_NO_MEMORY, "no memory for the values of %s", p->key);
	for (const struct json *item = json_first(list); item; item = json_next(item))
		TRY(add_list_value(source, item));
	return STATUS_OK;
}

static enum status parse_number(const struct source *source, const struct json *range, const char *key, double *number)
{
	char what[SPACE_KEY];
	const struct json *value = json_get(range, key);
	snprintf(what, sizeof what, ".%s", key);
	if (!value || json_number(value, number) != STATUS_OK)
		return refuse(source, what, "a number", value);
	return STATUS_OK;
}

static enum status parse_whole(const struct source *source, const struct json *range, const char *key, int low,
			       int *number)
{
	char what[SPACE_KEY], expected[80];
	double value = 0;
	if (!json_get(range, key))
		return STATUS_OK;
	snprintf(what, sizeof what, ".%s", key);
	snprintf(expected, sizeof expected, "a whole number from %d to 1000000", low);
	if (json_number(json_get(range, key), &value) != STATUS_OK || value != floor(value) || value < low ||
	    value > 1e6)
		return refuse(source, what, expected, json_get(range, key));
	*number = (int)value;
	return STATUS_OK;
}

/* Names that other tools have for the same thing. */
static const char *own_name(const char *name)
{
	static const char *const others[][2] = {{"uniform", "linear"},      {"log_uniform_values", "log"},
						{"log_uniform", "log"},     {"loguniform", "log"},
						{"int_uniform", "integer"}, {"int", "integer"},
						{"categorical", "a list"},  {"constant", "a list of one, or \"set\""},
						{"choice", "a list"}};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(name, others[i][0]) == 0)
			return others[i][1];
	return NULL;
}

static enum status parse_kind(const struct source *source, const struct json *value)
{
	struct space_parameter *p = source->parameter;
	const char *name = value ? json_string(value) : "linear";
	for (int i = SPACE_LINEAR; name && space_kind_names[i]; i++)
		if (strcmp(name, space_kind_names[i]) == 0) {
			p->kind = (enum space_kind)i;
			return STATUS_OK;
		}
	if (name && own_name(name))
		return status_fail(STATUS_CONFIG, "%s: vary.%s.distribution: \"%s\" is called %s here", source->name,
				   p->key, name, own_name(name));
	return refuse(source, ".distribution", "one of \"linear\", \"log\", \"integer\", \"log_integer\"", value);
}

static bool is_whole(const struct space_parameter *p)
{
	return p->kind == SPACE_INTEGER || p->kind == SPACE_LOG_INTEGER;
}

static bool is_log(const struct space_parameter *p)
{
	return p->kind == SPACE_LOG || p->kind == SPACE_LOG_INTEGER;
}

static enum status check_range(const struct source *source, const struct json *range)
{
	const struct space_parameter *p = source->parameter;
	if (!(p->max > p->min))
		return refuse(source, ".max", "more than min", json_get(range, "max"));
	if (is_log(p) && p->min <= 0)
		return refuse(source, ".min", "a number above 0, because the distribution is logarithmic",
			      json_get(range, "min"));
	if (!is_whole(p) && json_get(range, "multiple"))
		return refuse(source, ".multiple", "none, because the distribution is not one of whole numbers",
			      json_get(range, "multiple"));
	bool fits = p->min == floor(p->min) && p->max == floor(p->max) && fmod(p->min, p->multiple) == 0 &&
		    fmod(p->max, p->multiple) == 0 && fabs(p->min) < 1e9 && fabs(p->max) < 1e9;
	if (is_whole(p) && !fits)
		return refuse(source, ".min",
			      "min and max to be whole numbers below 1e9, and multiples of \"multiple\"",
			      json_get(range, "min"));
	return STATUS_OK;
}

static enum status parse_range(struct source *source, const struct json *range)
{
	struct space_parameter *p = source->parameter;
	for (const struct json *member = json_first(range); member; member = json_next(member)) {
		int i = 0;
		while (range_keys[i] && strcmp(range_keys[i], json_key(member)) != 0)
			i++;
		const char *near = range_keys[i] ? NULL : slips_nearest(json_key(member), range_keys);
		if (!range_keys[i])
			return status_fail(STATUS_CONFIG, "%s: vary.%s: unknown key %.64s; %s%s%s", source->name,
					   p->key, json_key(member), near ? "did you mean " : "there are values, min, ",
					   near ? near : "max, distribution, multiple, points", near ? "?" : "");
	}
	if (json_get(range, "values")) {
		if (json_next(json_first(range)))
			return refuse(source, "", "either values or a range", range);
		return parse_list(source, json_get(range, "values"));
	}
	TRY(parse_number(source, range, "min", &p->min));
	TRY(parse_number(source, range, "max", &p->max));
	TRY(parse_kind(source, json_get(range, "distribution")));
	TRY(parse_whole(source, range, "multiple", 1, &p->multiple));
	TRY(parse_whole(source, range, "points", 2, &p->points));
	return check_range(source, range);
}

enum status space_parse(struct space *space, const struct json *vary, const char *name)
{
	*space = (struct space){.count = 0};
	char found[80] = "nothing";
	if (vary)
		json_describe(vary, found, sizeof found);
	if (!vary || json_type(vary) != JSON_TYPE_OBJECT || !json_first(vary))
		return status_fail(STATUS_CONFIG,
				   "%s: vary: expected an object of config keys, each with a list or a range, found %s",
				   name, found);
	for (const struct json *member = json_first(vary); member; member = json_next(member)) {
		if (space->count == SPACE_MAX_PARAMETERS)
			return status_fail(STATUS_LIMIT, "%s: vary: at most %d keys can be varied", name,
					   SPACE_MAX_PARAMETERS);
		struct space_parameter *p = &space->parameters[space->count++];
		struct source source = {name, p};
		p->multiple = 1;
		if (snprintf(p->key, sizeof p->key, "%s", json_key(member)) >= (int)sizeof p->key)
			return status_fail(STATUS_CONFIG, "%s: vary.%.64s...: no config key is as long", name, p->key);
		if (json_type(member) == JSON_TYPE_ARRAY)
			TRY(parse_list(&source, member));
		else if (json_type(member) == JSON_TYPE_OBJECT)
			TRY(parse_range(&source, member));
		else
			return refuse(&source, "", "a list of values, or an object with min and max", member);
	}
	return STATUS_OK;
}

void space_release(struct space *space)
{
	for (int i = 0; i < space->count; i++) {
		for (int j = 0; j < space->parameters[i].value_count; j++)
			free(space->parameters[i].values[j]);
		free(space->parameters[i].values);
	}
	*space = (struct space){.count = 0};
}

/* --- units ---------------------------------------------------------------- */

static double clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

static double four_digits(double x)
{
	char digits[40];
	snprintf(digits, sizeof digits, "%.4g", x);
	return strtod(digits, NULL);
}

/* How many values a list or a range of whole numbers has; 0: a range of real ones. */
static double value_count(const struct space_parameter *p)
{
	if (p->kind == SPACE_LIST)
		return p->value_count;
	return is_whole(p) ? (p->max - p->min) / p->multiple + 1 : 0;
}

/* The logarithmic range of whole numbers reaches to where the next one would begin, so that the last has its share. */
static double log_end(const struct space_parameter *p)
{
	return p->kind == SPACE_LOG_INTEGER ? p->max + p->multiple : p->max;
}

double space_to_unit(const struct space_parameter *p, double at)
{
	double count = value_count(p);
	if (p->kind == SPACE_LIST)
		return (at + 0.5) / count;
	if (p->kind == SPACE_INTEGER)
		return ((at - p->min) / p->multiple + 0.5) / count;
	double middle = p->kind == SPACE_LOG_INTEGER ? at + 0.5 * p->multiple : at;
	if (is_log(p)) {
		double low = portable_log(p->min);
		return clamp((portable_log(middle) - low) / (portable_log(log_end(p)) - low), 0, 1);
	}
	return clamp((at - p->min) / (p->max - p->min), 0, 1);
}

double space_from_unit(const struct space_parameter *p, double unit)
{
	double count = value_count(p), x;
	unit = clamp(unit, 0, 1);
	if (p->kind == SPACE_LIST)
		return clamp(floor(unit * count), 0, count - 1);
	if (p->kind == SPACE_INTEGER)
		return p->min + p->multiple * clamp(floor(unit * count), 0, count - 1);
	if (is_log(p)) {
		double low = portable_log(p->min), high = portable_log(log_end(p));
		x = portable_exp(low + unit * (high - low));
	} else {
		x = p->min + unit * (p->max - p->min);
	}
	if (p->kind == SPACE_LOG_INTEGER)
		return clamp(p->multiple * floor(four_digits(x / p->multiple)), p->min, p->max);
	return clamp(four_digits(x), p->min, p->max);
}

/* --- points --------------------------------------------------------------- */

static int grid_count(const struct space_parameter *p)
{
	if (p->kind == SPACE_LIST)
		return p->value_count;
	double count = value_count(p);
	if (p->points)
		return count > 0 && count < p->points ? (int)count : p->points;
	return count > 0 && count <= SPACE_MAX_VALUES ? (int)count : 0;
}

enum status space_grid_size(const struct space *space, int limit, const char *source, int *size)
{
	double product = 1;
	for (int i = 0; i < space->count; i++) {
		int count = grid_count(&space->parameters[i]);
		if (!count)
			return status_fail(STATUS_CONFIG,
					   "%s: vary.%s.points: expected how many values the grid shall have of this "
					   "range, found nothing",
					   source, space->parameters[i].key);
		product *= count;
	}
	if (product > limit)
		return status_fail(STATUS_LIMIT, "%s: vary: the grid has %.0f points, at most %d are allowed", source,
				   product, limit);
	*size = (int)product;
	return STATUS_OK;
}

void space_grid_point(const struct space *space, int index, struct space_point *point)
{
	*point = (struct space_point){{0}};
	for (int i = space->count - 1; i >= 0; i--) {
		const struct space_parameter *p = &space->parameters[i];
		int count = grid_count(p), at = index % count;
		index /= count;
		if (p->kind == SPACE_LIST)
			point->at[i] = at;
		else if (is_whole(p) && count == (int)value_count(p))
			point->at[i] = p->min + p->multiple * at;
		else if (at == count - 1)
			point->at[i] = p->max;
		else
			point->at[i] = space_from_unit(p, (double)at / (count - 1));
	}
}

static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

void space_draw(const struct space *space, uint64_t seed, int trial, int attempt, struct space_point *point)
{
	struct rng stream = rng_stream(seed, (uint32_t)attempt, (uint64_t)trial, RNG_SWEEP);
	*point = (struct space_point){{0}};
	for (int i = 0; i < space->count; i++) {
		struct rng rng = rng_substream(&stream, hash(space->parameters[i].key));
		double high = rng_u32(&rng), low = rng_u32(&rng);
		point->at[i] = space_from_unit(&space->parameters[i], (high + low / 4294967296.0) / 4294967296.0);
	}
}

bool space_same(const struct space *space, const struct space_point *a, const struct space_point *b)
{
	for (int i = 0; i < space->count; i++)
		if (a->at[i] != b->at[i])
			return false;
	return true;
}

/* --- out ------------------------------------------------------------------ */

void space_add_value(struct text *text, const struct space_parameter *p, double at)
{
	if (p->kind == SPACE_LIST)
		text_add(text, "%s", p->values[(int)at]);
	else
		text_add_number(text, at);
}

void space_add_plain(struct text *text, const struct space_parameter *p, double at)
{
	const char *value = p->kind == SPACE_LIST ? p->values[(int)at] : "";
	if (*value == '"')
		text_add_bytes(text, value + 1, strlen(value) - 2);
	else
		space_add_value(text, p, at);
}

void space_add_point(struct text *text, const struct space *space, const struct space_point *point)
{
	for (int i = 0; i < space->count; i++) {
		text_add(text, "%s\"%s\": ", i ? ", " : "", space->parameters[i].key);
		space_add_value(text, &space->parameters[i], point->at[i]);
	}
}

void space_add_settings(struct text *text, const struct space *space, const struct space_point *point)
{
	for (int i = 0; i < space->count; i++) {
		text_add(text, "%s%s=", i ? " " : "", space->parameters[i].key);
		space_add_plain(text, &space->parameters[i], point->at[i]);
	}
}

/* The index of a list's value; -1: not in it. */
static int find_value(const struct space_parameter *p, const struct json *value)
{
	struct text text;
	int found = -1;
	text_init(&text);
	space_add_json(&text, value);
	for (int i = 0; text.data && i < p->value_count; i++)
		if (strcmp(p->values[i], text.data) == 0)
			found = i;
	text_release(&text);
	return found;
}

bool space_read_point(const struct space *space, const struct json *object, struct space_point *point)
{
	*point = (struct space_point){{0}};
	for (int i = 0; i < space->count; i++) {
		const struct space_parameter *p = &space->parameters[i];
		const struct json *value = json_get(object, p->key);
		if (!value)
			return false;
		if (p->kind == SPACE_LIST)
			point->at[i] = find_value(p, value);
		else if (json_number(value, &point->at[i]) != STATUS_OK)
			return false;
		if (p->kind == SPACE_LIST ? point->at[i] < 0 : point->at[i] < p->min || point->at[i] > p->max)
			return false;
	}
	return true;
}
