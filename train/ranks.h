/* Several processes that train one network together: rank 0..count-1 of them, on one machine or many. Each computes its
 * own slots of every step; their gradients are added along the very tree that one process would add them along
 * (core/slot_tree.h), so that the weights have the same bytes for any number of ranks. The optimiser's step is then
 * taken by every rank, on the same bytes.
 *
 * What travels is bytes from one rank to another, nothing else: no library adds anything. ranks_start and what stands
 * behind `send` and `receive` exist twice, and the link chooses: train/ranks_alone.c (one process; the default) and
 * train/ranks_mpi.c (make MPI=1).
 *
 * Calls marked (all) are made by all ranks, in the same order, or they wait for each other for ever. */
#ifndef TRAIN_RANKS_H
#define TRAIN_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/workers.h"

struct ranks {
	int rank, count;    /* which one this is, and of how many; 0 of 1 when a process trains alone */
	int machine_ranks;  /* ranks on this machine, this one included */
	enum status agreed; /* what ranks_agree returned last */
	/* Both wait until the other side has come; neither fails: a transport that is broken ends the process with a
	 * message. */
	void (*send)(const struct ranks *ranks, int to, const void *data, size_t size);
	void (*receive)(const struct ranks *ranks, int from, void *data, size_t size);
	void *transport; /* what these two need */
};

/* Becomes one of the ranks, or the only one. Refuses (STATUS_CONFIG) where a launcher started several processes that
 * cannot talk to each other: they would all write one folder. A rank that waits longer than answer_seconds for another
 * one (0: as long as it takes) ends the job, with a message that names that rank, and the last good checkpoint; time
 * in which the waiting process itself did not run does not count. (all) */
enum status ranks_start(struct ranks *ranks, double answer_seconds);

/* From now on a rank that is gone ends this process too, with a message that names the rank and the last good
 * checkpoint, which is looked for at this path. `checkpoint` is copied. */
void ranks_watch(struct ranks *ranks, const char *checkpoint);

/* The end. `status`: how the run ended here. A failure that only this rank knows of ends the others as well. (all,
 * else) */
void ranks_stop(struct ranks *ranks, enum status status);

/* Whether this process should say how it ended: a failure all know of is told by rank 0. Puts "rank N: " before a
 * message of its own. */
bool ranks_must_report(const struct ranks *ranks, enum status status);

/* Slots of a rank: first_slot(rank) .. first_slot(rank + 1) - 1. Rank 0 has slot 0. */
int ranks_first_slot(const struct ranks *ranks, int rank, int slot_count);

/* Each rank brings how it fares; all return the same: STATUS_OK if that is what all brought, else the worst, with its
 * message. A rank that has been asked to stop brings STATUS_INTERRUPTED. (all) */
enum status ranks_agree(struct ranks *ranks, enum status status);

/* STATUS_CONFIG on all ranks unless all have the same bytes. `what` they are, for the message: "weights". (all) */
enum status ranks_compare(struct ranks *ranks, const char *what, const void *data, size_t size);

/* items: one of `size` bytes per slot. Every rank has filled in those of its own slots; afterwards every rank has them
 * all. (all) */
void ranks_share(const struct ranks *ranks, void *items, int slot_count, size_t size);

/* Rank 0's bytes to all. (all) */
void ranks_tell(const struct ranks *ranks, void *data, size_t size);

/* Adds the gradients of all slots, arrays of `total` floats, along the tree. slots[i] of other ranks' slots are not
 * touched and may be NULL; own ones are overwritten. `spare`: room for one more such array, NULL when there is one
 * rank. Returns the sum, the same on every rank: slots[0] on rank 0, `spare` on others. (all) */
float *ranks_sum(const struct ranks *ranks, struct workers *workers, float *const *slots, int slot_count, float *spare,
		 size_t total);

/* Processes that a launcher (mpirun, srun) says it has started together with this one; 1 without a launcher. */
int ranks_launched(void);

#endif
