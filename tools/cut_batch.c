/* See cut_batch.h. */
#include "tools/cut_batch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/folder.h"
#include "train/config/json.h"
#include "tools/streams.h"

enum { MOST_ITEMS = 1000000, MOST_PIXELS = 1000000, PATH_ROOM = 4096 };

struct reader {
	const char *list, *out_dir;
	int item, crop;
};

static enum status wrong(const struct reader *r, const char *key, const char *expected, const struct json *found)
{
	char text[120] = "nothing";
	if (found)
		json_describe(found, text, sizeof text);
	return status_fail(STATUS_CONFIG, "%s: item %d: %s: expected %s, found %s", r->list, r->item + 1, key, expected,
			   text);
}

static enum status no_memory(const struct reader *r)
{
	return status_fail(STATUS_NO_MEMORY, "%s: no memory for the list", r->list);
}

/* --- taps ----------------------------------------------------------------- */

static bool read_pixel(const struct json *value, int *pixel)
{
	double number;
	if (!value || json_number(value, &number) || number < 0 || number > MOST_PIXELS || number != (int)number)
		return false;
	*pixel = (int)number;
	return true;
}

static bool read_tap(const struct json *value, struct tap *tap)
{
	int count = json_array_size(value);
	tap->positive = true;
	if (json_type(value) == JSON_TYPE_OBJECT) {
		const struct json *positive = json_get(value, "positive");
		return read_pixel(json_get(value, "x"), &tap->x) && read_pixel(json_get(value, "y"), &tap->y) &&
		       (!positive || json_bool(positive, &tap->positive) == STATUS_OK);
	}
	if ((count != 2 && count != 3) || !read_pixel(json_array_item(value, 0), &tap->x) ||
	    !read_pixel(json_array_item(value, 1), &tap->y))
		return false;
	const char *word = count == 3 ? json_string(json_array_item(value, 2)) : "";
	tap->positive = count == 2;
	return count == 2 || (word && strcmp(word, "not") == 0);
}

static enum status read_taps(const struct reader *r, const struct json *taps, struct cut_item *item)
{
	if (json_array_size(taps) < 1)
		return wrong(r, "taps", "a list such as [[320, 200]]", taps);
	for (const struct json *tap = json_first(taps); tap; tap = json_next(tap)) {
		if (item->tap_count == TAPCUT_MAX_CLICKS)
			return status_fail(STATUS_CONFIG, "%s: item %d: taps: expected at most %d", r->list,
					   r->item + 1, TAPCUT_MAX_CLICKS);
		if (!read_tap(tap, &item->taps[item->tap_count++]))
			return wrong(r, "taps", "[X, Y] or [X, Y, \"not\"] in whole pixels", tap);
	}
	return STATUS_OK;
}

/* --- names ---------------------------------------------------------------- */

/* folder/name, or the name alone where it has a folder of its own, or there is none to put before it. */
static char *joined(const char *folder, int folder_length, const char *name)
{
	char path[PATH_ROOM];
	if (folder_length == 0 || name[0] == '/')
		return strdup(name);
	int length = snprintf(path, sizeof path, "%.*s/%s", folder_length, folder, name);
	return length < PATH_ROOM ? strdup(path) : NULL;
}

/* As it stands, or beside the list where there is no such file. */
static enum status read_photo(const struct reader *r, const struct json *value, struct cut_item *item)
{
	const char *name = value ? json_string(value) : NULL, *slash = strrchr(r->list, '/');
	if (!name || !name[0])
		return wrong(r, "photo", "a file's name", value);
	item->photo = strdup(name);
	char *beside = joined(r->list, slash ? (int)(slash - r->list) : 0, name);
	if (!item->photo || !beside) {
		free(beside);
		return no_memory(r);
	}
	bool is_beside = access(name, F_OK) != 0 && access(beside, F_OK) == 0;
	free(is_beside ? item->photo : beside);
	if (is_beside)
		item->photo = beside;
	return STATUS_OK;
}

static enum status read_output(const struct reader *r, const char *key, const struct json *value, char **path)
{
	const char *name = json_string(value), *ending = name ? strrchr(name, '.') : NULL;
	if (!name || !name[0] || (ending && !strchr(ending, '/') && strcasecmp(ending, ".png") != 0))
		return wrong(r, key, "a name that ends with .png", value);
	bool bare = !strchr(name, '/');
	*path = joined(r->out_dir, r->out_dir && bare ? (int)strlen(r->out_dir) : 0, name);
	return *path ? STATUS_OK : no_memory(r);
}

static enum status default_cutout(const struct reader *r, struct cut_item *item)
{
	char file[PATH_ROOM];
	if (item->mask || item->cutout)
		return STATUS_OK;
	photo_file_derive_name(item->photo, "-cutout.png", file, sizeof file);
	item->cutout = joined(r->out_dir, r->out_dir ? (int)strlen(r->out_dir) : 0, file);
	return item->cutout ? STATUS_OK : no_memory(r);
}

/* --- items ---------------------------------------------------------------- */

static enum status read_member(const struct reader *r, const struct json *member, struct cut_item *item)
{
	const char *key = json_key(member);
	if (strcmp(key, "photo") == 0)
		return read_photo(r, member, item);
	if (strcmp(key, "taps") == 0)
		return read_taps(r, member, item);
	if (strcmp(key, "mask") == 0)
		return read_output(r, key, member, &item->mask);
	if (strcmp(key, "cutout") == 0)
		return read_output(r, key, member, &item->cutout);
	if (strcmp(key, "overlay") == 0)
		return read_output(r, key, member, &item->overlay);
	if (strcmp(key, "crop") == 0)
		return read_pixel(member, &item->crop) ? STATUS_OK : wrong(r, key, "a whole number of pixels", member);
	return status_fail(STATUS_CONFIG,
			   "%s: item %d: unknown key \"%s\": expected photo, taps, cutout, mask, overlay "
			   "or crop",
			   r->list, r->item + 1, key);
}

static enum status read_item(const struct reader *r, const struct json *value, struct cut_item *item)
{
	item->crop = r->crop;
	if (json_type(value) != JSON_TYPE_OBJECT)
		return wrong(r, "all of it", "an object with \"photo\" and \"taps\"", value);
	for (const struct json *member = json_first(value); member; member = json_next(member))
		TRY(read_member(r, member, item));
	if (!item->photo)
		return wrong(r, "photo", "a file's name", NULL);
	if (!item->tap_count)
		return wrong(r, "taps", "a list such as [[320, 200]]", NULL);
	return default_cutout(r, item);
}

/* --- files that would be lost --------------------------------------------- */

struct named {
	char path[PATH_MAX];
	int item;
	bool writes;
};

static int compare_named(const void *a, const void *b)
{
	const struct named *p = a, *q = b;
	int order = strcmp(p->path, q->path);
	return order ? order : p->item - q->item;
}

static enum status check_files(const struct reader *r, const struct cut_batch *batch)
{
	struct named *files = calloc(4 * (size_t)batch->count + 1, sizeof *files);
	size_t count = 0;
	enum status status = files ? STATUS_OK : no_memory(r);
	for (int i = 0; files && i < batch->count; i++) {
		const struct cut_item *item = &batch->items[i];
		const char *const paths[] = {item->photo, item->mask, item->cutout, item->overlay};
		for (int k = 0; k < 4; k++)
			if (paths[k]) {
				files[count].item = i;
				files[count].writes = k > 0;
				streams_whole_path(paths[k], files[count++].path);
			}
	}
	if (count)
		qsort(files, count, sizeof *files, compare_named);
	for (size_t i = 1; i < count && status == STATUS_OK; i++)
		if ((files[i].writes || files[i - 1].writes) && strcmp(files[i].path, files[i - 1].path) == 0)
			status =
				status_fail(STATUS_CONFIG,
					    "%s: items %d and %d: %s would be overwritten: name \"cutout\" or \"mask\" "
					    "otherwise",
					    r->list, files[i - 1].item + 1, files[i].item + 1, files[i].path);
	free(files);
	return status;
}

/* --- the list ------------------------------------------------------------- */

static enum status read_list(struct reader *r, const struct json *root, struct cut_batch *batch)
{
	int count = json_array_size(root);
	if (count < 1 || count > MOST_ITEMS)
		return status_fail(STATUS_CONFIG,
				   "%s: expected a list of 1 to %d photos, such as [{\"photo\": \"a.jpg\", "
				   "\"taps\": [[320, 200]]}]",
				   r->list, MOST_ITEMS);
	batch->items = calloc((size_t)count, sizeof *batch->items);
	if (!batch->items)
		return no_memory(r);
	for (const struct json *value = json_first(root); value; value = json_next(value), r->item++)
		TRY(read_item(r, value, &batch->items[batch->count++]));
	return check_files(r, batch);
}

enum status cut_batch_read(const char *path, const char *out_dir, int crop, struct cut_batch *batch)
{
	struct reader r = {.list = streams_name(path), .out_dir = out_dir, .crop = crop};
	struct json *root;
	*batch = (struct cut_batch){0};
	TRY(json_read_file(path, &root));
	enum status status = read_list(&r, root, batch);
	json_free(root);
	if (status == STATUS_OK && out_dir)
		status = folder_make(out_dir);
	return status;
}

void cut_batch_free(struct cut_batch *batch)
{
	for (int i = 0; i < batch->count; i++) {
		struct cut_item *item = &batch->items[i];
		free(item->photo);
		free(item->mask);
		free(item->cutout);
		free(item->overlay);
	}
	free(batch->items);
	*batch = (struct cut_batch){0};
}
