/* The protocol on objects of a COCO-format dataset. */
#include <stdlib.h>

#include "core/rng.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/evaluate_source.h"

struct chosen {
	const struct dataset *dataset;
	int *objects; /* indices, ascending */
};

static const char *category_name(const struct dataset *dataset, int id)
{
	for (int i = 0; i < dataset->category_count; i++)
		if (dataset->categories[i].id == id)
			return dataset->categories[i].name;
	return NULL;
}

static enum status read_object(const void *context, int index, struct evaluate_data *data, char name[96])
{
	const struct chosen *chosen = context;
	const struct dataset_object *object = &chosen->dataset->objects[chosen->objects[index]];
	snprintf(name, 96, "%lld", (long long)object->id);
	TRY(dataset_read_photo(chosen->dataset, object->photo, &data->photo));
	data->category = category_name(chosen->dataset, object->category);
	data->file_name = chosen->dataset->photos[object->photo].file_name;
	data->object = chosen->objects[index] + 1;
	const struct image *photo = &data->photo;
	enum status status = STATUS_OK;
	if (object->mask.width != photo->width || object->mask.height != photo->height)
		status = status_fail(STATUS_FORMAT, "object %s: the mask is %dx%d, but its photo %s is %dx%d", name,
				     object->mask.width, object->mask.height,
				     chosen->dataset->photos[object->photo].file_name, photo->width, photo->height);
	else if (!(data->truth = malloc((size_t)photo->width * (size_t)photo->height)))
		status = status_fail(STATUS_NO_MEMORY, "no memory for a mask of %dx%d", photo->width, photo->height);
	else
		rle_to_mask(&object->mask, data->truth); /* 1 is TRUTH_OBJECT */
	if (status != STATUS_OK)
		evaluate_data_release(data);
	return status;
}

struct ranked {
	uint64_t rank;
	int object;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->object < y->object ? -1 : x->object > y->object;
}

static int compare_ints(const void *a, const void *b)
{
	const int *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* A keyed hash of the id: which objects are chosen depends on no other object's position. */
static uint64_t hash_id(int64_t id)
{
	const uint32_t counter[4] = {(uint32_t)id, (uint32_t)((uint64_t)id >> 32), 0, 0};
	const uint32_t key[2] = {0x74617063, 0x75742e65};
	uint32_t out[4];
	philox4x32_10(counter, key, out);
	return (uint64_t)out[0] << 32 | out[1];
}

static enum status choose_objects(const struct dataset *dataset, int count, int **objects)
{
	size_t all = (size_t)dataset->object_count;
	struct ranked *ranked = malloc((all ? all : 1) * sizeof *ranked);
	*objects = malloc((size_t)(count ? count : 1) * sizeof **objects);
	if (!ranked || !*objects) {
		free(ranked);
		free(*objects);
		return status_fail(STATUS_NO_MEMORY, "no memory to choose among %d objects", dataset->object_count);
	}
	for (int i = 0; i < dataset->object_count; i++)
		ranked[i] = (struct ranked){hash_id(dataset->objects[i].id), i};
	qsort(ranked, all, sizeof *ranked, compare_ranked);
	for (int i = 0; i < count; i++)
		(*objects)[i] = ranked[i].object;
	qsort(*objects, (size_t)count, sizeof **objects, compare_ints);
	free(ranked);
	return STATUS_OK;
}

enum status evaluate_dataset(const struct tapcut_model *model, const struct dataset *dataset,
			     const struct evaluate_options *options, struct evaluate_result *result)
{
	*result = (struct evaluate_result){.instances = 0};
	int count = dataset->object_count;
	if (options->limit > 0 && options->limit < count)
		count = options->limit;
	struct chosen chosen = {.dataset = dataset};
	TRY(choose_objects(dataset, count, &chosen.objects));
	struct evaluate_source source = {read_object, &chosen, count, .may_skip = true};
	enum status status = evaluate_run(model, &source, options, result);
	free(chosen.objects);
	return status;
}
