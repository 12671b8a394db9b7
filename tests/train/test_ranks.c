/* Ranks as threads of this process, which hand bytes to each other through a table of letter boxes: the sum of their
 * slots has the bits of slot_tree_sum for any number of them, and what they agree on is what they should. With MPI:
 * tests/cli/test_ranks.c. */
#include "train/ranks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "core/slot_tree.h"
#include "tests/support/test.h"

enum { MOST_RANKS = 9, MOST_SLOTS = 17, FLOATS = 300 };

/* --- the transport -------------------------------------------------------- */

/* One per pair of ranks. A sender waits until its letter is taken: the strictest that MPI may do, so that an order of
 * calls that can lock up does. */
struct box {
	const void *data;
	size_t size;
	bool full;
};

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct box boxes[MOST_RANKS][MOST_RANKS];
} post = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void post_send(const struct ranks *ranks, int to, const void *data, size_t size)
{
	struct box *box = &post.boxes[ranks->rank][to];
	pthread_mutex_lock(&post.mutex);
	*box = (struct box){data, size, true};
	pthread_cond_broadcast(&post.changed);
	while (box->full)
		pthread_cond_wait(&post.changed, &post.mutex);
	pthread_mutex_unlock(&post.mutex);
}

static void post_receive(const struct ranks *ranks, int from, void *data, size_t size)
{
	struct box *box = &post.boxes[from][ranks->rank];
	pthread_mutex_lock(&post.mutex);
	while (!box->full)
		pthread_cond_wait(&post.changed, &post.mutex);
	ck_assert_uint_eq(box->size, size);
	memcpy(data, box->data, size);
	box->full = false;
	pthread_cond_broadcast(&post.changed);
	pthread_mutex_unlock(&post.mutex);
}

struct player {
	struct ranks ranks;
	struct workers *workers;
	void (*play)(struct player *player);
	/* For and from `play`. */
	const float *grads; /* of all slots */
	int slot_count;
	float sum[FLOATS];
	int items[MOST_SLOTS];
	enum status status;
	char message[1024];
};

static struct player players[MOST_RANKS];

static void *play(void *player)
{
	((struct player *)player)->play(player);
	return NULL;
}

/* All ranks at once; returns when all are through. */
static void play_all(int count, void (*part)(struct player *player))
{
	pthread_t threads[MOST_RANKS];
	for (int r = 0; r < count; r++) {
		players[r].ranks =
			(struct ranks){.rank = r, .count = count, .send = post_send, .receive = post_receive};
		players[r].play = part;
		ck_assert_int_eq(pthread_create(&threads[r], NULL, play, &players[r]), 0);
	}
	for (int r = 0; r < count; r++)
		pthread_join(threads[r], NULL);
}

/* --- slots ---------------------------------------------------------------- */

START_TEST(slots_are_shared_out_evenly)
{
	for (int count = 1; count <= MOST_RANKS; count++)
		for (int slots = 1; slots <= MOST_SLOTS; slots++) {
			struct ranks ranks = {.count = count};
			ck_assert_int_eq(ranks_first_slot(&ranks, 0, slots), 0);
			ck_assert_int_eq(ranks_first_slot(&ranks, count, slots), slots);
			for (int r = 0; r < count; r++) {
				int own = ranks_first_slot(&ranks, r + 1, slots) - ranks_first_slot(&ranks, r, slots);
				ck_assert_int_ge(own, slots / count);
				ck_assert_int_le(own, (slots + count - 1) / count);
			}
		}
}
END_TEST

/* Each rank has memory for its own slots alone; the others' pointers are NULL, so that a touch would show. */
static void sum_slots(struct player *player)
{
	float memory[MOST_SLOTS][FLOATS], spare[FLOATS], *slots[MOST_SLOTS] = {NULL};
	int first = ranks_first_slot(&player->ranks, player->ranks.rank, player->slot_count);
	int end = ranks_first_slot(&player->ranks, player->ranks.rank + 1, player->slot_count);
	for (int i = first; i < end; i++) {
		slots[i] = memory[i];
		memcpy(slots[i], player->grads + (size_t)i * FLOATS, sizeof memory[i]);
	}
	float *sum = ranks_sum(&player->ranks, player->workers, slots, player->slot_count, spare, FLOATS);
	memcpy(player->sum, sum, sizeof player->sum);
}

static void check_sum(int count, int slot_count)
{
	static float grads[MOST_SLOTS][FLOATS], copy[MOST_SLOTS][FLOATS];
	float *slots[MOST_SLOTS];
	struct rng rng = rng_stream(1, (uint32_t)count, (uint64_t)slot_count, RNG_TEST);
	for (int i = 0; i < slot_count; i++) {
		slots[i] = copy[i];
		for (int k = 0; k < FLOATS; k++)
			copy[i][k] = grads[i][k] = rng_normal(&rng) * (float)(1 << rng_below(&rng, 20));
	}
	slot_tree_sum(players[0].workers, slots, slot_count, FLOATS);
	for (int r = 0; r < count; r++) {
		players[r].grads = grads[0];
		players[r].slot_count = slot_count;
	}
	play_all(count, sum_slots);
	for (int r = 0; r < count; r++)
		ck_assert_msg(!memcmp(players[r].sum, copy[0], sizeof copy[0]), "rank %d of %d, %d slots: another sum",
			      r, count, slot_count);
}

START_TEST(any_number_of_ranks_gives_the_sum_of_one)
{
	for (int r = 0; r < MOST_RANKS; r++)
		ck_assert_int_eq(workers_new(1, &players[r].workers), STATUS_OK);
	for (int count = 1; count <= MOST_RANKS; count++)
		for (int slots = 1; slots <= MOST_SLOTS; slots++)
			check_sum(count, slots);
	for (int r = 0; r < MOST_RANKS; r++)
		workers_free(players[r].workers);
}
END_TEST

static void share_items(struct player *player)
{
	int first = ranks_first_slot(&player->ranks, player->ranks.rank, player->slot_count);
	int end = ranks_first_slot(&player->ranks, player->ranks.rank + 1, player->slot_count);
	for (int i = 0; i < player->slot_count; i++)
		player->items[i] = i >= first && i < end ? 100 + i : -1;
	ranks_share(&player->ranks, player->items, player->slot_count, sizeof player->items[0]);
}

START_TEST(every_rank_learns_of_every_slot)
{
	for (int count = 1; count <= MOST_RANKS; count++)
		for (int slots = 1; slots <= MOST_SLOTS; slots++) {
			for (int r = 0; r < count; r++)
				players[r].slot_count = slots;
			play_all(count, share_items);
			for (int r = 0; r < count; r++)
				for (int i = 0; i < slots; i++)
					ck_assert_int_eq(players[r].items[i], 100 + i);
		}
}
END_TEST

/* --- agreement ------------------------------------------------------------ */

static void agree(struct player *player)
{
	if (player->status)
		status_fail(player->status, "said by %d", player->ranks.rank);
	player->status = ranks_agree(&player->ranks, player->status);
	snprintf(player->message, sizeof player->message, "%s", status_message());
}

static void expect_agreement(int count, enum status status, const char *message)
{
	play_all(count, agree);
	for (int r = 0; r < count; r++) {
		ck_assert_int_eq(players[r].status, status);
		if (status)
			ck_assert_str_eq(players[r].message, message);
		if (status)
			ck_assert(ranks_must_report(&players[r].ranks, status) == (r == 0));
	}
}

START_TEST(one_failure_is_known_to_all)
{
	for (int count = 2; count <= MOST_RANKS; count++)
		for (int bad = -1; bad < count; bad++) {
			char message[64];
			for (int r = 0; r < count; r++)
				players[r].status = r == bad ? STATUS_IO : STATUS_OK;
			snprintf(message, sizeof message, "rank %d: said by %d", bad, bad);
			expect_agreement(count, bad < 0 ? STATUS_OK : STATUS_IO, message);
		}
}
END_TEST

START_TEST(the_worst_counts)
{
	for (int count = 4; count <= MOST_RANKS; count++) {
		for (int r = 0; r < count; r++)
			players[r].status = STATUS_INTERRUPTED;
		players[2].status = players[3].status = STATUS_FORMAT;
		expect_agreement(count, STATUS_FORMAT, "rank 2: said by 2");
		for (int r = 0; r < count; r++)
			players[r].status = r == count - 1 ? STATUS_INTERRUPTED : STATUS_OK;
		char message[64];
		snprintf(message, sizeof message, "rank %d: said by %d", count - 1, count - 1);
		expect_agreement(count, STATUS_INTERRUPTED, message);
	}
}
END_TEST

START_TEST(a_failure_of_its_own_is_told_by_who_has_it)
{
	struct ranks ranks = {.rank = 2, .count = 4};
	status_fail(STATUS_IO, "disk full");
	ck_assert(ranks_must_report(&ranks, STATUS_IO));
	ck_assert_str_eq(status_message(), "rank 2: disk full");
}
END_TEST

static void compare(struct player *player)
{
	player->status = ranks_compare(&player->ranks, "weights", player->sum, sizeof player->sum);
	snprintf(player->message, sizeof player->message, "%s", status_message());
}

START_TEST(a_single_other_bit_is_found)
{
	for (int r = 0; r < 4; r++)
		memset(players[r].sum, 0, sizeof players[r].sum);
	play_all(4, compare);
	for (int r = 0; r < 4; r++)
		ck_assert_int_eq(players[r].status, STATUS_OK);
	players[3].sum[FLOATS - 1] = -0.0f;
	play_all(4, compare);
	for (int r = 0; r < 4; r++) {
		ck_assert_int_eq(players[r].status, STATUS_CONFIG);
		ck_assert_ptr_nonnull(strstr(players[r].message, "rank 3: weights: not the same as on rank 0"));
	}
}
END_TEST

/* --- the launcher --------------------------------------------------------- */

static void forget_launcher(void)
{
	static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS",
					    "PMIX_RANK"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
}

static void expect_start(const char *name, const char *value, enum status status)
{
	struct ranks ranks;
	forget_launcher();
	setenv(name, value, 1);
	ck_assert_msg(ranks_start(&ranks, 0) == status, "%s=%s", name, value);
	if (status)
		ck_assert_ptr_nonnull(strstr(status_message(), "make MPI=1"));
	ranks_stop(&ranks, status);
	forget_launcher();
}

/* N processes that know nothing of each other would write one folder. */
START_TEST(without_mpi_a_launcher_of_many_is_refused)
{
	expect_start("OMPI_COMM_WORLD_SIZE", "1", STATUS_OK);
	expect_start("OMPI_COMM_WORLD_SIZE", "2", STATUS_CONFIG);
	expect_start("PMI_SIZE", "3", STATUS_CONFIG);
	expect_start("SLURM_STEP_NUM_TASKS", "4", STATUS_CONFIG);
	expect_start("PMIX_RANK", "0", STATUS_OK);
	expect_start("PMIX_RANK", "1", STATUS_CONFIG);
	expect_start("SLURM_NTASKS", "4", STATUS_OK); /* a batch script is one process */
	expect_start("PMI_SIZE", "nonsense", STATUS_OK);
	setenv("SLURM_STEP_NUM_TASKS", "7", 1); /* of mpirun's helpers */
	setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
	ck_assert_int_eq(ranks_launched(), 1);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("ranks");
	TCase *tcase = tcase_create("ranks");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, slots_are_shared_out_evenly);
	tcase_add_test(tcase, any_number_of_ranks_gives_the_sum_of_one);
	tcase_add_test(tcase, every_rank_learns_of_every_slot);
	tcase_add_test(tcase, one_failure_is_known_to_all);
	tcase_add_test(tcase, the_worst_counts);
	tcase_add_test(tcase, a_failure_of_its_own_is_told_by_who_has_it);
	tcase_add_test(tcase, a_single_other_bit_is_found);
	tcase_add_test(tcase, without_mpi_a_launcher_of_many_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

TEST_MAIN(make_suite)
