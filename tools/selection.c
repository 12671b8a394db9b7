/* See selection.h. */
#include "tools/selection.h"

#include <stdio.h>

#include "core/clock.h"
#include "tools/number.h"

enum { MAX_PIXELS = 1000000 };

/* --- options -------------------------------------------------------------- */

void selection_init(struct selection *selection)
{
	selection->feather = -1;
	tapcut_options_init(&selection->options);
}

/* A whole number from 0 up that `after` or the end follows: *text moves behind both. */
static bool read_pixels(const char **text, char after, int *value)
{
	struct whole whole;
	if (!number_whole(text, false, &whole) || whole.negative || whole.magnitude > MAX_PIXELS || **text != after)
		return false;
	*text += after != '\0';
	*value = (int)whole.magnitude;
	return true;
}

static enum status add_tap(struct selection *s, const char *text, bool positive)
{
	struct tap tap = {.positive = positive};
	const char *rest = text;
	if (!read_pixels(&rest, ',', &tap.x) || !read_pixels(&rest, '\0', &tap.y))
		return option_expected(text, "X,Y in whole pixels, such as 320,200");
	if (s->tap_count == TAPCUT_MAX_CLICKS)
		return option_expected(text, "at most %d taps", TAPCUT_MAX_CLICKS);
	s->taps[s->tap_count++] = tap;
	return STATUS_OK;
}

enum status selection_take_tap(void *field, const struct option_row *row, const char *value)
{
	(void)row;
	return add_tap(field, value, true);
}

enum status selection_take_not(void *field, const struct option_row *row, const char *value)
{
	(void)row;
	return add_tap(field, value, false);
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
static enum status tap_all(struct tapcut_session *session, struct selection *s, struct image *mask)
{
	size_t object = 0;
	for (int i = 0; i < s->tap_count; i++) {
		const struct tap *tap = &s->taps[i];
		double start = milliseconds();
		if (tapcut_session_click(session, tap->x, tap->y, tap->positive) != TAPCUT_OK ||
		    tapcut_session_mask(session, mask->pixels, (size_t)mask->width) != TAPCUT_OK)
			return session_failed(session);
		object = object_pixels(mask);
		s->results[i] = (struct tap_result){milliseconds() - start, object};
		printf("%s %d,%d: %.0f ms, the object is %.1f %% of the photo\n", tap->positive ? "tap" : "not", tap->x,
		       tap->y, s->results[i].ms, 100.0 * (double)object / ((double)mask->width * mask->height));
	}
	s->box = image_box(mask);
	return STATUS_OK;
}

static enum status tap_photo(struct tapcut_session *session, struct selection *s, const struct image *photo,
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

enum status selection_run(struct selection *s, const struct tapcut_model *model, const struct image *photo,
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

void selection_crop(const struct selection *s, int margin, struct photo_file *photo, struct image *alpha)
{
	if (margin < 0 || s->box.x1 <= s->box.x0)
		return;
	struct image_box box = image_box_with_margin(s->box, margin, &photo->rgb);
	photo_file_crop(photo, box);
	image_crop(alpha, box);
}

static bool found_nothing(const struct selection *s)
{
	return s->tap_count > 0 && s->results[s->tap_count - 1].object_pixels == 0;
}

enum status selection_check_found(const struct selection *s)
{
	return found_nothing(s) ? status_fail(STATUS_CONFIG, "nothing is selected: tap on another part of the object")
				: STATUS_OK;
}

void selection_add_json(const struct selection *s, struct text *text)
{
	size_t last = s->tap_count ? s->results[s->tap_count - 1].object_pixels : 0;
	text_add(text, "\"taps\": [");
	for (int i = 0; i < s->tap_count; i++)
		text_add(text, "%s{\"x\": %d, \"y\": %d, \"positive\": %s, \"ms\": %.3f, \"object_pixels\": %zu}",
			 i ? ", " : "", s->taps[i].x, s->taps[i].y, s->taps[i].positive ? "true" : "false",
			 s->results[i].ms, s->results[i].object_pixels);
	text_add(text, "]");
	if (s->tap_count)
		text_add(text, ", \"object_pixels\": %zu, \"box\": [%d, %d, %d, %d], \"empty\": %s", last, s->box.x0,
			 s->box.y0, s->box.x1 - s->box.x0, s->box.y1 - s->box.y0, found_nothing(s) ? "true" : "false");
}
