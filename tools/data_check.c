/* See data_check.h. */
#include "tools/data_check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/workers.h"

/* --- photos --------------------------------------------------------------- */

struct check {
	const struct dataset *dataset;
	char **messages; /* one per photo; NULL: it is good */
	bool *failed;    /* also where there was no memory for the message */
};

static void check_photo(void *context, int index, int thread)
{
	struct check *check = context;
	struct image image;
	(void)thread;
	if (dataset_read_photo(check->dataset, index, &image) == STATUS_OK) {
		image_release(&image);
		return;
	}
	check->failed[index] = true;
	check->messages[index] = strdup(status_message());
}

enum status data_check_photos(const struct dataset *dataset, FILE *out, int *bad)
{
	struct workers *workers;
	size_t count = (size_t)dataset->photo_count + 1;
	struct check check = {dataset, calloc(count, sizeof *check.messages), calloc(count, sizeof *check.failed)};
	enum status status = STATUS_NO_MEMORY;
	*bad = 0;
	if (check.messages && check.failed)
		status = workers_new(workers_processors(), &workers);
	else
		status_fail(status, "no memory to check %d photos", dataset->photo_count);
	if (status == STATUS_OK) {
		workers_run(workers, dataset->photo_count, check_photo, &check);
		workers_free(workers);
	}
	for (int i = 0; i < dataset->photo_count && status == STATUS_OK; i++)
		if (check.failed[i]) {
			fprintf(out, "photo %lld: %s\n", (long long)dataset->photos[i].id,
				check.messages[i] ? check.messages[i] : dataset->photos[i].file_name);
			free(check.messages[i]);
			++*bad;
		}
	free(check.messages);
	free(check.failed);
	return status;
}

/* --- statistics ----------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Sorts the values and prints least, quarters and largest. */
static void print_spread(FILE *out, const char *label, double *values, int count, const char *format)
{
	static const double shares[] = {0, 0.25, 0.5, 0.75, 1};
	qsort(values, (size_t)count, sizeof *values, compare);
	fprintf(out, "%-36s", label);
	for (int i = 0; i < 5; i++)
		fprintf(out, format, values[(int)(shares[i] * (count - 1))]);
	fputc('\n', out);
}

void data_print_statistics(const struct dataset *dataset, FILE *out)
{
	int objects = dataset->object_count, photos = dataset->photo_count;
	double *values = malloc(((size_t)(objects > photos ? objects : photos) + 1) * sizeof *values);
	if (!values || !objects || !photos) {
		free(values);
		return;
	}
	fprintf(out, "%-36s%9s%9s%9s%9s%9s\n", "", "least", "quarter", "half", "quarter", "largest");
	for (int i = 0; i < objects; i++) {
		const struct dataset_object *o = &dataset->objects[i];
		values[i] = 100.0 * (double)o->area / ((double)o->mask.width * o->mask.height);
	}
	print_spread(out, "object, percent of its photo", values, objects, "%9.2f");
	for (int i = 0; i < objects; i++) {
		const struct dataset_object *o = &dataset->objects[i];
		values[i] = (double)o->area / ((double)(o->x1 - o->x0) * (o->y1 - o->y0)) * 100;
	}
	print_spread(out, "object, percent of its box", values, objects, "%9.2f");
	for (int i = 0; i < photos; i++)
		values[i] = dataset->photos[i].object_count;
	print_spread(out, "objects of a photo", values, photos, "%9.0f");
	for (int i = 0; i < photos; i++)
		values[i] = dataset->photos[i].width > dataset->photos[i].height ? dataset->photos[i].width
										 : dataset->photos[i].height;
	print_spread(out, "photo, long side in pixels", values, photos, "%9.0f");
	free(values);
}
