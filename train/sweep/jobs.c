/* See jobs.h. */
#define _DEFAULT_SOURCE /* prctl's constants */
#include "train/sweep/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/clock.h"
#include "core/folder.h"
#include "train/config/config_file.h"
#include "train/record/run_summary.h"

enum { SUMMARY_BYTES = 10 * 1000 * 1000, TAIL = 4096, ARGUMENT = 32 };

/* --- the end of a rung ---------------------------------------------------- */

/* A metric that is not there would never be: nothing can be decided by it. */
static enum status check_metric(const struct sweep_state *state, const char *path, const struct rung_result *result)
{
	int metric = state->plan->metric;
	if (isfinite(result->metrics[metric]))
		return STATUS_OK;
	return status_fail(STATUS_CONFIG,
			   "%s: metrics.%s: expected a number, by which the sweep compares its trials; found none",
			   path, sweep_metric_names[metric]);
}

static enum status put_down(const struct sweep_state *state, struct sweep_unit *unit, int rung)
{
	char from[SWEEP_PATH], to[SWEEP_PATH], name[32], *data;
	struct rung_result result;
	size_t size;
	snprintf(name, sizeof name, "rung-%d.json", rung + 1);
	sweep_unit_path(state, unit, "summary.json", from);
	sweep_unit_path(state, unit, name, to);
	TRY(sweep_result_read(from, &result));
	TRY(check_metric(state, from, &result));
	TRY(file_read(from, SUMMARY_BYTES, &data, &size));
	enum status status = atomic_file_write(to, &(struct file_part){data, size}, 1);
	free(data);
	TRY(status);
	unit->results[rung] = result;
	unit->rungs = rung + 1;
	return STATUS_OK;
}

/* Is the rung done, as far as the summary says? The validation of its last step is part of it. */
static bool is_done(const struct sweep_state *state, const struct sweep_unit *unit, uint64_t target)
{
	struct run_summary summary;
	char dir[SWEEP_PATH];
	sweep_unit_path(state, unit, NULL, dir);
	if (run_summary_read(&summary, dir) != STATUS_OK)
		return false;
	bool ended = summary.state == RUN_FINISHED ||
		     (summary.state == RUN_STOPPED && summary.step == target && summary.metrics.step == target);
	bool done = ended && summary.has_metrics && summary.result.sha256[0];
	run_summary_release(&summary);
	return done;
}

/* --- start ---------------------------------------------------------------- */

/* The config with every key, before the trainer starts: it is the trial, whatever happens next. */
static enum status write_config(const struct sweep_state *state, const struct sweep_unit *unit, struct config *config)
{
	char path[SWEEP_PATH], name[64];
	const struct sweep_plan *plan = state->plan;
	TRY(sweep_plan_config(plan, &plan->points[unit->trial], unit->seed_index, config));
	sweep_unit_name(state, unit, name, sizeof name);
	snprintf(config->name, sizeof config->name, "%.30s %.30s", plan->name, name);
	sweep_unit_path(state, unit, "config.json", path);
	if (access(path, F_OK) == 0)
		return STATUS_OK;
	char *json = config_to_json(config);
	if (!json)
		return status_fail(STATUS_NO_MEMORY, "no memory for the config");
	enum status status = atomic_file_write(path, &(struct file_part){json, strlen(json)}, 1);
	free(json);
	return status;
}

/* In the child. It is a process group of its own: Ctrl-C reaches the worker alone, which then asks once. */
static void exec_train(const char *program, const char *dir, const char *output, uint64_t until, int threads,
		       pid_t parent)
{
	char until_text[ARGUMENT], threads_text[ARGUMENT];
	snprintf(until_text, sizeof until_text, "%llu", (unsigned long long)until);
	snprintf(threads_text, sizeof threads_text, "%d", threads);
	const char *arguments[] = {program,        "train",    "--out",     dir,          "--resume", "auto",
				   "--until-step", until_text, "--threads", threads_text, "--quiet",  NULL};
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(128 + SIGTERM);
	int in = open("/dev/null", O_RDONLY), out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0666);
	if (in >= 0 && out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2) {
		close(in);
		close(out);
		execv(program, (char *const *)arguments);
		dprintf(2, "tapcut sweep: %s cannot be started: %s\n", program, strerror(errno));
	}
	_exit(1);
}

static enum status spawn(struct sweep_job *job, const struct sweep_state *state, const char *program, int threads)
{
	char dir[SWEEP_PATH], output[SWEEP_PATH];
	pid_t parent = getpid();
	sweep_unit_path(state, job->unit, NULL, dir);
	sweep_unit_path(state, job->unit, "output.txt", output);
	job->started = clock_seconds();
	job->pid = fork();
	if (job->pid < 0)
		return status_fail(STATUS_NO_MEMORY, "a training cannot be started: %s", strerror(errno));
	if (job->pid == 0)
		exec_train(program, dir, output, job->target, threads, parent);
	return STATUS_OK;
}

static enum status claim(struct sweep_job *job, const struct sweep_state *state, const struct sweep_unit *unit,
			 bool *mine)
{
	char path[SWEEP_PATH];
	bool held;
	*mine = false;
	sweep_unit_path(state, unit, ".claim", path);
	TRY(folder_make(path));
	TRY(run_lock_probe(path, &held, NULL));
	if (held)
		return STATUS_OK;
	enum status status = run_lock_take(&job->claim, path, RUN_LOCK_BEST);
	*mine = status == STATUS_OK;
	return status == STATUS_CONFIG ? STATUS_OK : status; /* STATUS_CONFIG: another one was faster */
}

/* With the claim held. */
static enum status begin(struct sweep_job *job, const struct sweep_state *state, const char *program, int threads,
			 bool *started)
{
	struct config config;
	char path[SWEEP_PATH], name[32];
	struct sweep_unit *unit = job->unit;
	snprintf(name, sizeof name, "rung-%d.json", job->rung + 1);
	sweep_unit_path(state, unit, name, path);
	if (access(path, F_OK) == 0)
		return STATUS_OK;
	TRY(write_config(state, unit, &config));
	job->target = sweep_plan_rung_step(state->plan, &config, job->rung);
	job->batch_size = config.train.batch_size;
	if (is_done(state, unit, job->target))
		return put_down(state, unit, job->rung);
	TRY(spawn(job, state, program, threads));
	*started = true;
	return STATUS_OK;
}

enum status sweep_job_start(struct sweep_job *job, const struct sweep_state *state, struct sweep_unit *unit,
			    const char *program, int threads, bool *started)
{
	bool mine;
	*job = (struct sweep_job){.unit = unit,
				  .claim = {.file = -1},
				  .rung = unit->rungs,
				  .start = unit->step,
				  .step = unit->step,
				  .iou = NAN,
				  .loss = NAN};
	*started = false;
	TRY(claim(job, state, unit, &mine));
	if (!mine)
		return STATUS_OK;
	enum status status = begin(job, state, program, threads, started);
	if (!*started)
		run_lock_release(&job->claim);
	return status;
}

/* --- end ------------------------------------------------------------------ */

static size_t read_tail(const char *path, char text[TAIL + 1])
{
	FILE *file = fopen(path, "rb");
	size_t count = 0;
	text[0] = '\0';
	if (!file)
		return 0;
	if (fseek(file, -TAIL, SEEK_END) != 0)
		rewind(file);
	count = fread(text, 1, TAIL, file);
	fclose(file);
	text[count] = '\0';
	return count;
}

/* What the trainer said last. */
static void last_words(const struct sweep_state *state, const struct sweep_unit *unit, char *why, size_t size)
{
	char path[SWEEP_PATH], text[TAIL + 1];
	sweep_unit_path(state, unit, "output.txt", path);
	size_t length = read_tail(path, text);
	while (length && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		text[--length] = '\0';
	const char *newline = strrchr(text, '\n');
	snprintf(why, size, "%s", newline ? newline + 1 : text[0] ? text : "it said nothing");
}

/* A trainer that could not say by itself how it ended. */
enum status sweep_job_give_up(const struct sweep_state *state, const struct sweep_unit *unit, const char *why)
{
	struct run_summary summary;
	char dir[SWEEP_PATH];
	sweep_unit_path(state, unit, NULL, dir);
	if (run_summary_read(&summary, dir) != STATUS_OK)
		run_summary_init(&summary);
	summary.state = RUN_FAILED;
	snprintf(summary.why, sizeof summary.why, "%s", why);
	enum status status = run_summary_write(&summary, dir);
	run_summary_release(&summary);
	return status;
}

static enum status want_of_room(const struct sweep_state *state, const struct sweep_unit *unit, const char *why)
{
	char name[64];
	sweep_unit_name(state, unit, name, sizeof name);
	return status_fail(STATUS_IO, "%s: %s. Nothing is lost: make room and give the same command again", name, why);
}

static bool is_full(const char *why)
{
	return strstr(why, strerror(ENOSPC)) || strstr(why, strerror(EDQUOT));
}

/* What its summary says of this very process; false: nothing. */
static bool read_own_end(const struct sweep_job *job, const struct sweep_state *state, enum sweep_job_end *end,
			 char *why, size_t size)
{
	struct run_summary summary;
	char dir[SWEEP_PATH];
	sweep_unit_path(state, job->unit, NULL, dir);
	if (run_summary_read(&summary, dir) != STATUS_OK)
		return false;
	bool own = summary.pid == (long)job->pid && (summary.state == RUN_DIVERGED || summary.state == RUN_FAILED);
	if (own) {
		*end = summary.state == RUN_DIVERGED ? JOB_DIVERGED : JOB_FAILED;
		snprintf(why, size, "%s", summary.why);
	}
	run_summary_release(&summary);
	return own;
}

static enum status judge_failure(struct sweep_job *job, const struct sweep_state *state, int status,
				 enum sweep_job_end *end, char *why, size_t size)
{
	char dir[SWEEP_PATH];
	bool held = false;
	sweep_unit_path(state, job->unit, NULL, dir);
	if (!read_own_end(job, state, end, why, size)) {
		last_words(state, job->unit, why, size);
		if (is_full(why))
			return want_of_room(state, job->unit, why);
		bool stopped = WIFSIGNALED(status) || WEXITSTATUS(status) >= 128;
		if (stopped && (!WIFSIGNALED(status) || WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM)) {
			*end = JOB_STOPPED;
			snprintf(why, size, "stopped by signal %d",
				 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128);
			return STATUS_OK;
		}
		TRY(run_lock_probe(dir, &held, NULL));
		*end = held ? JOB_TAKEN : JOB_FAILED;
		if (WIFSIGNALED(status))
			snprintf(why, size, "it crashed with signal %d (%s)", WTERMSIG(status),
				 strsignal(WTERMSIG(status)));
		return held ? STATUS_OK : sweep_job_give_up(state, job->unit, why);
	}
	return is_full(why) ? want_of_room(state, job->unit, why) : STATUS_OK;
}

enum status sweep_job_poll(struct sweep_job *job, const struct sweep_state *state, enum sweep_job_end *end, char *why,
			   size_t size)
{
	int status;
	*end = JOB_RUNS;
	why[0] = '\0';
	pid_t pid = waitpid(job->pid, &status, WNOHANG);
	if (pid == 0 || (pid < 0 && errno == EINTR))
		return STATUS_OK;
	enum status result = STATUS_OK;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		*end = JOB_DONE;
		result = put_down(state, job->unit, job->rung);
	} else {
		*end = JOB_FAILED;
		result = judge_failure(job, state, pid > 0 ? status : 1 << 8, end, why, size);
	}
	run_lock_release(&job->claim);
	job->pid = 0;
	return result;
}

/* --- on the way ----------------------------------------------------------- */

static double number_after(const char *line, const char *key)
{
	const char *at = strstr(line, key);
	char *end;
	if (!at)
		return NAN;
	double number = strtod(at + strlen(key), &end);
	return end == at + strlen(key) ? NAN : number;
}

void sweep_job_look(struct sweep_job *job, const struct sweep_state *state)
{
	char path[SWEEP_PATH], text[TAIL + 1];
	sweep_unit_path(state, job->unit, "log.jsonl", path);
	size_t length = read_tail(path, text);
	for (size_t i = length; i-- > 0;) {
		static const char step[] = "{\"event\":\"step\",\"step\":";
		if (text[i] != '{' || strncmp(text + i, step, sizeof step - 1) != 0)
			continue;
		double at = number_after(text + i, ",\"step\":");
		if (at > (double)job->step)
			job->step = (uint64_t)at;
		job->iou = number_after(text + i, "\"iou\":");
		job->loss = number_after(text + i, "\"loss\":");
		return;
	}
}
