/* SHA-256 against the examples of FIPS 180-4 and, where coreutils is there, against sha256sum at every length
 * around a block. */
#include "core/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

static const char *hex(const void *data, size_t size, size_t step)
{
	static char text[65];
	struct sha256 sha;
	uint8_t digest[32];
	sha256_init(&sha);
	for (size_t i = 0; i < size; i += step)
		sha256_update(&sha, (const char *)data + i, size - i < step ? size - i : step);
	sha256_final(&sha, digest);
	sha256_hex(digest, text);
	return text;
}

START_TEST(published_examples)
{
	static const struct {
		const char *message, *digest;
	} examples[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
		ck_assert_str_eq(hex(examples[i].message, strlen(examples[i].message), 1000), examples[i].digest);
}
END_TEST

START_TEST(a_million_letters)
{
	static char letters[1000000];
	memset(letters, 'a', sizeof letters);
	ck_assert_str_eq(hex(letters, sizeof letters, 4099),
			 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

START_TEST(pieces_do_not_matter)
{
	char data[300], whole[65];
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7);
	for (size_t size = 0; size <= sizeof data; size++) {
		strcpy(whole, hex(data, size, sizeof data));
		for (size_t step = 1; step < 130; step += 9)
			ck_assert_str_eq(hex(data, size, step), whole);
	}
}
END_TEST

START_TEST(agrees_with_sha256sum)
{
	if (system("command -v sha256sum >/dev/null") != 0) {
		test_skip("no sha256sum");
		return;
	}
	char data[130], command[200], expected[65];
	memset(data, 'x', sizeof data);
	for (int size = 50; size <= 130; size += 1) {
		snprintf(command, sizeof command, "printf 'x%%.0s' $(seq %d) | sha256sum", size);
		FILE *pipe = popen(command, "r");
		ck_assert_int_eq(fscanf(pipe, "%64s", expected), 1);
		pclose(pipe);
		ck_assert_str_eq(hex(data, (size_t)size, 1000), expected);
	}
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("sha256");
	TCase *tcase = tcase_create("all");
	tcase_add_test(tcase, published_examples);
	tcase_add_test(tcase, a_million_letters);
	tcase_add_test(tcase, pieces_do_not_matter);
	tcase_add_test(tcase, agrees_with_sha256sum);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
