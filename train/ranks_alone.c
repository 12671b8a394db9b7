/* See ranks.h: a build without MPI. One process, which is all the ranks there are. */
#include "train/ranks.h"

enum status ranks_start(struct ranks *ranks, double answer_seconds)
{
	(void)answer_seconds;
	*ranks = (struct ranks){.count = 1, .machine_ranks = 1};
	if (ranks_launched() > 1)
		return status_fail(STATUS_CONFIG,
				   "a launcher started %d or more processes of a tapcut built without MPI: each would "
				   "train the whole run into the same folder. Build with `make MPI=1` and launch "
				   "build/mpi/tapcut, or start one process",
				   ranks_launched());
	return STATUS_OK;
}

void ranks_watch(struct ranks *ranks, const char *checkpoint)
{
	(void)ranks;
	(void)checkpoint;
}

void ranks_stop(struct ranks *ranks, enum status status)
{
	(void)ranks;
	(void)status;
}
