/* Evaluation from files to figures. The inference library is replaced by one that knows how far a click reaches: its
 * mask is the union of disks around the positive clicks, so every figure can be told beforehand. */
#include "train/evaluate/evaluate.h"

#include <stdlib.h>
#include <string.h>

#include "data/image_io.h"
#include "data/robot.h"
#include "tests/support/test.h"
#include "train/config/json.h"

/* --- a stand-in for the inference library --------------------------------- */

struct tapcut_session {
	int width, height;
	uint8_t *mask;
};

static bool fail_wide_photos;
static bool photos_are_written_here;

void tapcut_options_init(struct tapcut_options *options)
{
	*options = (struct tapcut_options){0};
}

void tapcut_options_resolve(const struct tapcut_model *model, struct tapcut_options *options)
{
	(void)model;
	if (!options->size)
		options->size = 384;
}

enum tapcut_status tapcut_session_new(const struct tapcut_model *model, const struct tapcut_options *options,
				      struct tapcut_session **session, char *message)
{
	(void)model;
	(void)options;
	(void)message;
	*session = calloc(1, sizeof **session);
	return TAPCUT_OK;
}

void tapcut_session_free(struct tapcut_session *session)
{
	if (session)
		free(session->mask);
	free(session);
}

enum tapcut_status tapcut_session_set_image(struct tapcut_session *session, const uint8_t *rgb, int width, int height,
					    size_t stride)
{
	ck_assert_uint_eq(stride, 3 * (size_t)width);
	if (photos_are_written_here)
		ck_assert_uint_eq(rgb[3 * (size_t)width * (size_t)height - 1],
				  200); /* the photo as written, to its last byte */
	if (fail_wide_photos && width > 60)
		return TAPCUT_LIMIT;
	free(session->mask);
	session->width = width;
	session->height = height;
	session->mask = calloc((size_t)width, (size_t)height);
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_click(struct tapcut_session *session, int x, int y, int positive)
{
	enum { REACH = 8 };
	for (int i = 0; i < session->width * session->height && positive; i++) {
		int dx = i % session->width - x, dy = i / session->width - y;
		if (dx * dx + dy * dy < REACH * REACH)
			session->mask[i] = 255;
	}
	return TAPCUT_OK;
}

enum tapcut_status tapcut_session_mask(struct tapcut_session *session, uint8_t *mask, size_t stride)
{
	ck_assert_uint_eq(stride, (size_t)session->width);
	memcpy(mask, session->mask, stride * (size_t)session->height);
	return TAPCUT_OK;
}

const char *tapcut_session_message(const struct tapcut_session *session)
{
	(void)session;
	return "photo too wide";
}

/* --- files ---------------------------------------------------------------- */

static char folder[512];

static const char *path_of(const char *name)
{
	static char path[700];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void write_text(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void write_photo(const char *name, int width, int height)
{
	struct image image;
	ck_assert_int_eq(image_alloc(&image, width, height, 3), STATUS_OK);
	memset(image.pixels, 200, (size_t)(3 * width * height));
	ck_assert_int_eq(image_write_png(path_of(name), &image), STATUS_OK);
	image_release(&image);
}

static int square_to(const struct image *image, int i, int cx, int cy)
{
	return (i % image->width - cx) * (i % image->width - cx) + (i / image->width - cy) * (i / image->width - cy);
}

/* A disk of 255 in the middle, within a ring of 128 up to `outer`. */
static void write_mask(const char *name, int width, int height, int radius, int outer)
{
	struct image mask;
	ck_assert_int_eq(image_alloc(&mask, width, height, 1), STATUS_OK);
	for (int i = 0; i < width * height; i++) {
		int square = square_to(&mask, i, width / 2, height / 2);
		mask.pixels[i] = square < radius * radius ? 255 : square < outer * outer ? 128 : 0;
	}
	ck_assert_int_eq(image_write_png(path_of(name), &mask), STATUS_OK);
	image_release(&mask);
}

static void make_folder(void)
{
	snprintf(folder, sizeof folder, "%s", test_tmp_dir("evaluate"));
	fail_wide_photos = false;
	photos_are_written_here = true;
	write_photo("a.png", 41, 41);
	write_mask("a_mask.png", 41, 41, 8, 8); /* one click is all of it */
	write_photo("b.png", 61, 51);
	write_mask("b_mask.png", 61, 51, 7, 10); /* the same but for ignored pixels */
	write_photo("c.png", 81, 81);
	write_mask("c_mask.png", 81, 81, 30, 30); /* many clicks */
	write_text(
		"pairs.json",
		"[{\"image\": \"a.png\", \"mask\": \"a_mask.png\"}, {\"image\": \"b.png\", \"mask\": \"b_mask.png\"},\n"
		" {\"image\": \"c.png\", \"mask\": \"c_mask.png\"}]");
}

static enum status evaluate(const char *pairs, const struct evaluate_options *options, struct evaluate_result *result)
{
	return evaluate_pairs(NULL, path_of(pairs), options, result);
}

static void remove_folder(void)
{
	char command[600];
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}

/* --- tests ---------------------------------------------------------------- */

START_TEST(pairs_to_figures)
{
	struct evaluate_options options;
	struct evaluate_result result;
	evaluate_options_init(&options);
	ck_assert_int_eq(options.max_clicks, 20);
	ck_assert_msg(evaluate("pairs.json", &options, &result) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(result.instances, 3);
	ck_assert_int_eq(result.session.size, 384);
	ck_assert_str_eq(result.items[1].name, "b_mask");
	ck_assert_int_eq(result.items[1].width, 61);
	ck_assert_double_eq(result.items[0].iou[0], 1);
	ck_assert_double_eq(result.items[0].biou1, 1);
	ck_assert_double_eq(result.items[1].iou[0], 1);
	ck_assert_double_eq(result.items[1].biou1, 1);
	ck_assert_int_eq(result.items[1].clicks_run, 5);
	ck_assert_double_lt(result.items[2].iou[0], 0.1);
	ck_assert_int_gt(result.items[2].clicks_run, 5);
	ck_assert_double_eq_tol(result.miou1, (2 + result.items[2].iou[0]) / 3, 1e-12);
	ck_assert_double_ge(result.noc90, result.noc85);
	ck_assert_double_gt(result.noc85, 2);
	ck_assert_double_ge(result.ms_per_click, 0);
	evaluate_result_release(&result);
}
END_TEST

START_TEST(threads_change_no_figure)
{
	struct evaluate_options options;
	struct evaluate_result one, three;
	evaluate_options_init(&options);
	options.jitter = 3;
	ck_assert_int_eq(evaluate("pairs.json", &options, &one), STATUS_OK);
	options.threads = 3;
	ck_assert_int_eq(evaluate("pairs.json", &options, &three), STATUS_OK);
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(one.items[i].name, three.items[i].name);
		ck_assert_int_eq(one.items[i].clicks_run, three.items[i].clicks_run);
		ck_assert_mem_eq(one.items[i].iou, three.items[i].iou, sizeof one.items[i].iou);
	}
	ck_assert_double_eq(one.noc90, three.noc90);
	evaluate_result_release(&one);
	evaluate_result_release(&three);
}
END_TEST

static void count_progress(int done, int count, void *context)
{
	ck_assert_int_eq(++*(int *)context, done);
	ck_assert_int_eq(count, 2);
}

START_TEST(limit_and_progress)
{
	struct evaluate_options options;
	struct evaluate_result result;
	int calls = 0;
	evaluate_options_init(&options);
	options.limit = 2;
	options.threads = 2;
	options.max_clicks = 3;
	options.progress = count_progress;
	options.context = &calls;
	ck_assert_int_eq(evaluate("pairs.json", &options, &result), STATUS_OK);
	ck_assert_int_eq(result.instances, 2);
	ck_assert_int_eq(result.items[0].clicks_run, 3);
	ck_assert_int_eq(calls, 2);
	evaluate_result_release(&result);
}
END_TEST

static void check_refused(const char *pairs, enum status expected, const char *part)
{
	struct evaluate_options options;
	struct evaluate_result result;
	evaluate_options_init(&options);
	options.threads = 2;
	enum status status = evaluate(pairs, &options, &result);
	ck_assert_msg(status == expected, "%s: status %d, %s", pairs, status, status_message());
	ck_assert_msg(strstr(status_message(), part) != NULL, "\"%s\" does not say \"%s\"", status_message(), part);
	ck_assert_ptr_null(result.items);
}

START_TEST(wrong_pairs_are_refused)
{
	write_text("object.json", "{\"image\": \"a.png\"}");
	check_refused("object.json", STATUS_FORMAT, "list");
	write_text("empty.json", "[]");
	check_refused("empty.json", STATUS_FORMAT, "at least one");
	write_text("key.json",
		   "[{\"image\": \"a.png\", \"mask\": \"a_mask.png\"}, {\"image\": \"a.png\", \"mask\": 3}]");
	check_refused("key.json", STATUS_FORMAT, "entry 1: \"mask\"");
	write_text("size.json", "[{\"image\": \"a.png\", \"mask\": \"b_mask.png\"}, {\"image\": 7}]");
	check_refused("size.json", STATUS_FORMAT, "b_mask.png is 61x51");
	ck_assert_ptr_nonnull(strstr(status_message(), "a.png is 41x41"));
	write_text("absent.json", "[{\"image\": \"nowhere.png\", \"mask\": \"a_mask.png\"}]");
	check_refused("absent.json", STATUS_IO, "nowhere.png");
	write_mask("black.png", 41, 41, 0, 5);
	write_text("black.json", "[{\"image\": \"a.png\", \"mask\": \"black.png\"}]");
	check_refused("black.json", STATUS_FORMAT, "no object");
	check_refused("no_such.json", STATUS_IO, "no_such.json");
}
END_TEST

START_TEST(session_failure_names_the_instance)
{
	fail_wide_photos = true;
	check_refused("pairs.json", STATUS_LIMIT, "b_mask: photo too wide");
}
END_TEST

START_TEST(grabcut_is_read)
{
	struct evaluate_options options;
	struct evaluate_result result;
	const char *path = test_shared_data("grabcut/pairs.json");
	if (!path)
		return;
	photos_are_written_here = false;
	evaluate_options_init(&options);
	options.max_clicks = 1;
	ck_assert_msg(evaluate_pairs(NULL, path, &options, &result) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(result.instances, 50);
	for (int i = 0; i < 50; i++) /* a disk of 8 pixels around the deepest point is all object, or nearly */
		ck_assert(result.items[i].iou[0] > 0.0005 && result.items[i].iou[0] < 0.2);
	evaluate_result_release(&result);
}
END_TEST

/* --- a dataset ------------------------------------------------------------ */

enum { OBJECTS = 9 };

/* Disks of radius 8, a click's reach, three in each of three photos. */
static struct dataset make_dataset(void)
{
	static struct dataset_photo photos[3];
	static struct dataset_object objects[OBJECTS];
	static char names[3][16] = {"p0.png", "p1.png", "p2.png"};
	static uint8_t mask[70 * 50];
	for (int i = 0; i < OBJECTS; i++) {
		struct image size = {.width = 70, .height = 50};
		for (int k = 0; k < 70 * 50; k++)
			mask[k] = square_to(&size, k, 15 + 20 * (i % 3), 25) < 8 * 8;
		objects[i] = (struct dataset_object){.id = 900100284445 + 7 * i, .photo = i / 3};
		ck_assert_int_eq(rle_from_mask(&objects[i].mask, mask, 70, 50), STATUS_OK);
	}
	for (int i = 0; i < 3; i++) {
		write_photo(names[i], 70, 50);
		photos[i] = (struct dataset_photo){.id = i, .width = 70, .height = 50, .file_name = names[i]};
	}
	return (struct dataset){.image_dir = folder,
				.photos = photos,
				.photo_count = 3,
				.objects = objects,
				.object_count = OBJECTS};
}

static void release_dataset(struct dataset *dataset)
{
	for (int i = 0; i < OBJECTS; i++)
		rle_release(&dataset->objects[i].mask);
}

START_TEST(dataset_to_figures)
{
	struct dataset dataset = make_dataset();
	struct evaluate_options options;
	struct evaluate_result result;
	evaluate_options_init(&options);
	options.threads = 2;
	ck_assert_msg(evaluate_dataset(NULL, &dataset, &options, &result) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(result.instances, OBJECTS);
	ck_assert_str_eq(result.items[1].name, "900100284452");
	ck_assert_double_eq(result.miou1, 1);
	ck_assert_double_eq(result.noc90, 1);
	evaluate_result_release(&result);
	release_dataset(&dataset);
}
END_TEST

static bool has_name(const struct evaluate_result *result, const char *name)
{
	for (int i = 0; i < result->instances; i++)
		if (!strcmp(result->items[i].name, name))
			return true;
	return false;
}

START_TEST(fewer_objects_are_some_of_the_more)
{
	struct dataset dataset = make_dataset();
	struct evaluate_options options;
	struct evaluate_result before = {.instances = 0}, result;
	evaluate_options_init(&options);
	for (options.limit = 1; options.limit <= OBJECTS; options.limit++) {
		ck_assert_int_eq(evaluate_dataset(NULL, &dataset, &options, &result), STATUS_OK);
		ck_assert_int_eq(result.instances, options.limit);
		for (int i = 0; i < before.instances; i++)
			ck_assert(has_name(&result, before.items[i].name));
		evaluate_result_release(&before);
		before = result;
	}
	evaluate_result_release(&before);
	release_dataset(&dataset);
}
END_TEST

START_TEST(what_cannot_be_read_is_left_out)
{
	struct dataset dataset = make_dataset();
	struct evaluate_options options;
	struct evaluate_result result;
	evaluate_options_init(&options);
	dataset.objects[4].mask.width = 50;
	dataset.objects[4].mask.height = 70;
	ck_assert_int_eq(evaluate_dataset(NULL, &dataset, &options, &result), STATUS_OK);
	ck_assert_int_eq(result.instances, OBJECTS - 1);
	ck_assert_int_eq(result.skipped, 1);
	ck_assert_msg(strstr(result.first_skip, "object 900100284473: the mask is 50x70") != NULL, "%s",
		      result.first_skip);
	ck_assert_str_eq(result.items[4].name, "900100284480");
	ck_assert_double_eq(result.miou1, 1);
	evaluate_result_release(&result);
	release_dataset(&dataset);
}
END_TEST

START_TEST(nothing_readable_is_a_failure)
{
	struct dataset dataset = make_dataset();
	struct evaluate_options options;
	struct evaluate_result result;
	evaluate_options_init(&options);
	options.threads = 3;
	for (int i = 0; i < 3; i++)
		write_text(dataset.photos[i].file_name, "no photo");
	ck_assert_int_eq(evaluate_dataset(NULL, &dataset, &options, &result), STATUS_FORMAT);
	ck_assert_msg(strstr(status_message(), "p0.png") != NULL, "%s", status_message());
	ck_assert_ptr_null(result.items);
	release_dataset(&dataset);
}
END_TEST

START_TEST(empty_dataset_is_refused)
{
	struct dataset dataset = {.object_count = 0};
	struct evaluate_options options;
	struct evaluate_result result;
	evaluate_options_init(&options);
	ck_assert_int_eq(evaluate_dataset(NULL, &dataset, &options, &result), STATUS_CONFIG);
	ck_assert_ptr_null(result.items);
}
END_TEST

/* --- figures -------------------------------------------------------------- */

static struct evaluate_result hand_made(void)
{
	struct evaluate_result result = {.instances = 3,
					 .session = {.size = 384, .first_size = 256, .threshold = 0.49f}};
	result.items = calloc(3, sizeof *result.items);
	result.items[0] =
		(struct evaluate_instance){.clicks_run = 5, .iou = {0.8, 0.92, 0.7, 0.93, 0.94}, .biou1 = 0.5};
	result.items[1] =
		(struct evaluate_instance){.clicks_run = 6, .iou = {0.1, 0.2, 0.3, 0.4, 0.86, 0.9}, .biou1 = 0.1};
	result.items[2] =
		(struct evaluate_instance){.clicks_run = 6, .iou = {0.1, 0.1, 0.1, 0.1, 0.1, 0.89}, .biou1 = 0};
	for (int i = 0; i < 3; i++) {
		result.items[i].set_image_ms = 20;
		result.items[i].clicks_ms = 10 * result.items[i].clicks_run;
	}
	evaluate_summarise(&result, 6);
	return result;
}

START_TEST(figures_from_curves)
{
	struct evaluate_result result = hand_made();
	ck_assert_double_eq_tol(result.noc85, (2 + 5 + 6) / 3.0, 1e-12);
	ck_assert_double_eq_tol(result.noc90, (2 + 6 + 6) / 3.0, 1e-12);
	ck_assert_int_eq(result.nof90, 1);
	ck_assert_int_eq(result.nof90_ritm, 2); /* the second reaches it exactly at the last click */
	ck_assert_double_eq_tol(result.miou1, 1.0 / 3, 1e-12);
	ck_assert_double_eq_tol(result.miou3, (0.7 + 0.3 + 0.1) / 3, 1e-12); /* the true overlap, not the best so far */
	ck_assert_double_eq_tol(result.miou5, (0.94 + 0.86 + 0.1) / 3, 1e-12);
	ck_assert_double_eq_tol(result.biou1, 0.2, 1e-12);
	ck_assert_double_eq_tol(result.ms_per_click, (60 + 170) / 17.0, 1e-12);
	ck_assert_double_eq_tol(result.ms_set_image, 20, 1e-12);
	evaluate_result_release(&result);
}
END_TEST

static double printed_number(const struct json *root, const char *key)
{
	double number = -1;
	ck_assert_msg(json_number(json_get(root, key), &number) == STATUS_OK, "%s: %s", key, status_message());
	return number;
}

START_TEST(json_has_the_keys)
{
	static const char *const keys[] = {"noc85", "noc90",     "nof90",     "miou1",        "miou2",
					   "miou3", "miou5",     "biou1",     "ms_per_click", "instances",
					   "size",  "threshold", "max_clicks"};
	struct evaluate_result result = hand_made();
	struct evaluate_options options;
	evaluate_options_init(&options);
	FILE *file = fopen(path_of("out.json"), "w");
	evaluate_print_json(&result, &options, file);
	fclose(file);
	struct json *root;
	ck_assert_msg(json_read_file(path_of("out.json"), &root) == STATUS_OK, "%s", status_message());
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		ck_assert_double_ge(printed_number(root, keys[i]), 0);
	ck_assert_double_eq_tol(printed_number(root, "noc90"), 14 / 3.0, 1e-4);
	ck_assert_double_eq_tol(printed_number(root, "miou1"), 1 / 3.0, 1e-6);
	json_free(root);
	evaluate_result_release(&result);
}
END_TEST

START_TEST(table_names_the_settings)
{
	struct evaluate_result result = hand_made();
	struct evaluate_options options;
	char text[4096];
	evaluate_options_init(&options);
	options.jitter = 7;
	FILE *file = fopen(path_of("out.txt"), "w+");
	evaluate_print(&result, &options, file);
	rewind(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	static const char *const parts[] = {"256 for click 1, then 384", "zoom-in on", "TTA off", "threshold 0.49",
					    "at most 20 clicks",         "up to 7 px", "NoC@90"};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		ck_assert_msg(strstr(text, parts[i]) != NULL, "no \"%s\" in:\n%s", parts[i], text);
	evaluate_result_release(&result);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("evaluate");
	TCase *tests = tcase_create("evaluate");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, make_folder, remove_folder);
	tcase_add_test(tests, pairs_to_figures);
	tcase_add_test(tests, threads_change_no_figure);
	tcase_add_test(tests, limit_and_progress);
	tcase_add_test(tests, wrong_pairs_are_refused);
	tcase_add_test(tests, session_failure_names_the_instance);
	tcase_add_test(tests, grabcut_is_read);
	tcase_add_test(tests, dataset_to_figures);
	tcase_add_test(tests, fewer_objects_are_some_of_the_more);
	tcase_add_test(tests, what_cannot_be_read_is_left_out);
	tcase_add_test(tests, nothing_readable_is_a_failure);
	tcase_add_test(tests, empty_dataset_is_refused);
	tcase_add_test(tests, figures_from_curves);
	tcase_add_test(tests, json_has_the_keys);
	tcase_add_test(tests, table_names_the_settings);
	suite_add_tcase(suite, tests);
	return suite;
}
TEST_MAIN(make_suite)
