/* tapcut train: a config in, a folder with weights, checkpoints, log and report out. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "core/folder.h"
#include "tools/command.h"
#include "tools/overrides.h"
#include "tools/streams.h"
#include "train/config/config_file.h"
#include "train/ranks.h"
#include "train/record/progress.h"
#include "train/record/run_lock.h"
#include "train/record/run_record.h"
#include "train/trainer.h"

enum { PATH_SIZE = 1024, SIGNAL_EXIT = 128, MOST_SUMMARY = 1 << 24 };

/* --- command line --------------------------------------------------------- */

struct arguments {
	const char *config, *out_dir;
	struct overrides overrides;
	char own_config[PATH_SIZE]; /* DIR/config.json */
	int threads, until_step, rank_timeout;
	const char *resume;
	bool force, json, quiet, keys, dry_run;
	struct train_estimate estimate; /* of --dry-run */
};

static const char *const resume_names[] = {"auto", NULL};

static const struct option_row operand_rows[] = {
	{"CONFIG.json", OPTION_FILE, OPTION_FIELD(config), NULL, .help = "what is trained"},
	{0},
};

static const struct option_row option_rows[] = {
	{"config", OPTION_FILE, OPTION_FIELD(config), "FILE", .help = "the same as CONFIG.json"},
	{"out", OPTION_FOLDER, OPTION_FIELD(out_dir), "DIR", .help = "folder of the run; made if it is not there",
	 .needed = true},
	{"set", OPTION_CALL, OPTION_FIELD(overrides), "KEY=VALUE",
	 .help = "another value for a key of the config, the last one counts", .take = overrides_take_set,
	 .many = true},
	{"seed", OPTION_CALL, OPTION_FIELD(overrides), "N", .help = "the same as --set seed=N",
	 .take = overrides_take_key, .key = "seed"},
	{"steps", OPTION_CALL, OPTION_FIELD(overrides), "N", .help = "the same as --set train.steps=N",
	 .take = overrides_take_key, .key = "train.steps"},
	{"threads", OPTION_WHOLE, OPTION_FIELD(threads), "N", .help = "threads that compute, in each rank", .min = 1,
	 .max = 1024, .otherwise = "all processors"},
	{"resume", OPTION_CHOICE, OPTION_FIELD(resume), "auto",
	 .help = "go on from DIR/last.ckpt if it is there, else begin", .names = resume_names},
	{"until-step", OPTION_WHOLE, OPTION_FIELD(until_step), "N",
	 .help = "stop after step N of the run, with a checkpoint and a validation; --resume auto goes on, to the "
		 "same bytes as if it had not stopped",
	 .min = 1, .max = 1000000000},
	{"rank-timeout", OPTION_WHOLE, OPTION_FIELD(rank_timeout), "N",
	 .help = "with several ranks: one that does not answer for N seconds ends the job; more than a validation "
		 "takes, because the others wait for it; 0: never",
	 .max = 10000000, .unit = "seconds", .standard = "3600"},
	{"force", OPTION_FLAG, OPTION_FIELD(force), NULL,
	 .help = "begin anew in a folder that holds a run: its files are deleted"},
	{"json", OPTION_FLAG, OPTION_FIELD(json), NULL,
	 .help = "DIR/summary.json on standard output at the end, whatever the end, and nothing else there"},
	OPTION_ROW_QUIET,
	{"dry-run", OPTION_FLAG, OPTION_FIELD(dry_run), NULL,
	 .help = "train nothing and write nothing: what would be trained, on how many objects, for how long, with how "
		 "much memory and disk, measured on a few steps"},
	{"keys", OPTION_FLAG, OPTION_FIELD(keys), NULL,
	 .help = "print every config key with type, default, unit and meaning", .alone = true},
	{0},
};

static enum status check(void *arguments)
{
	struct arguments *a = arguments;
	if (a->force && a->resume)
		return status_fail(STATUS_CONFIG, "--force begins anew and --resume goes on: give one of them");
	if (snprintf(a->own_config, sizeof a->own_config, "%s/config.json", a->out_dir) >= (int)sizeof a->own_config)
		return status_fail(STATUS_CONFIG, "--out: the path is too long");
	if (!a->config && a->resume && access(a->own_config, R_OK) == 0)
		a->config = a->own_config;
	return a->config ? STATUS_OK : status_fail(STATUS_CONFIG, "CONFIG.json is missing");
}

/* --- the run's folder ----------------------------------------------------- */

/* summary.json, the first, is there also after a run that failed before it left anything: it alone is no run. */
static const char *const run_files[] = {"summary.json", "config.json",  "manifest.json", "photos.csv",
					"log.jsonl",    "log.csv",      "val.csv",       "last.ckpt",
					"best.ckpt",    "final.tapcut", "report.html",   "events.out.tfevents.tapcut"};
enum { RUN_FILE_COUNT = sizeof run_files / sizeof run_files[0] };

static enum status run_file_path(const char *dir, const char *name, char *path)
{
	if (snprintf(path, PATH_SIZE, "%s/%s", dir, name) >= PATH_SIZE)
		return status_fail(STATUS_LIMIT, "%.60s...: the path is too long", dir);
	return STATUS_OK;
}

static bool is_kept_checkpoint(const char *name)
{
	int end = 0;
	return sscanf(name, "step-%*20[0-9].ckpt%n", &end) == 0 && end && !name[end];
}

/* The checkpoints of train.keep_every. */
static enum status clear_kept(const char *dir)
{
	DIR *folder = opendir(dir);
	if (!folder)
		return status_fail(STATUS_IO, "%s cannot be listed: %s", dir, strerror(errno));
	enum status status = STATUS_OK;
	for (struct dirent *entry; !status && (entry = readdir(folder));) {
		char path[PATH_SIZE];
		if (!is_kept_checkpoint(entry->d_name))
			continue;
		status = run_file_path(dir, entry->d_name, path);
		if (!status && unlink(path) != 0)
			status = status_fail(STATUS_IO, "%s cannot be deleted: %s", path, strerror(errno));
	}
	closedir(folder);
	return status;
}

/* With --force the old run goes first: were its last.ckpt still there, a later --resume would go on with the wrong
 * run. */
static enum status clear_run(const struct arguments *a)
{
	for (int i = RUN_FILE_COUNT - 1; i >= 0; i--) {
		char path[PATH_SIZE];
		TRY(run_file_path(a->out_dir, run_files[i], path));
		if (access(path, F_OK) != 0)
			continue;
		if (!a->force && i > 0)
			return status_fail(STATUS_CONFIG,
					   "%s is there: --resume auto goes on with that run, --force deletes it",
					   path);
		if (unlink(path) != 0)
			return status_fail(STATUS_IO, "%s cannot be deleted: %s", path, strerror(errno));
	}
	return a->force ? clear_kept(a->out_dir) : STATUS_OK;
}

/* --- signals -------------------------------------------------------------- */

static volatile sig_atomic_t stop_signal;

/* Sets a flag only: what saves the run is not allowed in a signal handler. */
static void on_signal(int number)
{
	if (stop_signal && number == SIGHUP)
		return; /* a service manager sends it after SIGTERM; nobody means "at once" by it */
	if (stop_signal)
		_exit(SIGNAL_EXIT + number);
	stop_signal = number;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL); /* mpirun passes it on; after SIGTERM it kills within a second or two */
	struct sigaction before;
	if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) /* nohup wants it ignored */
		sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* a terminal or a `tee` that is gone is no reason to lose the run */
}

/* --- main ----------------------------------------------------------------- */

/* The lock comes first: the files of a run that is under way are not this one's to delete. */
static enum status prepare_folder(const struct arguments *a, struct run_lock *lock)
{
	TRY(folder_make(a->out_dir));
	TRY(run_lock_take(lock, a->out_dir, RUN_LOCK_BEST));
	return a->resume ? STATUS_OK : clear_run(a);
}

/* A config that is refused is told in the summary too, where the folder is there and holds no run: who started this one
 * unseen (a sweep, a batch system) looks there. Returns `status` with its message. */
static enum status tell_refusal(const struct arguments *a, struct run_lock *lock, enum status status)
{
	struct run_record record;
	char message[512], path[PATH_SIZE];
	snprintf(message, sizeof message, "%s", status_message());
	bool empty = access(a->out_dir, W_OK) == 0 && run_file_path(a->out_dir, "config.json", path) == STATUS_OK &&
		     access(path, F_OK) != 0;
	if (empty && run_lock_take(lock, a->out_dir, RUN_LOCK_BEST) == STATUS_OK &&
	    run_record_begin(&record, a->out_dir, false) == STATUS_OK)
		run_record_end(&record, STATUS_OK, false, RUN_FAILED, message);
	return status_fail(status, "%s", message);
}

static enum status prepare(const struct arguments *a, const struct ranks *ranks, struct config *config,
			   struct run_lock *lock)
{
	enum status status = config_load(config, a->config, a->overrides.items, a->overrides.count);
	if (status == STATUS_OK)
		status = config_check_training(config);
	if (ranks->rank != 0)
		return status; /* the folder is rank 0's */
	if (a->dry_run)
		return status;
	return status ? tell_refusal(a, lock, status) : prepare_folder(a, lock);
}

static enum status train(struct arguments *a, struct ranks *ranks, struct run_lock *lock)
{
	struct config config;
	struct train_options options = {.out_dir = a->out_dir,
					.threads = a->threads,
					.resume = a->resume != NULL,
					.until_step = (uint64_t)a->until_step,
					.quiet = a->quiet || a->json,
					.ranks = ranks,
					.estimate = a->dry_run ? &a->estimate : NULL,
					.stop = &stop_signal};
	TRY(ranks_start(ranks, a->rank_timeout));
	TRY(ranks_agree(ranks, prepare(a, ranks, &config, lock)));
	catch_signals();
	return train_run(&config, &options);
}

static int report(const struct ranks *ranks, enum status status)
{
	bool speaks = status != STATUS_OK && ranks_must_report(ranks, status);
	if (status == STATUS_OK)
		return 0;
	if (status != STATUS_INTERRUPTED)
		return speaks ? command_failed("train") : 1;
	if (speaks)
		fprintf(stderr, "tapcut train: stopped; everything is saved, --resume auto goes on\n");
	return SIGNAL_EXIT + (stop_signal ? stop_signal : SIGTERM);
}

/* The summary is there unless the run never began. */
static enum status print_summary(const struct arguments *a)
{
	char path[PATH_SIZE], *summary;
	size_t size;
	TRY(run_file_path(a->out_dir, "summary.json", path));
	if (access(path, F_OK) != 0)
		return STATUS_OK;
	TRY(file_read(path, MOST_SUMMARY, &summary, &size));
	fwrite(summary, 1, size, streams_output());
	free(summary);
	return STATUS_OK;
}

static double megabytes(uint64_t bytes)
{
	return (double)bytes / 1e6;
}

static void print_estimate(const struct train_estimate *e)
{
	char training[32], validation[32];
	double steps = e->step_seconds * (double)e->steps, validations = e->validation_seconds * e->validations;
	progress_duration(steps, training, sizeof training);
	progress_duration(validations, validation, sizeof validation);
	printf("data        %s\n", e->data);
	printf("model       %zu parameters, %.0f M multiply-adds forward per sample\n", e->parameters,
	       e->multiply_adds * 1e-6);
	printf("steps       %llu, %llu samples: %.1f times each object\n", (unsigned long long)e->steps,
	       (unsigned long long)e->samples, (double)e->samples / e->objects);
	if (e->step_seconds > 0)
		printf("time        %s: %.3f s per step as this machine is now\n", training, e->step_seconds);
	else
		printf("time        too few steps to measure\n");
	if (e->validations)
		printf("validation  %d times %d objects: at most %s\n", e->validations, e->validation_objects,
		       validation);
	printf("memory      %.0f MB\n", megabytes(e->memory));
	printf("disk        %.1f MB, of it %.1f MB a checkpoint\n", megabytes(e->disk), megabytes(e->checkpoint));
}

static enum status print_json_estimate(const struct train_estimate *e)
{
	struct text text;
	text_init(&text);
	text_add(&text, "{\"objects\": %d, \"photos\": %d, \"parameters\": %zu, \"steps\": %llu, \"samples\": %llu",
		 e->objects, e->photos, e->parameters, (unsigned long long)e->steps, (unsigned long long)e->samples);
	text_add(&text,
		 ", \"step_seconds\": %.6f, \"seconds\": %.1f, \"validations\": %d, \"validation_seconds\": %.3f",
		 e->step_seconds, e->step_seconds * (double)e->steps + e->validation_seconds * e->validations,
		 e->validations, e->validation_seconds);
	text_add(&text, ", \"memory_bytes\": %llu, \"disk_bytes\": %llu, \"checkpoint_bytes\": %llu}",
		 (unsigned long long)e->memory, (unsigned long long)e->disk, (unsigned long long)e->checkpoint);
	return streams_json(&text);
}

static int run(void *arguments)
{
	struct arguments *a = arguments;
	if (a->keys) {
		config_print_keys(stdout);
		return 0;
	}
	struct ranks ranks;
	struct run_lock lock = {.file = -1};
	enum status status = train(a, &ranks, &lock);
	run_lock_release(&lock);
	int code = report(&ranks, status);
	if (a->dry_run && code == 0 && ranks.rank == 0) {
		if (a->json)
			code = command_end("train", print_json_estimate(&a->estimate));
		else
			print_estimate(&a->estimate);
	}
	if (a->json && !a->dry_run && ranks.rank == 0 && print_summary(a) != STATUS_OK && code == 0)
		code = command_failed("train");
	ranks_stop(&ranks, status);
	return code;
}

const struct command command_train = {
	.name = "train",
	.summary = "train a model from a config",
	.usage = "CONFIG.json --out DIR [OPTIONS]\n"
		 "--out DIR --resume auto     (goes on with DIR/config.json)\n"
		 "--keys",
	.about = "Trains what the config says. Same config and seed, same weights, for any number of threads and ranks "
		 "and "
		 "however often the run was stopped and resumed. DIR gets config.json (every key), log.jsonl, log.csv, "
		 "val.csv, summary.json, last.ckpt, best.ckpt, final.tapcut and report.html. One training at a time "
		 "can be "
		 "in DIR.",
	.options = option_rows,
	.operands = operand_rows,
	.notes = "Ctrl-C, SIGTERM, SIGUSR1 or a lost terminal (SIGHUP): the run saves a checkpoint and ends; a second "
		 "one "
		 "ends it at once.\n"
		 "Exit code: 0 done, 1 failed, 2 wrong usage, 130 stopped by SIGINT, 143 by SIGTERM, 138 by SIGUSR1, "
		 "129 "
		 "by SIGHUP (go on with --resume auto). DIR/summary.json says how it ended.",
	.examples =
		"tapcut train configs/demo.json --out runs/demo\n"
		"tapcut train configs/baseline.json --set optim.lr=5e-4 --set model.widths=[48,32,24,16] --seed 2 "
		"--out "
		"runs/x\n"
		"tapcut train configs/baseline.json --out runs/baseline --resume auto\n"
		"tapcut train configs/baseline.json --out runs/baseline --dry-run\n"
		"mpirun -np 2 --bind-to none build/mpi/tapcut train configs/baseline.json --out runs/x    (make MPI=1; "
		"train/README.md)",
	.size = sizeof(struct arguments),
	.check = check,
	.run = run,
};
