/* See result.h. */
#include "result.h"

#include <stdlib.h>
#include <string.h>

int result_channels(const struct result_settings *settings)
{
	return settings->transparent ? 4 : 3;
}

enum tapcut_status result_edit(const struct result_settings *settings, const struct picture *picture,
			       const uint8_t *alpha, int photo_w, char *message)
{
	struct tapcut_edit edits[RESULT_MOST_EDITS];
	int focus = tapcut_filter_find("focus");
	memcpy(edits, settings->edits, sizeof edits);
	for (int i = 0; i < settings->edit_count; i++)
		if (edits[i].filter == focus) /* the only amount that is in pixels */
			edits[i].amount *= (float)picture->w / (float)photo_w;
	const struct tapcut_photo photo = {
		.rgb = picture->rgb,
		.rgb_stride = 3 * (size_t)picture->w,
		.alpha = alpha,
		.alpha_stride = (size_t)picture->w,
		.width = picture->w,
		.height = picture->h,
	};
	return settings->edit_count ? tapcut_edit_apply(edits, settings->edit_count, &photo, NULL, message) : TAPCUT_OK;
}

static enum tapcut_status cutout(const struct picture *picture, const uint8_t *alpha, int y, int rows, uint8_t *out,
				 char *message)
{
	int border = tapcut_cutout_border(picture->w, picture->h);
	int first = y > border ? y - border : 0, end = picture->h - y - rows > border ? y + rows + border : picture->h;
	size_t width = (size_t)picture->w;
	const struct tapcut_rows in = {
		.rgb = picture->rgb + 3 * width * (size_t)first,
		.alpha = alpha + width * (size_t)first,
		.rgb_stride = 3 * width,
		.alpha_stride = width,
		.first = first,
		.count = end - first,
	};
	void *workspace = malloc(tapcut_cutout_workspace(picture->w, picture->h));
	if (!workspace) {
		strcpy(message, "no memory for the cutout");
		return TAPCUT_NO_MEMORY;
	}
	enum tapcut_status status =
		tapcut_cutout_rows(picture->w, picture->h, &in, y, rows, 0, out, 4 * width, workspace, message);
	free(workspace);
	return status;
}

enum tapcut_status result_rows(const struct result_settings *settings, const struct picture *picture,
			       const uint8_t *alpha, int y, int rows, uint8_t *out, char *message)
{
	size_t width = (size_t)picture->w;
	if (settings->transparent)
		return cutout(picture, alpha, y, rows, out, message);
	memcpy(out, picture->rgb + 3 * width * (size_t)y, 3 * width * (size_t)rows);
	return TAPCUT_OK;
}
