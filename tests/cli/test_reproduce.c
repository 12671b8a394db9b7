/* Manifests: a run is repeated from its own, the committed one still comes out (tests/golden/tiny_manifest.json), and
 * what differs is named; photos that are other ones are found. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/numerics.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "train/record/run_manifest.h"

static char dir[1024], train[4096];

static void prepare(void)
{
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("cli_reproduce"));
	snprintf(train, sizeof train, "%s --set train.steps=12 --set train.checkpoint_every=3 --threads 1",
		 tiny_run(dir));
}

static struct run_manifest manifest_of(const char *path)
{
	struct run_manifest manifest;
	ck_assert_msg(run_manifest_read(&manifest, path, NULL) == STATUS_OK, "%s", status_message());
	run_manifest_release(&manifest);
	return manifest;
}

/* The weights of today's code are those of the day when NUMERICS_VERSION was last raised. Whoever changes them on
 * purpose raises it and makes the manifest anew:
 *	build/tapcut scenes --out build/reproduce/scenes --count 24 --seed 3 --width 160 --height 120
 *	build/tapcut train configs/smoke.json --set name=tiny --set data.train=build/reproduce/scenes/instances.json \
 *		--set data.val= --steps 200 --set train.checkpoint_every=100 --set quantize.enabled=true \
 *		--set quantize.calibration_steps=50 --set clicks.corrective_rounds=2 --set model.dropout=0.1 \
 *		--out runs/tiny
 *	cp runs/tiny/manifest.json tests/golden/tiny_manifest.json */
START_TEST(committed_manifest_comes_out)
{
	static const char golden[] = "tests/golden/tiny_manifest.json";
	struct run_manifest before = manifest_of(golden);
	ck_assert_msg(before.numerics == NUMERICS_VERSION, "%s is of numerics version %d: renew it (see this test)",
		      golden, before.numerics);
	tapcut_ok("scenes --out %s/scenes --count 24 --seed 3 --width 160 --height 120", dir);
	const struct program_result *r =
		tapcut("reproduce %s --set data.train=%s/scenes/instances.json --steps 20 --out %s/golden", golden, dir,
		       dir);
	if (r->code && strstr(r->err, "photo files")) {
		test_skip("this machine's libjpeg writes other photos than those of %s", golden);
		return;
	}
	ck_assert_msg(r->code == 0,
		      "%sThe same config gives other weights than when the manifest was made. If that is meant, raise "
		      "NUMERICS_VERSION in core/numerics.h and renew the manifest (see this test)",
		      r->err);
	ck_assert_ptr_nonnull(strstr(r->out, "the same bytes"));
}
END_TEST

START_TEST(a_run_with_changes_on_the_way)
{
	tapcut_ok("%s --set optim.schedule=constant --out %s/run --until-step 5", train, dir);
	tapcut_ok("train --out %s/run --resume auto --set optim.lr=0.002 --until-step 7", dir);
	tapcut_ok("train --out %s/run --resume auto --set optim.lr=0.0005 --set train.steps=14", dir);
	struct run_manifest manifest = manifest_of(in(dir, "run/manifest.json"));
	ck_assert_int_eq((int)manifest.step, 14);
	ck_assert_int_eq(manifest.numerics, NUMERICS_VERSION);
	ck_assert_str_eq(manifest.result_file, "final.tapcut");
	const struct program_result *r = tapcut_ok("reproduce %s/run/manifest.json --threads 2", dir);
	ck_assert_ptr_nonnull(strstr(r->out, "the same bytes: final.tapcut after step 14"));
	ck_assert_ptr_nonnull(strstr(r->out, manifest.result_sha256));
	r = tapcut_ok("inspect %s/run/final.tapcut", dir);
	ck_assert_ptr_nonnull(strstr(r->out, "origin  "));
	ck_assert_ptr_nonnull(strstr(r->out, "14 steps"));
	r = tapcut_ok("reproduce %s/run/manifest.json --steps 6", dir);
	ck_assert_ptr_nonnull(strstr(r->out, "weights after step 6"));
	tapcut_fails(1, "knows the weights after steps 3, 5, 6, 7", "reproduce %s/run/manifest.json --steps 4", dir);
	tapcut_fails(1, "What differs: config", "reproduce %s/run/manifest.json --steps 3 --quiet --set seed=2", dir);
}
END_TEST

/* A manifest does not depend on where a run was stopped: photos, weights and result are those of one that was not. */
START_TEST(stops_change_no_manifest)
{
	tapcut_ok("%s --out %s/whole", train, dir);
	pid_t pid = tapcut_start("%s --out %s/killed", train, dir);
	ck_assert(tapcut_reaches(pid, in(dir, "killed/log.jsonl"), 5));
	tapcut_wait(pid, SIGKILL);
	tapcut_ok("%s --out %s/killed --resume auto", train, dir);
	struct run_manifest a = manifest_of(in(dir, "whole/manifest.json"));
	struct run_manifest b = manifest_of(in(dir, "killed/manifest.json"));
	ck_assert_str_eq(a.config_sha256, b.config_sha256);
	ck_assert_str_eq(a.photos_sha256, b.photos_sha256);
	ck_assert_int_eq(a.photos, b.photos);
	ck_assert_str_eq(a.result_sha256, b.result_sha256);
	ck_assert_int_eq(a.weights_count, b.weights_count);
	for (int i = 0; i < a.weights_count; i++)
		ck_assert_str_eq(a.weights[i].sha256, b.weights[i].sha256);
	ck_assert(same_bytes(in(dir, "whole/photos.csv"), in(dir, "killed/photos.csv")));
}
END_TEST

static void replace_photo(const char *set)
{
	char from[1200], to[1200];
	size_t size;
	snprintf(from, sizeof from, "%s/%s/images/000002.jpg", dir, set);
	snprintf(to, sizeof to, "%s/%s/images/000001.jpg", dir, set);
	char *bytes = slurp(from, &size);
	spit(to, bytes, size);
	free(bytes);
}

/* One photo is another one now: it is named, and nothing is trained on it. */
START_TEST(photos_that_changed)
{
	tapcut_ok("scenes --out %s/photos --count 4 --seed 9 --width 96 --height 64", dir);
	char args[5200];
	snprintf(args, sizeof args, "%s --set data.train=%s/photos/instances.json", train, dir);
	tapcut_ok("%s --out %s/first --until-step 9", args, dir);
	replace_photo("photos");
	tapcut_fails(1, "000001.jpg: this photo is not the one", "%s --out %s/first --resume auto", args, dir);
	tapcut_fails(1, "data: photo files", "reproduce %s/first/manifest.json --steps 9 --quiet", dir);
	tapcut_ok("%s --out %s/other", args, dir); /* another run may begin with it */
}
END_TEST

START_TEST(no_manifest)
{
	tapcut_fails(1, "no/such", "reproduce no/such.json");
	tapcut_fails(1, "expected a manifest.json", "reproduce configs/smoke.json");
	spit(in(dir, "cut.json"), "{\"config_sha256\": ", 18);
	tapcut_fails(1, "cut.json", "reproduce %s/cut.json", dir);
	tapcut_fails(2, "MANIFEST", "reproduce");
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("cli reproduce");
	TCase *tcase = tcase_create("reproduce");
	tcase_set_timeout(tcase, 300);
	tcase_add_unchecked_fixture(tcase, prepare, NULL);
	tcase_add_test(tcase, committed_manifest_comes_out);
	tcase_add_test(tcase, a_run_with_changes_on_the_way);
	tcase_add_test(tcase, stops_change_no_manifest);
	tcase_add_test(tcase, photos_that_changed);
	tcase_add_test(tcase, no_manifest);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
