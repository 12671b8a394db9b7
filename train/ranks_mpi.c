/* See ranks.h: ranks that are processes of an MPI job. The only file that knows MPI, and of MPI only how to bring bytes
 * from one process to another. It stands in the place of ranks_alone.c (make MPI=1). */
#include "train/ranks.h"

#include <errno.h>
#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "train/run_state.h"

enum { CHUNK = 1 << 30, TAG = 1, EAGER_POLLS = 2000, PATH_SIZE = 1024, MOST_GAP = 5 };

/* --- when a rank is gone -------------------------------------------------- */

static void sleep_ms(double ms)
{
	nanosleep(&(struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms * 1e6) % 1000000000}, NULL);
}

/* Where a process lives, and its number there: whether it is alive can be asked on its own machine only, and not from
 * another container. */
struct home {
	char boot[40]; /* differs between machines, and between two starts of one */
	uint64_t pid_namespace;
	int64_t pid;
};

/* MPI is one per process, so this is too. */
static struct {
	int rank, count;
	struct home *homes; /* one per rank */
	pthread_t thread;
	atomic_bool quit;
	double answer_seconds; /* how long another rank may be waited for; 0: for ever */
	atomic_flag told;
	pthread_mutex_t mutex; /* over the path */
	char checkpoint[PATH_SIZE];
} guard = {.told = ATOMIC_FLAG_INIT, .mutex = PTHREAD_MUTEX_INITIALIZER};

static void find_home(struct home *home)
{
	struct stat space;
	memset(home, 0, sizeof *home);
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
	if (file) {
		if (!fgets(home->boot, sizeof home->boot, file))
			home->boot[0] = '\0';
		fclose(file);
	}
	home->pid_namespace = stat("/proc/self/ns/pid", &space) == 0 ? (uint64_t)space.st_ino : 0;
	home->pid = getpid();
}

static bool is_neighbour(int rank)
{
	const struct home *own = &guard.homes[guard.rank], *other = &guard.homes[rank];
	return own->boot[0] && !strcmp(own->boot, other->boot) && own->pid_namespace == other->pid_namespace;
}

static bool is_alive(int rank)
{
	return kill((pid_t)guard.homes[rank].pid, 0) == 0 || errno != ESRCH;
}

/* The lowest neighbour that is gone (`alive` false) or still there; -1: none. */
static int find_neighbour(bool alive)
{
	for (int rank = 0; rank < guard.count; rank++)
		if (is_neighbour(rank) && is_alive(rank) == alive)
			return rank;
	return -1;
}

static void tell_checkpoint(void)
{
	uint64_t step;
	pthread_mutex_lock(&guard.mutex);
	if (!guard.checkpoint[0] || access(guard.checkpoint, F_OK) != 0)
		fprintf(stderr, "tapcut train: there is no checkpoint yet\n");
	else if (run_state_step(guard.checkpoint, &step))
		fprintf(stderr, "tapcut train: %s\n", status_message());
	else
		fprintf(stderr,
			"tapcut train: last good checkpoint: %s, after step %llu; --resume auto goes on from there\n",
			guard.checkpoint, (unsigned long long)step);
	pthread_mutex_unlock(&guard.mutex);
}

/* One of those that are left speaks, the others leave it the time to. */
static void end_without(int lost)
{
	if (find_neighbour(true) != guard.rank || atomic_flag_test_and_set(&guard.told)) {
		sleep_ms(3000);
	} else {
		fprintf(stderr, "tapcut train: rank %d of %d (process %lld) is gone, so the others stop\n", lost,
			guard.count, (long long)guard.homes[lost].pid);
		tell_checkpoint();
	}
	_exit(1);
}

/* The launcher kills the rest of a job that lost a process, but cannot say what of the run is left. */
static void *guard_main(void *unused)
{
	(void)unused;
	while (!atomic_load(&guard.quit)) {
		int lost = find_neighbour(false);
		if (lost >= 0)
			end_without(lost);
		sleep_ms(50);
	}
	return NULL;
}

/* Whether that neighbour was stopped (kill -STOP, a debugger): state T of proc(5). */
static bool is_stopped(int rank)
{
	char path[64], state = 0;
	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)guard.homes[rank].pid);
	FILE *file = fopen(path, "r");
	if (file) {
		if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
			state = 0;
		fclose(file);
	}
	return state == 'T' || state == 't';
}

/* Another rank has not answered. It may itself wait for the one that is to blame, which is named if it can be seen. */
static void end_waiting(int other)
{
	bool told = atomic_flag_test_and_set(&guard.told);
	if (told)
		sleep_ms(3000); /* who tells it shall come to the end of it */
	else
		fprintf(stderr,
			"tapcut train: rank %d of %d has waited %g s for an answer of rank %d, so the job ends\n",
			guard.rank, guard.count, guard.answer_seconds, other);
	for (int rank = 0; rank < guard.count && !told; rank++)
		if (rank != guard.rank && is_neighbour(rank) && is_stopped(rank))
			fprintf(stderr,
				"tapcut train: rank %d of %d (process %lld) is stopped; kill -CONT lets it go on\n",
				rank, guard.count, (long long)guard.homes[rank].pid);
	if (!told)
		tell_checkpoint();
	MPI_Abort(MPI_COMM_WORLD, 1);
}

static void on_mpi_error(MPI_Comm *communicator, int *code, ...)
{
	char text[MPI_MAX_ERROR_STRING + 1] = "";
	int length;
	(void)communicator;
	MPI_Error_string(*code, text, &length);
	if (!atomic_flag_test_and_set(&guard.told)) {
		fprintf(stderr, "tapcut train: rank %d of %d: another rank cannot be reached: %s\n", guard.rank,
			guard.count, text);
		tell_checkpoint();
	}
	MPI_Abort(MPI_COMM_WORLD, 1);
}

static enum status start_guard(struct ranks *ranks)
{
	struct home own;
	sigset_t all, before;
	find_home(&own);
	guard.rank = ranks->rank;
	guard.count = ranks->count;
	guard.homes = calloc((size_t)ranks->count, sizeof *guard.homes);
	if (!guard.homes)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d ranks", ranks->count);
	MPI_Allgather(&own, sizeof own, MPI_BYTE, guard.homes, sizeof own, MPI_BYTE, MPI_COMM_WORLD);
	ranks->machine_ranks = 0;
	for (int rank = 0; rank < ranks->count; rank++)
		ranks->machine_ranks += rank == ranks->rank || !strcmp(own.boot, guard.homes[rank].boot);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&guard.thread, NULL, guard_main, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error ? status_fail(STATUS_NO_MEMORY, "cannot start a thread: %s", strerror(error)) : STATUS_OK;
}

/* --- bytes from one rank to another --------------------------------------- */

/* MPI waits by spinning. Here a rank may wait long, while rank 0 validates or a slower rank computes, and others on its
 * machine have work for the processor. */
static void pause_between_polls(int polls)
{
	if (polls < EAGER_POLLS)
		sched_yield();
	else
		sleep_ms(0.1);
}

/* A wait for one rank. */
struct wait {
	int polls;
	double waited, last; /* seconds */
};

/* Once per poll. A gap between two polls is a time in which this process did not run (it was stopped, or the machine
 * slept): it does not count. */
static void wait_more(struct wait *wait, int other)
{
	pause_between_polls(wait->polls++);
	if (wait->polls < EAGER_POLLS)
		return;
	double now = clock_seconds(), gap = now - wait->last;
	wait->waited += wait->last > 0 && gap < MOST_GAP ? gap : 0;
	wait->last = now;
	if (guard.answer_seconds > 0 && wait->waited > guard.answer_seconds)
		end_waiting(other);
}

/* Errors do not come back: on_mpi_error ends the process. */
static void mpi_send(const struct ranks *ranks, int to, const void *data, size_t size)
{
	(void)ranks;
	for (size_t done = 0; done < size;) {
		int part = size - done < CHUNK ? (int)(size - done) : CHUNK, sent = 0;
		MPI_Request request;
		MPI_Isend((const char *)data + done, part, MPI_BYTE, to, TAG, MPI_COMM_WORLD, &request);
		for (struct wait wait = {0}; !sent;) {
			MPI_Test(&request, &sent, MPI_STATUS_IGNORE);
			if (!sent)
				wait_more(&wait, to);
		}
		done += (size_t)part;
	}
}

static void mpi_receive(const struct ranks *ranks, int from, void *data, size_t size)
{
	(void)ranks;
	for (size_t done = 0; done < size;) {
		int part = size - done < CHUNK ? (int)(size - done) : CHUNK, there = 0;
		MPI_Message message;
		for (struct wait wait = {0}; !there;) {
			MPI_Improbe(from, TAG, MPI_COMM_WORLD, &there, &message, MPI_STATUS_IGNORE);
			if (!there)
				wait_more(&wait, from);
		}
		MPI_Mrecv((char *)data + done, part, MPI_BYTE, &message, MPI_STATUS_IGNORE);
		done += (size_t)part;
	}
}

/* --- start and end -------------------------------------------------------- */

enum status ranks_start(struct ranks *ranks, double answer_seconds)
{
	int threads;
	MPI_Errhandler handler;
	*ranks = (struct ranks){.count = 1, .machine_ranks = 1, .send = mpi_send, .receive = mpi_receive};
	MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &threads);
	MPI_Comm_create_errhandler(on_mpi_error, &handler);
	MPI_Comm_set_errhandler(MPI_COMM_WORLD, handler);
	guard.answer_seconds = answer_seconds;
	MPI_Comm_rank(MPI_COMM_WORLD, &ranks->rank);
	MPI_Comm_size(MPI_COMM_WORLD, &ranks->count);
	if (ranks->count < ranks_launched())
		return status_fail(STATUS_CONFIG,
				   "the launcher started %d or more processes, but MPI sees %d: each would train the "
				   "whole run into the same folder. Use mpirun of the MPI that tapcut was built with, "
				   "or "
				   "`srun --mpi=pmix`",
				   ranks_launched(), ranks->count);
	if (threads < MPI_THREAD_FUNNELED)
		return status_fail(STATUS_CONFIG, "this MPI cannot be used by a program that has threads");
	return ranks->count > 1 ? start_guard(ranks) : STATUS_OK;
}

void ranks_watch(struct ranks *ranks, const char *checkpoint)
{
	(void)ranks;
	pthread_mutex_lock(&guard.mutex);
	snprintf(guard.checkpoint, sizeof guard.checkpoint, "%s", checkpoint);
	pthread_mutex_unlock(&guard.mutex);
}

/* Nobody leaves before everybody's guard has stopped, or it would take the leaving for a loss. */
void ranks_stop(struct ranks *ranks, enum status status)
{
	bool known = status == STATUS_OK || status == ranks->agreed;
	fflush(NULL);
	if (ranks->count > 1 && !known)
		MPI_Abort(MPI_COMM_WORLD, 1);
	if (ranks->count > 1) {
		ranks_agree(ranks, STATUS_OK); /* waits without spinning while rank 0 writes the last files */
		atomic_store(&guard.quit, true);
		pthread_join(guard.thread, NULL);
		MPI_Barrier(MPI_COMM_WORLD);
		free(guard.homes);
	}
	MPI_Finalize();
}
