/* tapcut sweep: many trainings from one file, on any number of processes and machines, and what they found. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/kernels.h"
#include "core/workers.h"
#include "tools/command.h"
#include "train/record/progress.h"
#include "train/sweep/halving.h"
#include "train/sweep/plan.h"
#include "train/sweep/report.h"
#include "train/sweep/run.h"

enum { PATH_SIZE = 1024, SIGNAL_EXIT = 128, SHOWN_TRIALS = 50 };

/* --- command line --------------------------------------------------------- */

enum action { ACTION_RUN, ACTION_REPORT, ACTION_SLURM };
static const char *const action_names[] = {"run", "report", "slurm", NULL};

struct arguments {
	enum action action;
	const char *file, *out_dir, *time;
	int workers, threads, trial;
	bool worker, retry_failed, dry_run, quiet, keys;
};

static const struct option_row operands[] = {
	{"ACTION", OPTION_ENUM, OPTION_FIELD(action), NULL, .help = "what to do", .names = action_names,
	 .needed = true},
	{"FILE", OPTION_TEXT, OPTION_FIELD(file), NULL,
	 .help = "run, slurm: the sweep, a JSON file; report: the sweep's folder"},
	{0},
};

static const struct option_row options[] = {
	{"out", OPTION_FOLDER, OPTION_FIELD(out_dir), "DIR", .help = "folder of the sweep; made if it is not there"},
	{"workers", OPTION_WHOLE, OPTION_FIELD(workers), "N", .help = "trials at a time", .min = 1, .max = 1024,
	 .standard = "1"},
	{"worker", OPTION_FLAG, OPTION_FIELD(worker), NULL,
	 .help = "help with a sweep that may be running already: any number of times, on any machine that shares DIR; "
		 "leaves the report to others"},
	{"trial", OPTION_WHOLE, OPTION_FIELD(trial), "N",
	 .help = "train this trial alone, as far as it may go by now, for job arrays and GNU parallel", .min = 0,
	 .max = SWEEP_MAX_TRIALS - 1, .otherwise = "all"},
	{"threads", OPTION_WHOLE, OPTION_FIELD(threads), "N", .help = "threads of each trial", .min = 1, .max = 1024,
	 .otherwise = "processors divided by workers"},
	{"retry-failed", OPTION_FLAG, OPTION_FIELD(retry_failed), NULL,
	 .help = "try the trials that failed once more; those that diverged would again"},
	{"dry-run", OPTION_FLAG, OPTION_FIELD(dry_run), NULL,
	 .help = "check everything and list the trials, the time and the room they will take"},
	{"time", OPTION_TEXT, OPTION_FIELD(time), "HH:MM:SS", .help = "slurm: time limit of each worker",
	 .standard = "24:00:00"},
	OPTION_ROW_QUIET,
	{"keys", OPTION_FLAG, OPTION_FIELD(keys), NULL,
	 .help = "print every key of a sweep's file with value, default and meaning", .alone = true},
	{0},
};

static void init(void *arguments)
{
	((struct arguments *)arguments)->trial = -1;
}

static enum status check(void *arguments)
{
	struct arguments *a = arguments;
	if (a->worker && (a->workers > 1 || a->trial >= 0))
		return status_fail(STATUS_CONFIG,
				   "--worker trains one trial at a time, whichever is to be done: give it "
				   "without --workers and --trial");
	if (a->action == ACTION_REPORT) {
		if (!a->file)
			a->file = a->out_dir;
		return a->file ? STATUS_OK : status_fail(STATUS_CONFIG, "the sweep's folder is missing");
	}
	if (!a->file && (a->action == ACTION_SLURM || !a->out_dir))
		return status_fail(STATUS_CONFIG, "the sweep's FILE is missing");
	if (!a->out_dir && !a->dry_run)
		return status_fail(STATUS_CONFIG, "--out DIR is missing");
	return STATUS_OK;
}

/* --- dry run -------------------------------------------------------------- */

/* Multiply-adds per second that training makes of one thread here: a share of what the processor can do, measured in
 * the moment. */
static double macs_per_second(void)
{
	const double share = 0.5; /* of the peak; the convolutions alone reach 0.7 */
	float sums[24 * 16] = {0};
	double best = 0;
	for (int i = 0; i < 20; i++) {
		double start = clock_thread_seconds(), flops = kernels()->fma_peak(200000, sums);
		double spent = clock_thread_seconds() - start;
		if (spent > 0 && flops / spent > best)
			best = flops / spent;
	}
	return best / 2 * share;
}

static double samples_of_rung(const struct sweep_plan *plan, const struct sweep_estimate *e, int rung)
{
	if (!plan->rung_count)
		return (double)e->samples;
	return (double)plan->rungs[rung] - (rung ? (double)plan->rungs[rung - 1] : 0);
}

static void print_trial(const struct sweep_plan *plan, int trial, const struct sweep_estimate *e, double speed)
{
	struct text values;
	char time[32];
	text_init(&values);
	space_add_settings(&values, &plan->space, &plan->points[trial]);
	progress_duration(e->macs * (double)e->samples / speed, time, sizeof time);
	printf("%5d  %8.0f k  %7s  %s\n", trial, e->parameters / 1e3, time, values.data ? values.data : "");
	text_release(&values);
}

/* With as many promotions as there will be; which trials go on, nobody knows yet: the average is taken. */
static void print_totals(const struct sweep_plan *plan, const struct sweep_estimate *estimates, double speed,
			 int workers)
{
	double macs = 0, bytes = 0, largest = 0, samples = 0, seconds = 0;
	int at_rung = plan->trials;
	char time[32];
	for (int t = 0; t < plan->known; t++) {
		macs += estimates[t].macs / plan->known;
		bytes += estimates[t].bytes / plan->known;
		largest = estimates[t].bytes > largest ? estimates[t].bytes : largest;
	}
	for (int r = 0; r < (plan->rung_count ? plan->rung_count : 1); r++) {
		double each = samples_of_rung(plan, &estimates[0], r);
		samples += at_rung * plan->seed_count * each;
		if (plan->rung_count > 1)
			printf("rung %d: %d trials x %d seed%s to %llu samples\n", r + 1, at_rung, plan->seed_count,
			       plan->seed_count == 1 ? "" : "s", (unsigned long long)plan->rungs[r]);
		at_rung = halving_promoted(at_rung, plan->reduction_factor);
	}
	seconds = samples * macs / speed;
	progress_duration(seconds, time, sizeof time);
	double kept = plan->keep >= 0 && plan->keep + workers < plan->trials ? plan->keep + workers : plan->trials;
	double rest = plan->trials - kept;
	double disk = plan->seed_count * (kept * bytes + rest * bytes * 0.15);
	printf("%d trials, %d training%s, %.0f samples: about %s with all processors of this machine, "
	       "without validations "
	       "and whatever else runs on it\n",
	       plan->trials, plan->trials * plan->seed_count, plan->trials * plan->seed_count == 1 ? "" : "s", samples,
	       time);
	printf("room: about %.0f MB (%.1f MB for a trial that trains; \"keep\": %s)\n", disk / 1e6, largest / 1e6,
	       plan->keep < 0 ? "all checkpoints stay" : "checkpoints of the others go when they are done");
}

static enum status dry_run(const struct sweep_plan *plan, const struct arguments *a)
{
	struct sweep_estimate *estimates = calloc((size_t)plan->trials, sizeof *estimates);
	if (!estimates)
		return status_fail(STATUS_NO_MEMORY, "no memory for %d trials", plan->trials);
	enum status status = sweep_plan_check(plan, estimates);
	if (status == STATUS_OK) {
		double speed = macs_per_second() * workers_processors();
		printf("%s: %s of %s, %s %s\n\ntrial  parameters     time  values\n", plan->name,
		       sweep_method_names[plan->method], plan->base, plan->maximize ? "maximize" : "minimize",
		       sweep_metric_names[plan->metric]);
		for (int t = 0; t < plan->known && t < SHOWN_TRIALS; t++)
			print_trial(plan, t, &estimates[t], speed);
		if (plan->known > SHOWN_TRIALS)
			printf("  ...  %d more\n", plan->known - SHOWN_TRIALS);
		if (plan->known < plan->trials)
			printf("  ...  %d more, chosen by the results of the rounds before them\n",
			       plan->trials - plan->known);
		printf("\n");
		print_totals(plan, estimates, speed, a->workers);
	}
	free(estimates);
	return status;
}

/* --- run ------------------------------------------------------------------ */

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
	if (stop_signal && number == SIGHUP)
		return;
	if (stop_signal)
		_exit(SIGNAL_EXIT + number); /* the trainers get SIGTERM by that (train/sweep/jobs.h) */
	stop_signal = number;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, before;
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup wants it ignored */
		sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static enum status own_program(char path[PATH_SIZE])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_SIZE - 1);
	if (length <= 0)
		return status_fail(STATUS_IO, "/proc/self/exe cannot be read: no trial can be started");
	path[length] = '\0';
	return STATUS_OK;
}

static enum status write_report(const char *dir, bool quiet)
{
	bool sqlite;
	char verdict[800];
	TRY(sweep_report_write(dir, &sqlite, verdict, sizeof verdict));
	if (quiet)
		return STATUS_OK;
	printf("%s\n%s/report.html, trials.csv, runs.csv%s\n", verdict, dir, sqlite ? ", sweep.sqlite" : "");
	if (!sqlite)
		printf("(no sweep.sqlite: this program was built without SQLite, Debian package libsqlite3-dev)\n");
	return STATUS_OK;
}

static enum status check_trial(const struct sweep_plan *plan, const struct arguments *a)
{
	if (a->trial < plan->trials)
		return STATUS_OK;
	return status_fail(STATUS_CONFIG, "--trial: expected 0 to %d, because the sweep has %d trials, found %d",
			   plan->trials - 1, plan->trials, a->trial);
}

static enum status run_plan(struct sweep_plan *plan, const struct arguments *a)
{
	char program[PATH_SIZE];
	struct sweep_run_options how = {.dir = a->out_dir,
					.program = program,
					.workers = a->workers,
					.threads = a->threads,
					.retry_failed = a->retry_failed,
					.only_trial = a->trial,
					.quiet = a->quiet,
					.stop = &stop_signal};
	TRY(check_trial(plan, a));
	if (a->dry_run)
		return dry_run(plan, a);
	TRY(own_program(program));
	if (a->file) {
		TRY(sweep_plan_check(plan, NULL));
		TRY(sweep_plan_store(plan, a->out_dir));
	}
	catch_signals();
	return sweep_run(plan, &how);
}

/* Whatever becomes of the sweep, what it found so far is shown. */
static enum status run_sweep(const struct arguments *a)
{
	struct sweep_plan plan;
	char message[800];
	TRY(a->file ? sweep_plan_load(&plan, a->file, NULL) : sweep_plan_open(&plan, a->out_dir));
	enum status status = run_plan(&plan, a);
	sweep_plan_release(&plan);
	snprintf(message, sizeof message, "%s", status_message());
	bool ended = status == STATUS_OK || status == STATUS_INTERRUPTED;
	if (!a->dry_run && !a->worker && a->trial < 0 && ended) {
		enum status written = write_report(a->out_dir, a->quiet);
		if (status == STATUS_OK)
			return written;
	}
	return status == STATUS_OK ? status : status_fail(status, "%s", message);
}

/* --- slurm ---------------------------------------------------------------- */

/* For a shell, in quotes. */
static void print_quoted(const char *text)
{
	putchar('\'');
	for (; *text; text++)
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	putchar('\'');
}

static enum status print_slurm(const struct arguments *a)
{
	struct sweep_plan plan;
	char program[PATH_SIZE], folder[PATH_SIZE];
	TRY(own_program(program));
	if (!getcwd(folder, sizeof folder))
		return status_fail(STATUS_IO, "the current folder cannot be told");
	TRY(sweep_plan_load(&plan, a->file, NULL));
	enum status status = sweep_plan_check(&plan, NULL);
	if (status == STATUS_OK) {
		printf("#!/bin/bash\n"
		       "# A sweep of %d trials by an array of workers: each takes what is to be done until nothing "
		       "is left.\n"
		       "# Submit it again whenever workers were lost or ran out of time, or to add more: what is "
		       "done stays\n"
		       "# done. Afterwards: tapcut sweep report DIR\n"
		       "#SBATCH --job-name=%.40s --array=1-%d --ntasks=1 --cpus-per-task=%d --time=%s\n"
		       "#SBATCH --signal=B:TERM@60 --requeue --open-mode=append --output=%%x-%%a.txt\n"
		       "cd ",
		       plan.trials, plan.name, a->workers, a->threads ? a->threads : 1, a->time);
		print_quoted(folder);
		printf(" || exit 1\nexec ");
		print_quoted(program);
		printf(" sweep run ");
		print_quoted(a->file);
		printf(" --out ");
		print_quoted(a->out_dir);
		printf(" --worker --threads \"${SLURM_CPUS_PER_TASK:-1}\"\n");
	}
	sweep_plan_release(&plan);
	return status;
}

/* --- main ----------------------------------------------------------------- */

static int run(void *arguments)
{
	const struct arguments *a = arguments;
	enum status status = STATUS_OK;
	if (a->keys) {
		sweep_plan_print_keys(stdout);
		return 0;
	}
	switch (a->action) {
	case ACTION_RUN: status = run_sweep(a); break;
	case ACTION_REPORT: status = write_report(a->file, a->quiet); break;
	case ACTION_SLURM: status = print_slurm(a); break;
	}
	int code = command_end("sweep", status);
	return status == STATUS_INTERRUPTED && stop_signal ? SIGNAL_EXIT + stop_signal : code;
}

const struct command command_sweep = {
	.name = "sweep",
	.summary = "train many variations from one file and compare them",
	.usage = "run FILE.json --out DIR [OPTIONS]\n"
		 "run --out DIR [OPTIONS]     (goes on with DIR/sweep.json)\n"
		 "report DIR\n"
		 "slurm FILE.json --out DIR [OPTIONS]\n"
		 "--keys",
	.about = "Trains the variations of a config that a file describes, and reports which is best: report.html, "
		 "trials.csv, "
		 "runs.csv and sweep.sqlite in DIR. The same command again, after whatever accident, does what is "
		 "missing; "
		 "trials have the same values, and the same bytes come out, with any number of workers. A folder is "
		 "all that "
		 "workers share. docs/sweeps.md describes it.\n"
		 "slurm prints a batch script with --workers workers of --threads threads.",
	.options = options,
	.operands = operands,
	.notes = "Ctrl-C, SIGTERM, SIGUSR1 or a lost terminal (SIGHUP): running trials are saved and the sweep ends; "
		 "a second "
		 "one ends it at once.\n"
		 "Exit code: 0 nothing is left to do, 1 the sweep cannot go on (a message says why), 2 wrong usage, "
		 "128 and "
		 "the signal's number where one stopped it.",
	.examples = "tapcut sweep run configs/sweep-scenes.json --out runs/sweep --workers 2\n"
		    "tapcut sweep run configs/sweep-scenes.json --dry-run\n"
		    "tapcut sweep run configs/sweep-scenes.json --out runs/sweep --worker     (once more, elsewhere)\n"
		    "seq 0 23 | parallel tapcut sweep run configs/sweep-scenes.json --out runs/sweep --trial {}\n"
		    "tapcut sweep slurm configs/sweep-scenes.json --out runs/sweep --workers 8 --threads 4 | sbatch",
	.size = sizeof(struct arguments),
	.init = init,
	.check = check,
	.run = run,
};
