/* See ranks.h: everything that is made of sending and receiving. */
#include "train/ranks.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sha256.h"
#include "core/slot_tree.h"

int ranks_first_slot(const struct ranks *ranks, int rank, int slot_count)
{
	return (int)(((long long)rank * slot_count + ranks->count - 1) / ranks->count);
}

static int rank_of_slot(const struct ranks *ranks, int slot, int slot_count)
{
	return (int)((long long)slot * ranks->count / slot_count);
}

/* From rank 0 to all: in round k, ranks below 2^k pass it on to the rank 2^k above. */
static void broadcast(const struct ranks *ranks, void *data, size_t size)
{
	for (int reach = 1; reach < ranks->count; reach *= 2) {
		if (ranks->rank < reach && ranks->rank + reach < ranks->count)
			ranks->send(ranks, ranks->rank + reach, data, size);
		else if (ranks->rank >= reach && ranks->rank < 2 * reach)
			ranks->receive(ranks, ranks->rank - reach, data, size);
	}
}

/* --- agreement ------------------------------------------------------------ */

struct report {
	int32_t status, rank;
	char message[1024];
};

static int weight(const struct report *report)
{
	return report->status == STATUS_OK ? 0 : report->status == STATUS_INTERRUPTED ? 1 : 2;
}

/* A failure outweighs a request to stop; of two failures the lower rank's is told. */
static bool outweighs(const struct report *a, const struct report *b)
{
	return weight(a) > weight(b) || (weight(a) == weight(b) && a->rank < b->rank);
}

/* Only the status travels while all is well; the message follows where there is one. */
static void send_report(const struct ranks *ranks, int to, const struct report *report)
{
	ranks->send(ranks, to, &report->status, sizeof report->status);
	if (report->status != STATUS_OK)
		ranks->send(ranks, to, report, sizeof *report);
}

static void receive_report(const struct ranks *ranks, int from, struct report *report)
{
	ranks->receive(ranks, from, &report->status, sizeof report->status);
	if (report->status != STATUS_OK)
		ranks->receive(ranks, from, report, sizeof *report);
}

/* Up the tree of `broadcast`, the worst report of each branch. */
static void gather_worst(const struct ranks *ranks, struct report *worst)
{
	int reach = 1;
	while (reach < ranks->count)
		reach *= 2;
	for (reach /= 2; reach >= 1; reach /= 2) {
		struct report other = {0};
		if (ranks->rank < reach && ranks->rank + reach < ranks->count) {
			receive_report(ranks, ranks->rank + reach, &other);
			if (outweighs(&other, worst))
				*worst = other;
		} else if (ranks->rank >= reach && ranks->rank < 2 * reach) {
			send_report(ranks, ranks->rank - reach, worst);
		}
	}
}

enum status ranks_agree(struct ranks *ranks, enum status status)
{
	struct report worst = {.status = (int32_t)status, .rank = ranks->rank};
	ranks->agreed = status;
	if (ranks->count == 1)
		return status;
	if (status)
		snprintf(worst.message, sizeof worst.message, "%s", status_message());
	gather_worst(ranks, &worst);
	broadcast(ranks, &worst.status, sizeof worst.status);
	ranks->agreed = (enum status)worst.status;
	if (worst.status == STATUS_OK)
		return STATUS_OK;
	broadcast(ranks, &worst, sizeof worst);
	return status_fail(ranks->agreed, "rank %d: %.*s", worst.rank, (int)sizeof worst.message, worst.message);
}

bool ranks_must_report(const struct ranks *ranks, enum status status)
{
	if (ranks->count == 1)
		return true;
	if (status == ranks->agreed)
		return ranks->rank == 0;
	status_wrap(status, "rank %d", ranks->rank);
	return true;
}

enum status ranks_compare(struct ranks *ranks, const char *what, const void *data, size_t size)
{
	uint8_t own[32], expected[32];
	struct sha256 sha;
	if (ranks->count == 1)
		return STATUS_OK;
	sha256_init(&sha);
	sha256_update(&sha, data, size);
	sha256_final(&sha, own);
	memcpy(expected, own, sizeof own);
	broadcast(ranks, expected, sizeof expected);
	enum status status = STATUS_OK;
	if (memcmp(own, expected, sizeof own) != 0)
		status = status_fail(STATUS_CONFIG,
				     "%s: not the same as on rank 0. All ranks must run the same program "
				     "and see the same files",
				     what);
	return ranks_agree(ranks, status);
}

/* --- slots ---------------------------------------------------------------- */

void ranks_share(const struct ranks *ranks, void *items, int slot_count, size_t size)
{
	char *bytes = items;
	for (int rank = 1; rank < ranks->count; rank++) {
		size_t first = (size_t)ranks_first_slot(ranks, rank, slot_count);
		size_t count = (size_t)ranks_first_slot(ranks, rank + 1, slot_count) - first;
		if (ranks->rank == rank)
			ranks->send(ranks, 0, bytes + first * size, count * size);
		else if (ranks->rank == 0)
			ranks->receive(ranks, rank, bytes + first * size, count * size);
	}
	broadcast(ranks, items, (size_t)slot_count * size);
}

/* An addition of the tree whose slots lie with several ranks. The left slot's owner adds; the right one's sends what it
 * has. All ranks go through these in the same order, so that none waits for one that waits for it. */
static void add_across(const struct ranks *ranks, struct workers *workers, float *const *slots, int slot_count,
		       int left, int right, float *spare, size_t total)
{
	int to = rank_of_slot(ranks, left, slot_count), from = rank_of_slot(ranks, right, slot_count);
	if (to == from && to == ranks->rank) {
		slot_tree_add(workers, slots[left], slots[right], total);
	} else if (to == ranks->rank) {
		ranks->receive(ranks, from, spare, total * sizeof *spare);
		slot_tree_add(workers, slots[left], spare, total);
	} else if (from == ranks->rank) {
		ranks->send(ranks, to, slots[right], total * sizeof *spare);
	}
}

float *ranks_sum(const struct ranks *ranks, struct workers *workers, float *const *slots, int slot_count, float *spare,
		 size_t total)
{
	int first = ranks_first_slot(ranks, ranks->rank, slot_count);
	int end = ranks_first_slot(ranks, ranks->rank + 1, slot_count);
	slot_tree_sum_part(workers, slots, slot_count, first, end, total);
	for (int step = 1; step < slot_count; step *= 2)
		for (int i = 0; i + step < slot_count; i += 2 * step) {
			int last = i + 2 * step < slot_count ? i + 2 * step - 1 : slot_count - 1;
			if (rank_of_slot(ranks, i, slot_count) != rank_of_slot(ranks, last, slot_count))
				add_across(ranks, workers, slots, slot_count, i, i + step, spare, total);
		}
	float *sum = ranks->rank == 0 ? slots[0] : spare;
	broadcast(ranks, sum, total * sizeof *sum);
	return sum;
}

void ranks_tell(const struct ranks *ranks, void *data, size_t size)
{
	broadcast(ranks, data, size);
}

/* --- the launcher --------------------------------------------------------- */

/* A positive number from the environment, else 0. */
static int from_environment(const char *name)
{
	const char *text = getenv(name);
	int number = text ? atoi(text) : 0;
	return number > 0 ? number : 0;
}

/* The innermost launcher counts: mpirun starts its helpers on other machines through srun. SLURM_NTASKS would be
 * wrong: it stands in the environment of a batch script too, which is one process. */
int ranks_launched(void)
{
	static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (from_environment(sizes[i]))
			return from_environment(sizes[i]);
	return 1 + from_environment("PMIX_RANK"); /* PMIx gives each process its number only */
}
