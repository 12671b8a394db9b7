/* See streams.h. */
#define _XOPEN_SOURCE 700 /* realpath, mkdtemp */
#include "tools/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/atomic_file.h"
#include "tools/options.h"

enum { MAX_FILES = 64, FOLDER_SIZE = 1024, NAME_SIZE = FOLDER_SIZE + 64 };
static const size_t MOST_INPUT = (size_t)1 << 30;

static struct {
	FILE *stream;             /* where standard output went to before it was redirected; NULL: it was not */
	char folder[FOLDER_SIZE]; /* of our files; "": none */
	char out_file[NAME_SIZE]; /* is to go to standard output; "": none */
	char in_file[NAME_SIZE];
} streams;

void streams_start(void)
{
	int fd;
	while ((fd = open("/dev/null", O_RDONLY)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd > STDERR_FILENO)
		close(fd);
	signal(SIGPIPE, SIG_IGN);
}

/* --- the files of a command line ------------------------------------------ */

struct file {
	const struct option_row *row;
	const char **path; /* the field */
	bool operand;
	char whole[PATH_MAX]; /* the path without links and dots */
};

void streams_whole_path(const char *path, char whole[PATH_MAX])
{
	char folder[PATH_MAX], found[PATH_MAX];
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	if (realpath(path, whole))
		return;
	snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	if (strlen(path) >= PATH_MAX || !realpath(folder, found) || strlen(found) + strlen(name) + 2 > PATH_MAX)
		snprintf(whole, PATH_MAX, "%s", path);
	else
		snprintf(whole, PATH_MAX, "%.*s/%.*s", PATH_MAX / 2, found, PATH_MAX / 2 - 2, name);
}

static bool is_dash(const struct file *file)
{
	return strcmp(*file->path, "-") == 0;
}

static enum status wrong(const struct file *file, const char *message)
{
	return status_fail(STATUS_CONFIG, "%s%s: %s", file->operand ? "" : "--", file->row->name, message);
}

/* Whether `ending` is one of `ends`, which are parted by spaces. */
static bool is_one_of(const char *ending, const char *ends)
{
	for (size_t length; *ends; ends += length + (ends[length] == ' ')) {
		length = strcspn(ends, " ");
		if (strlen(ending) == length && strncasecmp(ending, ends, length) == 0)
			return true;
	}
	return false;
}

/* ".png .jpg .jpeg" as ".png, .jpg or .jpeg". */
static void describe_endings(const char *ends, char *text, size_t size)
{
	size_t used = 0;
	for (size_t length; *ends && used < size; ends += length + (ends[length] == ' ')) {
		length = strcspn(ends, " ");
		bool last = !ends[length], more = !last && strchr(ends + length + 1, ' ');
		used += (size_t)snprintf(text + used, size - used, "%.*s%s", (int)length, ends,
					 last   ? ""
					 : more ? ", "
						: " or ");
	}
}

/* An ending that says another format than what is written is refused. A name without one says nothing. */
static enum status check_ending(const struct file *file)
{
	const char *slash = strrchr(*file->path, '/'), *name = slash ? slash + 1 : *file->path;
	const char *ending = strrchr(name, '.');
	char expected[64] = "a name that ends with ";
	size_t used = strlen(expected);
	if (!file->row->ends || !ending || ending == name || is_one_of(ending, file->row->ends))
		return STATUS_OK;
	describe_endings(file->row->ends, expected + used, sizeof expected - used);
	return option_wrong(file->row->name, *file->path, expected);
}

static enum status check_pair(const struct file *a, const struct file *b)
{
	char message[PATH_MAX + 128];
	const char *dashes = b->operand ? "" : "--";
	if (a->path == b->path || (!a->row->writes && !b->row->writes && !is_dash(a)) || is_dash(a) != is_dash(b) ||
	    (is_dash(a) && a->row->writes != b->row->writes))
		return STATUS_OK;
	if (is_dash(a))
		snprintf(message, sizeof message, "%s%s is standard %s already", dashes, b->row->name,
			 a->row->writes ? "output" : "input");
	else if (strcmp(a->whole, b->whole) == 0)
		snprintf(message, sizeof message, "\"%s\" is %s%s too, which would be overwritten", *a->path, dashes,
			 b->row->name);
	else
		return STATUS_OK;
	return wrong(a, message);
}

static enum status add_files(const struct option_row *row, bool operand, void *arguments, struct file *files,
			     int *count)
{
	for (; row && row->type != OPTION_END && *count < MAX_FILES; row++) {
		struct file *file = &files[*count];
		if (row->type != OPTION_FILE || !*option_text(row, arguments))
			continue;
		*file = (struct file){.row = row, .path = option_text(row, arguments), .operand = operand};
		if (is_dash(file) && row->no_stream)
			return wrong(file, row->writes ? "cannot be standard output" : "cannot be standard input");
		if (!is_dash(file)) {
			streams_whole_path(*file->path, file->whole);
			TRY(row->writes ? check_ending(file) : STATUS_OK);
		}
		++*count;
	}
	return STATUS_OK;
}

/* --- "-" ------------------------------------------------------------------ */

static enum status make_folder(void)
{
	const char *parent = getenv("TMPDIR");
	if (streams.folder[0])
		return STATUS_OK;
	int length = snprintf(streams.folder, FOLDER_SIZE, "%s/tapcut-XXXXXX", parent && *parent ? parent : "/tmp");
	if (length < FOLDER_SIZE && mkdtemp(streams.folder))
		return STATUS_OK;
	streams.folder[0] = '\0';
	return status_fail(STATUS_IO, "%s: cannot make a folder there: %s", parent ? parent : "/tmp", strerror(errno));
}

static enum status copy_input(FILE *to)
{
	char bytes[1 << 16];
	size_t total = 0, got;
	while ((got = fread(bytes, 1, sizeof bytes, stdin)) > 0) {
		total += got;
		if (total > MOST_INPUT)
			return status_fail(STATUS_LIMIT, "standard input: expected at most %zu bytes", MOST_INPUT);
		if (fwrite(bytes, 1, got, to) != got)
			return status_fail(STATUS_IO, "%s: cannot write: %s", streams.in_file, strerror(errno));
	}
	return ferror(stdin) ? status_fail(STATUS_IO, "standard input: %s", strerror(errno)) : STATUS_OK;
}

static enum status take_input(const char **path)
{
	TRY(make_folder());
	snprintf(streams.in_file, NAME_SIZE, "%s/stdin", streams.folder);
	FILE *to = fopen(streams.in_file, "wb");
	if (!to)
		return status_fail(STATUS_IO, "%s: cannot write: %s", streams.in_file, strerror(errno));
	enum status status = copy_input(to);
	if (fclose(to) != 0 && status == STATUS_OK)
		status = status_fail(STATUS_IO, "%s: cannot write: %s", streams.in_file, strerror(errno));
	*path = streams.in_file;
	return status;
}

static enum status take_output(const struct option_row *row, const char **path)
{
	TRY(make_folder());
	const char *ends = row->ends ? row->ends : "";
	snprintf(streams.out_file, NAME_SIZE, "%s/stdout%.*s", streams.folder, (int)strcspn(ends, " "), ends);
	*path = streams.out_file;
	return STATUS_OK;
}

enum status streams_open_files(const struct command *command, void *arguments)
{
	static struct file files[MAX_FILES];
	int count = 0;
	TRY(add_files(command->operands, true, arguments, files, &count));
	TRY(add_files(command->options, false, arguments, files, &count));
	for (int i = 0; i < count; i++)
		for (int k = 0; k < i; k++)
			TRY(files[k].row->writes && !files[i].row->writes ? check_pair(&files[k], &files[i])
									  : check_pair(&files[i], &files[k]));
	for (int i = 0; i < count; i++) {
		if (!is_dash(&files[i]))
			continue;
		if (files[i].row->writes && options_flag(command, arguments, "json"))
			return wrong(&files[i], "standard output has the JSON");
		TRY(files[i].row->writes ? take_output(files[i].row, files[i].path) : take_input(files[i].path));
	}
	return STATUS_OK;
}

const char *streams_name(const char *path)
{
	return path == streams.out_file ? "standard output" : path == streams.in_file ? "standard input" : path;
}

/* --- redirection ---------------------------------------------------------- */

static bool redirect(bool silent)
{
	int output = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	int to = silent ? open("/dev/null", O_WRONLY | O_CLOEXEC) : STDERR_FILENO;
	bool done = output >= 0 && to >= 0 && dup2(to, STDOUT_FILENO) >= 0;
	if (silent && to >= 0)
		close(to);
	streams.stream = done ? fdopen(output, "wb") : NULL;
	return streams.stream != NULL;
}

enum status streams_redirect(const struct command *command, void *arguments)
{
	bool silent = options_flag(command, arguments, "json") || options_flag(command, arguments, "quiet");
	if (!silent && !streams.out_file[0])
		return STATUS_OK;
	fflush(stdout);
	return redirect(silent) ? STATUS_OK : status_fail(STATUS_IO, "standard output: %s", strerror(errno));
}

FILE *streams_output(void)
{
	return streams.stream ? streams.stream : stdout;
}

enum status streams_json(struct text *text)
{
	text_add(text, "\n");
	enum status status = text_status(text);
	if (status == STATUS_OK)
		fwrite(text->data, 1, text->length, streams_output()); /* streams_end sees whether it arrived */
	text_release(text);
	return status;
}

/* --- the end -------------------------------------------------------------- */

static enum status hand_on(void)
{
	char *data;
	size_t size;
	if (access(streams.out_file, F_OK) != 0)
		return STATUS_OK; /* the command had nothing to write */
	TRY(file_read(streams.out_file, SIZE_MAX / 8, &data, &size));
	fwrite(data, 1, size, streams_output());
	free(data);
	return STATUS_OK;
}

static void clean_up(void)
{
	if (streams.in_file[0])
		unlink(streams.in_file);
	if (streams.out_file[0])
		unlink(streams.out_file);
	if (streams.folder[0])
		rmdir(streams.folder);
	streams.in_file[0] = streams.out_file[0] = streams.folder[0] = '\0';
}

/* Whether everything that was printed has arrived. */
static enum status check_printed(FILE *stream)
{
	errno = 0;
	bool failed = fflush(stream) != 0 || ferror(stream);
	int reason = errno;
	if (!failed)
		return STATUS_OK;
	return status_fail(STATUS_IO, "standard output: %s", reason ? strerror(reason) : "not all could be written");
}

int streams_end(const char *name, int code)
{
	enum status status = code == 0 && streams.out_file[0] ? hand_on() : STATUS_OK;
	if (status == STATUS_OK)
		status = check_printed(stdout);
	if (status == STATUS_OK)
		status = check_printed(streams_output());
	clean_up();
	if (status == STATUS_OK)
		return code;
	fprintf(stderr, "%s: %s\n", name, status_message());
	return code ? code : 1;
}
