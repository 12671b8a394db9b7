/* A model that labels scenes, from training's network through its weights file to the library's session: the labels are
 * those of the network's logits, and a click selects a region. */
#include <stdlib.h>
#include <string.h>

#include "infer/kernels/kernels.h"
#include "infer/network/network.h"
#include "infer/tapcut.h"
#include "tests/convert/variants.h"
#include "tests/support/test.h"

enum { W = 96, H = 64 };

static uint8_t photo[3 * W * H], labels[W * H], largest[W * H];

/* What the network itself says, of a photo that is seen at its own size. */
static void find_largest(const unsigned char *data, size_t size)
{
	struct infer_network network;
	struct infer_runner *runner;
	char message[TAPCUT_MESSAGE_SIZE];
	ck_assert_msg(infer_network_parse(data, size, &network, message) == TAPCUT_OK, "%s", message);
	ck_assert_msg(infer_runner_new(&network, H, W, NULL, &runner, message) == TAPCUT_OK, "%s", message);
	infer_runner_set_photo(runner, photo, W, H, 3 * W);
	const float *logits = infer_runner_run(runner);
	for (int i = 0; i < W * H; i++, logits += infer_runner_output(runner)->pitch) {
		largest[i] = 0;
		for (int c = 1; c < network.class_count; c++)
			if (logits[c] > logits[largest[i]])
				largest[i] = (uint8_t)c;
	}
	infer_runner_free(runner);
	infer_network_release(&network);
}

/* The variant of that name; the caller releases it. */
static struct tapcut_model *model_of(const char *name)
{
	struct variant_model m;
	struct tapcut_model *model;
	unsigned char *data;
	size_t size;
	char message[TAPCUT_MESSAGE_SIZE];
	int variant = 0;
	while (strcmp(variants[variant].name, name) != 0)
		variant++;
	variant_model_init(&m, variant);
	m.options.weights = EXPORT_F32;
	m.options.default_size = W;
	ck_assert_msg(export_memory(&m.model, &m.config, m.params.values, &m.options, &data, &size) == STATUS_OK, "%s",
		      status_message());
	ck_assert_msg(tapcut_model_load_memory(data, size, &model, message) == TAPCUT_OK, "%s", message);
	find_largest(data, size);
	free(data);
	variant_model_release(&m);
	return model;
}

static struct tapcut_session *session_of(const struct tapcut_model *model, int threads)
{
	struct tapcut_session *session;
	struct tapcut_options options = {.threads = threads};
	char message[TAPCUT_MESSAGE_SIZE];
	ck_assert_msg(tapcut_session_new(model, &options, &session, message) == TAPCUT_OK, "%s", message);
	return session;
}

/* Blotches, so that there are regions. */
static void fill_photo(void)
{
	for (int y = 0; y < H; y++)
		for (int x = 0; x < W; x++)
			for (int c = 0; c < 3; c++)
				photo[3 * (y * W + x) + c] =
					(uint8_t)((x / 16 * 53 + y / 16 * 91 + c * 70 + (x * 7 + y * 3) % 11) % 256);
}

START_TEST(labels_are_the_largest_logits)
{
	struct tapcut_model *model = model_of("labels");
	struct tapcut_session *session = session_of(model, 1);
	static uint8_t padded[(W + 5) * H];
	ck_assert_str_eq(tapcut_model_class(model, 0), "background");
	ck_assert_str_eq(tapcut_model_class(model, 6), "f");
	ck_assert(!tapcut_model_class(model, 7) && !tapcut_model_class(model, -1));
	ck_assert_int_eq(tapcut_session_labels(session, labels, W), TAPCUT_ARGUMENT); /* no photo */
	ck_assert_int_eq(tapcut_session_set_image(session, photo, W, H, 3 * W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_labels(session, labels, W - 1), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_labels(session, NULL, W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_labels(session, labels, W), TAPCUT_OK);
	ck_assert_mem_eq(labels, largest, sizeof labels);
	ck_assert_ptr_nonnull(memchr(labels, labels[0] ? 0 : 1, sizeof labels)); /* not all the same */
	/* With a stride, after a click, and on other threads: the same. */
	ck_assert_int_eq(tapcut_session_click(session, 3, 3, 1), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_labels(session, padded, W + 5), TAPCUT_OK);
	for (int y = 0; y < H; y++)
		ck_assert_mem_eq(padded + y * (W + 5), labels + y * W, W);
	/* A photo that is refused leaves the session without one. */
	ck_assert_int_eq(tapcut_session_set_image(session, photo, W, 0, 3 * W), TAPCUT_ARGUMENT);
	ck_assert_int_eq(tapcut_session_labels(session, padded, W), TAPCUT_ARGUMENT);
	struct tapcut_session *threaded = session_of(model, 3);
	static uint8_t others[W * H];
	ck_assert_int_eq(tapcut_session_set_image(threaded, photo, W, H, 3 * W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_labels(threaded, others, W), TAPCUT_OK);
	ck_assert_mem_eq(others, labels, sizeof labels);
	tapcut_session_free(threaded);
	tapcut_session_free(session);
	tapcut_model_free(model);
}
END_TEST

/* Before the graph cut, a click's region is what hangs together with its pixel and has its label; another click adds
 * its region, undo takes it back, and a negative click takes none away. */
START_TEST(a_click_selects_its_region)
{
	struct tapcut_model *model = model_of("labels");
	struct tapcut_session *session = session_of(model, 1);
	static float before[W * H];
	ck_assert_int_eq(tapcut_session_set_image(session, photo, W, H, 3 * W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_labels(session, labels, W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_click(session, 40, 30, 1), TAPCUT_OK);
	const float *chosen = tapcut_session_probabilities(session, NULL, NULL);
	ck_assert(chosen[30 * W + 40] == 1);
	int outside = -1;
	for (int i = 0; i < W * H; i++) {
		ck_assert(chosen[i] == 0 || (chosen[i] == 1 && labels[i] == labels[30 * W + 40]));
		outside = chosen[i] == 0 ? i : outside;
		if (i % W && labels[i] == labels[i - 1])
			ck_assert(chosen[i] == chosen[i - 1]);
	}
	ck_assert_int_ge(outside, 0);
	memcpy(before, chosen, sizeof before);
	ck_assert_int_eq(tapcut_session_click(session, outside % W, outside / W, 1), TAPCUT_OK);
	ck_assert(tapcut_session_probabilities(session, NULL, NULL)[outside] == 1);
	ck_assert_int_eq(tapcut_session_undo(session), TAPCUT_OK);
	ck_assert_mem_eq(tapcut_session_probabilities(session, NULL, NULL), before, sizeof before);
	ck_assert_int_eq(tapcut_session_click(session, 41, 31, 0), TAPCUT_OK);
	ck_assert_mem_eq(tapcut_session_probabilities(session, NULL, NULL), before, sizeof before);
	tapcut_session_free(session);
	tapcut_model_free(model);
}
END_TEST

START_TEST(others_have_no_labels)
{
	struct tapcut_model *model = model_of("stem");
	struct tapcut_session *session = session_of(model, 1);
	ck_assert_ptr_null(tapcut_model_class(model, 0));
	ck_assert_int_eq(tapcut_session_set_image(session, photo, W, H, 3 * W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_labels(session, labels, W), TAPCUT_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(tapcut_session_message(session), "labels: expected classes"));
	ck_assert_int_eq(tapcut_session_labels(NULL, labels, W), TAPCUT_ARGUMENT);
	tapcut_session_free(session);
	tapcut_model_free(model);
}
END_TEST

/* FCN-8s, whose planes are multiples of 32, on a photo whose sides are not. */
START_TEST(planes_may_be_multiples_of_32)
{
	struct tapcut_model *model = model_of("fcn8s labels"); /* its planes are multiples of 32 */
	struct tapcut_session *session = session_of(model, 2);
	ck_assert_str_eq(tapcut_model_class(model, 20), "t");
	ck_assert_int_eq(tapcut_session_set_image(session, photo, W, H - 7, 3 * W), TAPCUT_OK);
	ck_assert_int_eq(tapcut_session_labels(session, labels, W), TAPCUT_OK);
	tapcut_session_free(session);
	tapcut_model_free(model);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("label session");
	TCase *tests = tcase_create("label session");
	tcase_add_checked_fixture(tests, fill_photo, NULL);
	tcase_add_test(tests, labels_are_the_largest_logits);
	tcase_add_test(tests, a_click_selects_its_region);
	tcase_add_test(tests, others_have_no_labels);
	tcase_add_test(tests, planes_may_be_multiples_of_32);
	tcase_set_timeout(tests, 60);
	suite_add_tcase(suite, tests);
	return suite;
}

TEST_MAIN(make_suite)
