/* The list of filters: a line here, and a few in points.c or a file of its own, make one. */
#include <string.h>

#include "edit.h"

#define POINT(name, label, help, min, initial, where, prepare, row)                   \
	{                                                                             \
		{name, label, help, min, 1, initial, where}, prepare, row, NULL, NULL \
	}
#define AREA(name, label, help, min, max, initial, where, part)                                                 \
	{                                                                                                       \
		{name, label, help, min, max, initial, where}, NULL, NULL, edit_border_##part, edit_rows_##part \
	}

const struct edit_filter edit_filters[] = {
	AREA("focus", "Focus", "lens blur; the amount is the radius in pixels of the photo", 0, 400, 12, TAPCUT_OUTSIDE,
	     focus),
	AREA("background", "Background", "a colour or another picture behind the object; the amount is how much of it",
	     0, 1, 1, TAPCUT_OUTSIDE, background),
	POINT("exposure", "Exposure", "brighter or darker, highlights roll off", -1, 0.3f, TAPCUT_INSIDE,
	      edit_prepare_exposure, edit_row_curves),
	POINT("contrast", "Contrast", "more or less of it about the middle", -1, 0.3f, TAPCUT_EVERYWHERE,
	      edit_prepare_contrast, edit_row_curves),
	POINT("highlights", "Highlights", "bright tones up or down", -1, -0.5f, TAPCUT_EVERYWHERE,
	      edit_prepare_highlights, edit_row_curves),
	POINT("shadows", "Shadows", "dark tones up or down", -1, 0.5f, TAPCUT_EVERYWHERE, edit_prepare_shadows,
	      edit_row_curves),
	POINT("saturation", "Saturation", "more or less colour", -1, 0.3f, TAPCUT_INSIDE, edit_prepare_saturation,
	      edit_row_matrix),
	POINT("vibrance", "Vibrance", "more or less colour where it is pale", -1, 0.6f, TAPCUT_EVERYWHERE,
	      edit_prepare_amount, edit_row_vibrance),
	POINT("warmth", "Warmth", "towards orange or blue", -1, 0.3f, TAPCUT_EVERYWHERE, edit_prepare_warmth,
	      edit_row_curves),
	POINT("tint", "Tint", "towards magenta or green", -1, 0.3f, TAPCUT_EVERYWHERE, edit_prepare_tint,
	      edit_row_curves),
	POINT("hue", "Hue", "turns the colours round, -1 and 1 are half a turn", -1, 0.3f, TAPCUT_INSIDE,
	      edit_prepare_hue, edit_row_matrix),
	POINT("black_and_white", "Black and white", "no colour", 0, 1, TAPCUT_EVERYWHERE, edit_prepare_gray,
	      edit_row_matrix),
	POINT("colour_pop", "Colour pop", "the object keeps its colours, the rest is gray", 0, 1, TAPCUT_OUTSIDE,
	      edit_prepare_gray, edit_row_matrix),
	POINT("sepia", "Sepia", "brown as an old print", 0, 1, TAPCUT_EVERYWHERE, edit_prepare_sepia, edit_row_matrix),
	POINT("duotone", "Duotone", "two colours, by brightness", 0, 1, TAPCUT_OUTSIDE, edit_prepare_duotone,
	      edit_row_duotone),
	POINT("fade", "Fade", "soft blacks, as paper in the sun", 0, 0.6f, TAPCUT_EVERYWHERE, edit_prepare_fade,
	      edit_row_curves),
	POINT("invert", "Invert", "a negative", 0, 1, TAPCUT_OUTSIDE, edit_prepare_invert, edit_row_curves),
	POINT("posterize", "Posterize", "few tones", 0, 0.8f, TAPCUT_OUTSIDE, edit_prepare_posterize, edit_row_curves),
	POINT("vignette", "Vignette", "darker (or lighter) corners", -1, 0.6f, TAPCUT_OUTSIDE, edit_prepare_amount,
	      edit_row_vignette),
	POINT("grain", "Grain", "film grain", 0, 0.4f, TAPCUT_EVERYWHERE, edit_prepare_amount, edit_row_grain),
	AREA("sharpen", "Sharpen", "crisper edges", 0, 1, 0.5f, TAPCUT_INSIDE, sharpen),
	AREA("clarity", "Clarity", "local contrast; below 0 a soft glow", -1, 1, 0.5f, TAPCUT_INSIDE, clarity),
	AREA("pixelate", "Pixelate", "squares, to hide a face or a number plate; 1 is an eighth of the long side", 0, 1,
	     0.25f, TAPCUT_INSIDE, pixelate),
};

const int edit_filter_count = sizeof edit_filters / sizeof edit_filters[0];

int tapcut_filter_count(void)
{
	return edit_filter_count;
}

const struct tapcut_filter *tapcut_filter_at(int index)
{
	return index >= 0 && index < edit_filter_count ? &edit_filters[index].shown : NULL;
}

int tapcut_filter_find(const char *name)
{
	for (int i = 0; name && i < edit_filter_count; i++)
		if (!strcmp(name, edit_filters[i].shown.name))
			return i;
	return -1;
}

void tapcut_edit_init(struct tapcut_edit *edit, int filter)
{
	const struct tapcut_filter *shown = tapcut_filter_at(filter);
	if (!edit)
		return;
	memset(edit, 0, sizeof *edit);
	edit->filter = filter;
	if (!shown)
		return;
	edit->amount = shown->initial;
	edit->where = shown->where;
	edit->depth = edit_filters[filter].rows == edit_rows_focus ? 0.7f : 0;
	bool duotone = edit_filters[filter].row == edit_row_duotone;
	static const uint8_t duo[2][3] = {{28, 20, 92}, {255, 214, 170}},
			     gray[2][3] = {{128, 128, 128}, {128, 128, 128}};
	memcpy(edit->colours, duotone ? duo : gray, sizeof edit->colours);
}
