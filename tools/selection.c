/* See selection.h. */
#include "tools/selection.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"

/* --- options -------------------------------------------------------------- */

void selection_init(struct selection *selection, const char *command)
{
	*selection = (struct selection){.command = command, .feather = -1};
	tapcut_options_init(&selection->options);
}

static bool read_number(const char **text, char after, int *value)
{
	char *end;
	errno = 0;
	long number = strtol(*text, &end, 10);
	if (errno || end == *text || *end != after || number < 0 || number > 1000000)
		return false;
	*text = end + (after != '\0');
	*value = (int)number;
	return true;
}

static bool add_tap(struct selection *s, const char *text, bool positive)
{
	struct tap tap = {.positive = positive};
	const char *rest = text;
	if (!read_number(&rest, ',', &tap.x) || !read_number(&rest, '\0', &tap.y)) {
		fprintf(stderr, "tapcut %s: --%s: expected X,Y in whole pixels, e.g. 320,200, found \"%s\"\n",
			s->command, positive ? "tap" : "not", text);
		return false;
	}
	if (s->tap_count == TAPCUT_MAX_CLICKS) {
		fprintf(stderr, "tapcut %s: too many taps, at most %d\n", s->command, TAPCUT_MAX_CLICKS);
		return false;
	}
	s->taps[s->tap_count++] = tap;
	return true;
}

static bool parse_feather(struct selection *s, const char *text)
{
	char *end;
	double pixels = strtod(text, &end);
	if (end == text || *end || !(pixels >= 0 && pixels <= TAPCUT_MAX_FEATHER)) {
		fprintf(stderr, "tapcut %s: --feather: expected 0 to %d pixels, found \"%s\"\n", s->command,
			TAPCUT_MAX_FEATHER, text);
		return false;
	}
	s->feather = (float)pixels;
	return true;
}

static bool parse_size(struct selection *s, const char *text)
{
	const char *rest = text;
	if (read_number(&rest, '\0', &s->options.size) && s->options.size > 0)
		return true;
	fprintf(stderr, "tapcut %s: --size: expected a number of pixels, found \"%s\"\n", s->command, text);
	return false;
}

static bool parse_threads(struct selection *s, const char *text)
{
	const char *rest = text;
	int threads;
	if (read_number(&rest, '\0', &threads) && threads >= 1 && threads <= TAPCUT_MAX_THREADS) {
		s->options.threads = threads;
		return true;
	}
	fprintf(stderr, "tapcut %s: --threads: expected 1 to %d, found \"%s\"\n", s->command, TAPCUT_MAX_THREADS, text);
	return false;
}

bool selection_take(struct selection *s, int option, const char *value)
{
	switch (option) {
	case SELECTION_TAP: return add_tap(s, value, true);
	case SELECTION_NOT: return add_tap(s, value, false);
	case SELECTION_MODEL: s->model = value; return true;
	case SELECTION_SIZE: return parse_size(s, value);
	case SELECTION_ZOOM: s->options.zoom = 1; return true;
	case SELECTION_NO_ZOOM: s->options.zoom = 0; return true;
	case SELECTION_GRAPH_CUT: s->options.graph_cut = 1; return true;
	case SELECTION_THREADS: return parse_threads(s, value);
	case SELECTION_FEATHER: return parse_feather(s, value);
	default: return false;
	}
}

/* --- the work ------------------------------------------------------------- */

static double milliseconds(void)
{
	return 1e3 * clock_seconds();
}

static size_t object_pixels(const struct image *mask)
{
	size_t count = 0, pixels = (size_t)mask->width * (size_t)mask->height;
	for (size_t i = 0; i < pixels; i++)
		count += mask->pixels[i] != 0;
	return count;
}

static enum status session_failed(const struct tapcut_session *session)
{
	return status_fail(STATUS_CONFIG, "%s", tapcut_session_message(session));
}

/* Taps one after the other, a line for each; the last mask. */
static enum status tap_all(struct tapcut_session *session, const struct selection *s, struct image *mask)
{
	size_t object = 0;
	for (int i = 0; i < s->tap_count; i++) {
		const struct tap *tap = &s->taps[i];
		double start = milliseconds();
		if (tapcut_session_click(session, tap->x, tap->y, tap->positive) != TAPCUT_OK ||
		    tapcut_session_mask(session, mask->pixels, (size_t)mask->width) != TAPCUT_OK)
			return session_failed(session);
		object = object_pixels(mask);
		printf("%s %d,%d: %.0f ms, the object is %.1f %% of the photo\n", tap->positive ? "tap" : "not", tap->x,
		       tap->y, milliseconds() - start, 100.0 * (double)object / ((double)mask->width * mask->height));
	}
	if (object == 0)
		printf("the mask is empty: tap on another part of the object\n");
	return STATUS_OK;
}

static enum status tap_photo(struct tapcut_session *session, const struct selection *s, const struct image *photo,
			     struct image *mask, struct image *alpha)
{
	TRY(image_alloc(mask, photo->width, photo->height, 1));
	if (tapcut_session_set_image(session, photo->pixels, photo->width, photo->height, 3 * (size_t)photo->width) !=
	    TAPCUT_OK)
		return session_failed(session);
	TRY(tap_all(session, s, mask));
	if (!alpha)
		return STATUS_OK;
	TRY(image_alloc(alpha, photo->width, photo->height, 1));
	/* As steep as a sharp lens draws an edge: steeper ones look cut out with scissors. */
	float auto_feather = 2 + (float)(photo->width + photo->height) / 4000;
	if (tapcut_session_set_feather(session, s->feather < 0 ? auto_feather : s->feather) != TAPCUT_OK)
		return session_failed(session);
	bool made = tapcut_session_alpha(session, alpha->pixels, (size_t)alpha->width) == TAPCUT_OK;
	return made ? STATUS_OK : session_failed(session);
}

enum status selection_run(const struct selection *s, const struct tapcut_model *model, const struct image *photo,
			  struct image *mask, struct image *alpha)
{
	struct tapcut_session *session;
	char message[TAPCUT_MESSAGE_SIZE];
	*mask = (struct image){0};
	if (alpha)
		*alpha = (struct image){0};
	if (tapcut_session_new(model, &s->options, &session, message) != TAPCUT_OK)
		return status_fail(STATUS_CONFIG, "%s", message);
	enum status status = tap_photo(session, s, photo, mask, alpha);
	tapcut_session_free(session);
	return status;
}
