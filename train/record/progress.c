/* See progress.h. */
#include "train/record/progress.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/clock.h"

enum { BAR_CELLS = 24, LINE_SIZE = 512, DEFAULT_COLUMNS = 100 };
#define REDRAW_SECONDS 0.2
#define PLAIN_SECONDS 10.0

void progress_duration(double seconds, char *text, size_t size)
{
	unsigned long s = seconds > 0 && seconds < 1e9 ? (unsigned long)(seconds + 0.5) : 0;
	if (s >= 3600)
		snprintf(text, size, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(text, size, "%lu:%02lu", s / 60, s % 60);
}

void progress_start(struct progress *progress, const char *label, uint64_t total, uint64_t done, bool quiet)
{
	const char *term = getenv("TERM");
	*progress = (struct progress){.label = label,
				      .total = total,
				      .begun = done,
				      .last_done = done,
				      .started = clock_seconds()};
	progress->out = quiet ? NULL : stderr;
	progress->terminal = isatty(STDERR_FILENO) && !(term && strcmp(term, "dumb") == 0);
	/* Nothing is drawn before the first interval has passed: short jobs stay silent until their end. */
	progress->drawn = progress->started;
}

static int terminal_columns(void)
{
	struct winsize window;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
		return window.ws_col;
	return DEFAULT_COLUMNS;
}

/* The part of the line after the label: count, figures, times. */
static int describe(const struct progress *progress, char *text, size_t size)
{
	double elapsed = clock_seconds() - progress->started;
	double fresh = (double)(progress->last_done - progress->begun);
	double left = progress->total > progress->last_done ? (double)(progress->total - progress->last_done) : 0;
	char passed[32], remaining[32] = "-:--";
	progress_duration(elapsed, passed, sizeof passed);
	if (fresh > 0)
		progress_duration(elapsed * left / fresh, remaining, sizeof remaining);
	return snprintf(text, size, "%llu/%llu%s%s  %s%s%s", (unsigned long long)progress->last_done,
			(unsigned long long)progress->total, *progress->figures ? "  " : "", progress->figures, passed,
			left > 0 ? "  ETA " : "", left > 0 ? remaining : "");
}

static void draw_terminal(struct progress *progress)
{
	char text[LINE_SIZE], line[LINE_SIZE + 128], bar[3 * BAR_CELLS + 1] = "";
	int columns = terminal_columns();
	double share = progress->total ? (double)progress->last_done / (double)progress->total : 0;
	int filled = (int)(share * BAR_CELLS);
	describe(progress, text, sizeof text);
	/* On a narrow terminal the bar goes first; what is still too long is cut, because a wrapped line cannot be
	 * redrawn. */
	bool with_bar = (int)(strlen(progress->label) + strlen(text)) + BAR_CELLS + 12 < columns;
	for (int i = 0; with_bar && i < BAR_CELLS; i++)
		strcat(bar, i < filled ? "=" : i == filled ? ">" : " ");
	snprintf(line, sizeof line, "%s %3d%% %s%s%s%s", progress->label, (int)(share * 100), with_bar ? "[" : "", bar,
		 with_bar ? "] " : "", text);
	fprintf(progress->out, "\r\033[K%.*s", columns - 1, line);
	fflush(progress->out);
	progress->shown = true;
}

static void draw(struct progress *progress)
{
	char text[LINE_SIZE];
	progress->drawn = clock_seconds();
	if (progress->terminal) {
		draw_terminal(progress);
		return;
	}
	describe(progress, text, sizeof text);
	fprintf(progress->out, "%s %s\n", progress->label, text);
	fflush(progress->out);
	progress->shown = true;
}

void progress_update(struct progress *progress, uint64_t done, const char *format, ...)
{
	progress->last_done = done;
	if (!progress->out)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(progress->figures, sizeof progress->figures, format, args);
	va_end(args);
	if (clock_seconds() - progress->drawn >= (progress->terminal ? REDRAW_SECONDS : PLAIN_SECONDS))
		draw(progress);
}

void progress_message(struct progress *progress, const char *format, ...)
{
	if (!progress->out)
		return;
	if (progress->terminal && progress->shown)
		fputs("\r\033[K", progress->out);
	va_list args;
	va_start(args, format);
	vfprintf(progress->out, format, args);
	va_end(args);
	fputc('\n', progress->out);
	if (progress->terminal && progress->shown)
		draw_terminal(progress);
}

void progress_end(struct progress *progress)
{
	if (!progress->out)
		return;
	draw(progress);
	if (progress->terminal)
		fputc('\n', progress->out);
	progress->out = NULL;
}
