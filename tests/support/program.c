/* See program.h. */
#define _DEFAULT_SOURCE
#include "tests/support/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { MAX_ARGUMENTS = 64, COMMAND_SIZE = 8192 };

static char command_line[COMMAND_SIZE], launcher[1024];
static struct program_result result;
static int out_file = -1, err_file = -1;

static const char *build_folder(void)
{
	const char *build = getenv("BUILD");
	return build ? build : "build";
}

/* --- files ---------------------------------------------------------------- */

char *slurp(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	fseek(file, 0, SEEK_END);
	long length = ftell(file);
	rewind(file);
	char *data = malloc((size_t)length + 1);
	ck_assert(data != NULL && fread(data, 1, (size_t)length, file) == (size_t)length);
	data[length] = '\0';
	fclose(file);
	if (size)
		*size = (size_t)length;
	return data;
}

void spit(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");
	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	ck_assert(fwrite(data, 1, size, file) == size);
	ck_assert_int_eq(fclose(file), 0);
}

bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool same_bytes(const char *path_a, const char *path_b)
{
	size_t size_a, size_b;
	char *a = slurp(path_a, &size_a), *b = slurp(path_b, &size_b);
	bool same = size_a == size_b && memcmp(a, b, size_a) == 0;
	free(a);
	free(b);
	return same;
}

const char *in(const char *dir, const char *name)
{
	static char paths[8][1024];
	static int next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	return path;
}

/* --- the program ---------------------------------------------------------- */

/* An unlinked file: what is written to it is gone with the test, however that ends. */
static int open_capture(void)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/tmp/capture.XXXXXX", build_folder());
	int file = mkstemp(path);
	ck_assert_msg(file >= 0, "%s: %s", path, strerror(errno));
	unlink(path);
	return file;
}

static const char *read_capture(int file)
{
	off_t size = lseek(file, 0, SEEK_END);
	char *text = calloc((size_t)size + 1, 1);
	ck_assert(size >= 0 && text != NULL && pread(file, text, (size_t)size, 0) == size);
	close(file);
	return text;
}

void tapcut_through(const char *words)
{
	snprintf(launcher, sizeof launcher, "%s", words ? words : "");
}

static int add_words(char **arguments, int count, char *words)
{
	for (char *word = strtok(words, " "); word && count < MAX_ARGUMENTS; word = strtok(NULL, " "))
		arguments[count++] = word;
	return count;
}

static void exec_tapcut(void)
{
	char program[1024];
	char *arguments[MAX_ARGUMENTS + 1];
	snprintf(program, sizeof program, "%s/%s", build_folder(), launcher[0] ? "mpi/tapcut" : "tapcut");
	int count = add_words(arguments, 0, launcher);
	count = add_words(arguments, count, program);
	count = add_words(arguments, count, command_line);
	arguments[count] = NULL;
	int null = open("/dev/null", O_RDONLY);
	dup2(null, STDIN_FILENO);
	dup2(out_file, STDOUT_FILENO);
	dup2(err_file, STDERR_FILENO);
	/* A sanitizer's report must not look like an ordinary failure. */
	setenv("ASAN_OPTIONS", "exitcode=99:allocator_may_return_null=1", 1);
	setenv("UBSAN_OPTIONS", "exitcode=99:print_stacktrace=1", 1);
	execvp(arguments[0], arguments);
	dprintf(STDERR_FILENO, "%s: %s\n", program, strerror(errno));
	_exit(127);
}

/* Several can run at a time; each has its own capture. */
enum { MAX_JOBS = 8 };
static struct job {
	pid_t pid; /* 0: free */
	int out, err;
} jobs[MAX_JOBS];

static struct job *find_job(pid_t pid)
{
	for (int i = 0; i < MAX_JOBS; i++)
		if (jobs[i].pid == pid)
			return &jobs[i];
	ck_abort_msg("no such job, or too many");
	return NULL;
}

static void remember(pid_t pid)
{
	*find_job(0) = (struct job){pid, out_file, err_file};
}

static pid_t start(const char *format, va_list args)
{
	int length = vsnprintf(command_line, sizeof command_line, format, args);
	ck_assert(length >= 0 && (size_t)length < sizeof command_line);
	out_file = open_capture();
	err_file = open_capture();
	fflush(NULL);
	pid_t pid = fork();
	ck_assert(pid >= 0);
	if (pid == 0)
		exec_tapcut();
	remember(pid);
	return pid;
}

pid_t tapcut_start(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	pid_t pid = start(format, args);
	va_end(args);
	return pid;
}

bool tapcut_runs(pid_t pid)
{
	siginfo_t info = {0};
	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid == 0;
}

bool tapcut_reaches(pid_t pid, const char *log, int step)
{
	char line[32];
	snprintf(line, sizeof line, "\"step\":%d,", step);
	while (tapcut_runs(pid)) {
		if (exists(log)) {
			char *text = slurp(log, NULL);
			bool there = strstr(text, line) != NULL;
			free(text);
			if (there)
				return true;
		}
		nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
	return false;
}

const struct program_result *tapcut_wait(pid_t pid, int signal_number)
{
	int status;
	if (signal_number)
		kill(pid, signal_number);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	free((void *)result.out);
	free((void *)result.err);
	struct job *job = find_job(pid);
	result.out = read_capture(job->out);
	result.err = read_capture(job->err);
	job->pid = 0;
	result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	ck_assert_msg(WIFEXITED(status) || WTERMSIG(status) == signal_number, "tapcut %s\ndied of signal %d:\n%s",
		      command_line, WTERMSIG(status), result.err);
	ck_assert_msg(result.code != 99 && result.code != 127 && !strstr(result.err, "Sanitizer") &&
			      !strstr(result.err, "runtime error:"),
		      "tapcut %s\nended with %d:\n%s", command_line, result.code, result.err);
	return &result;
}

const struct program_result *tapcut(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	pid_t pid = start(format, args);
	va_end(args);
	return tapcut_wait(pid, 0);
}

const struct program_result *tapcut_ok(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	pid_t pid = start(format, args);
	va_end(args);
	tapcut_wait(pid, 0);
	ck_assert_msg(result.code == 0, "tapcut %s\nended with %d:\n%s", command_line, result.code, result.err);
	return &result;
}

void tapcut_fails(int code, const char *part, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	pid_t pid = start(format, args);
	va_end(args);
	tapcut_wait(pid, 0);
	ck_assert_msg(result.code == code, "tapcut %s\nended with %d, not %d:\n%s%s", command_line, result.code, code,
		      result.out, result.err);
	ck_assert_msg(result.err[0] != '\0', "tapcut %s\nended with %d and did not say why", command_line, code);
	ck_assert_msg(strstr(result.err, part) != NULL, "tapcut %s\ndid not say \"%s\":\n%s", command_line, part,
		      result.err);
}

/* --- something to work on ------------------------------------------------- */

const char *tiny_run(const char *dir)
{
	static char text[4096];
	if (!exists(in(dir, "train"))) {
		tapcut_ok("scenes --out %s/train --count 6 --seed 1 --width 96 --height 64", dir);
		tapcut_ok("scenes --out %s/val --count 2 --seed 2 --width 96 --height 64", dir);
	}
	snprintf(text, sizeof text,
		 "train configs/smoke.json --set train.size=32 --set eval.size=32 --set eval.limit=1 "
		 "--set data.train=%s/train/instances.json --set data.val=",
		 dir);
	return text;
}
