/* Event files for TensorBoard, read back by a reader of the test's own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/record/event_file.h"

struct scalar {
	char tag[64];
	long step;
	float value;
};

static uint64_t little(const unsigned char *at, int count)
{
	uint64_t number = 0;
	while (count--)
		number = number << 8 | at[count];
	return number;
}

static uint64_t varint(const unsigned char **at)
{
	uint64_t number = 0;
	int shift = 0;
	do
		number |= (uint64_t)(**at & 0x7f) << shift, shift += 7;
	while (*(*at)++ & 0x80);
	return number;
}

/* Fields of one message; `scalar` gets what is known of them. */
static void read_message(const unsigned char *at, const unsigned char *end, int depth, struct scalar *scalar)
{
	while (at < end) {
		uint64_t key = varint(&at), field = key >> 3;
		switch (key & 7) {
		case 0: scalar->step = (long)varint(&at); break;
		case 1: at += 8; break;
		case 5: {
			uint32_t bits = (uint32_t)little(at, 4);
			memcpy(&scalar->value, &bits, 4);
			at += 4;
			break;
		}
		default: {
			uint64_t size = varint(&at);
			bool text = (depth == 0 && field == 3) || depth == 2;
			if (text)
				snprintf(scalar->tag, sizeof scalar->tag, "%.*s", (int)size, (const char *)at);
			else
				read_message(at, at + size, depth + 1, scalar);
			at += size;
		}
		}
	}
	ck_assert_ptr_eq(at, end);
}

/* Checks both sums of each record; how many there are. */
static int read_events(const char *path, struct scalar *scalars, int most)
{
	size_t size, at = 0;
	char *data = slurp(path, &size);
	int count = 0;
	while (at < size) {
		const unsigned char *record = (const unsigned char *)data + at;
		size_t length = little(record, 8);
		ck_assert(at + length + 16 <= size && count < most);
		ck_assert_uint_eq(little(record + 8, 4), event_masked_crc32c(record, 8));
		ck_assert_uint_eq(little(record + 12 + length, 4), event_masked_crc32c(record + 12, length));
		scalars[count] = (struct scalar){.step = -1};
		read_message(record + 12, record + 12 + length, 0, &scalars[count++]);
		at += length + 16;
	}
	free(data);
	return count;
}

START_TEST(the_sum_is_castagnolis)
{
	ck_assert_uint_eq(event_crc32c("123456789", 9), 0xe3069283u);
	ck_assert_uint_eq(event_crc32c("", 0), 0);
}
END_TEST

START_TEST(scalars_are_read_back)
{
	struct event_file events;
	struct scalar found[8];
	const char *dir = test_tmp_dir("event_file");
	ck_assert_int_eq(event_file_open(&events, dir), STATUS_OK);
	ck_assert_int_eq(event_file_add(&events, 7, "train/loss", 0.25), STATUS_OK);
	ck_assert_int_eq(event_file_add(&events, 8, "train/loss", NAN), STATUS_OK);
	ck_assert_int_eq(event_file_add(&events, 3000000000u, "val/noc90", 12.5), STATUS_OK);
	ck_assert_int_eq(event_file_flush(&events), STATUS_OK);
	event_file_close(&events);
	ck_assert_int_eq(read_events(events.path, found, 8), 3);
	ck_assert_str_eq(found[0].tag, "brain.Event:2");
	ck_assert_str_eq(found[1].tag, "train/loss");
	ck_assert(found[1].step == 7 && found[1].value == 0.25f);
	ck_assert(found[2].step == 3000000000l && found[2].value == 12.5f);
	event_file_close(&events);
	ck_assert_int_eq(event_file_add(&events, 1, "x", 1), STATUS_OK); /* none is open */
}
END_TEST

/* A run that went on has each step once. */
START_TEST(a_run_writes_them)
{
	static struct scalar found[400];
	static char dir[1024], train[4096];
	int losses = 0;
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("event_run"));
	snprintf(train, sizeof train, "%s --set train.tensorboard=true --set data.val=%s/val/instances.json",
		 tiny_run(dir), dir);
	tapcut_ok("%s --steps 6 --until-step 3 --out %s/run --quiet", train, dir);
	tapcut_ok("%s --steps 6 --out %s/run --resume auto --quiet", train, dir);
	int count = read_events(in(dir, "run/events.out.tfevents.tapcut"), found, 400);
	bool validated = false;
	for (int i = 0; i < count; i++) {
		if (strcmp(found[i].tag, "train/loss") == 0)
			ck_assert_int_eq(found[i].step, ++losses);
		validated |= strcmp(found[i].tag, "val/miou1") == 0 && found[i].step == 6;
	}
	ck_assert_int_eq(losses, 6);
	ck_assert(validated);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("event_file");
	TCase *tc = tcase_create("event_file");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_sum_is_castagnolis);
	tcase_add_test(tc, scalars_are_read_back);
	tcase_add_test(tc, a_run_writes_them);
	suite_add_tcase(suite, tc);
	return suite;
}

TEST_MAIN(make_suite)
