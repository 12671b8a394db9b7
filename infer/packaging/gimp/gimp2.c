/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
/* The plug-in for GIMP 2.10: Select > Select Object by Tap, and the procedure plug-in-tapcut-select. Every call of
 * GIMP, GEGL and GTK is in this file; README.md says which of them GIMP 3 has otherwise.
 *
 * The way of a selection: taps from the arguments or from paths (take_taps), pixels of a layer or of the whole image as
 * it is seen (read_photo), a soft mask from libtapcut (select.h), and that into the selection (change_selection). */
#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>
#include <string.h>

#include "select.h"

#define PROCEDURE "plug-in-tapcut-select"

/* The arguments of the procedure, in order. */
enum { RUN_MODE, IMAGE, DRAWABLE, NUMBERS, TAPS, OPERATION, FEATHER, ARGUMENTS };

/* What the dialog asks for; GIMP keeps it until it ends. */
struct settings {
	GimpChannelOps operation;
	double feather;   /* pixels */
	gboolean visible; /* the photo is all that is visible; else the active layer */
};

static char *folder; /* of the program, where its model lies beside it */

static bool refuse(char *message, const char *sentence)
{
	g_strlcpy(message, sentence, SELECT_MESSAGE);
	return false;
}

/* --- taps -------------------------------------------------------------------------------------------------------- */

static bool add_path(struct select_taps *taps, gint32 path, bool positive, char *message)
{
	int count;
	bool done = true;
	gint *strokes = gimp_vectors_get_strokes(path, &count);
	for (int i = 0; i < count && done; i++) {
		gint numbers = 0;
		gdouble *points = NULL;
		gboolean closed;
		gimp_vectors_stroke_get_points(path, strokes[i], &numbers, &points, &closed);
		done = select_add_anchors(taps, points, numbers, positive, message);
		g_free(points);
	}
	g_free(strokes);
	return done;
}

static bool is_negative(gint32 path)
{
	gchar *name = gimp_item_get_name(path);
	bool negative = name && select_name_is_negative(name);
	g_free(name);
	return negative;
}

/* The active path; where that one is negative or none is active, the topmost that is not negative; -1: none. */
static gint32 path_of_object(gint32 image, const gint *paths, int count)
{
	gint32 active = gimp_image_get_active_vectors(image);
	if (active != -1 && !is_negative(active))
		return active;
	for (int i = 0; i < count; i++)
		if (!is_negative(paths[i]))
			return paths[i];
	return -1;
}

/* Those on the object come first: a session's first click is where it looks for the object. */
static bool taps_of_paths(gint32 image, struct select_taps *taps, char *message)
{
	int count = 0;
	gint *paths = gimp_image_get_vectors(image, &count);
	gint32 object = path_of_object(image, paths, count);
	bool done = object == -1 || add_path(taps, object, true, message);
	for (int i = 0; i < count && done; i++)
		if (is_negative(paths[i]))
			done = add_path(taps, paths[i], false, message);
	g_free(paths);
	if (done && taps->positive == 0)
		done = refuse(message,
			      "No path says where the object is. Draw one with the Paths tool (B): each of its "
			      "anchors is a tap on the object. Anchors of a path whose name begins with \"-\" or "
			      "\"background\" are taps on what is not.");
	return done;
}

/* From the arguments where there are any, else from the paths. */
static bool take_taps(const GimpParam *param, int count, struct select_taps *taps, char *message)
{
	if (count > TAPS && param[RUN_MODE].data.d_int32 == GIMP_RUN_NONINTERACTIVE && param[NUMBERS].data.d_int32)
		return select_add_triples(taps, param[TAPS].data.d_floatarray, param[NUMBERS].data.d_int32, message);
	return taps_of_paths(param[IMAGE].data.d_image, taps, message);
}

/* --- photo ------------------------------------------------------------------------------------------------------- */

/* What is not of 8 bits and sRGB (deep, grey, indexed, in a profile of its own) babl makes so. Strip by strip: RGBA of
 * the whole photo would be a second copy of it. */
static bool read_pixels(gint32 drawable, struct select_photo *photo, char *message)
{
	enum { STRIP = 64 };
	int width = photo->width;
	guint8 *strip = g_try_malloc((gsize)width * STRIP * 4);
	photo->rgb = g_try_malloc((gsize)width * (gsize)photo->height * 3);
	if (!strip || !photo->rgb) {
		g_free(strip);
		return refuse(message, "There is no memory for the pixels of the photo.");
	}
	GeglBuffer *buffer = gimp_drawable_get_buffer(drawable);
	for (int y = 0; y < photo->height; y += STRIP) {
		int rows = MIN(STRIP, photo->height - y);
		gegl_buffer_get(buffer, GEGL_RECTANGLE(0, y, width, rows), 1.0, babl_format("R'G'B'A u8"), strip,
				GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
		select_over_white(strip, photo->rgb + (gsize)y * (gsize)width * 3, rows * width);
	}
	g_object_unref(buffer);
	g_free(strip);
	return true;
}

/* A drawable of the image, or, where that is -1, what is visible of the image. The caller frees photo->rgb. */
static bool read_photo(gint32 image, gint32 drawable, struct select_photo *photo, char *message)
{
	gint32 visible = drawable == -1 ? gimp_layer_new_from_visible(image, image, "tapcut") : -1;
	if (drawable == -1)
		drawable = visible;
	else
		gimp_drawable_offsets(drawable, &photo->x, &photo->y);
	if (drawable == -1)
		return refuse(message, "GIMP does not give the visible pixels of the image.");
	photo->width = gimp_drawable_width(drawable);
	photo->height = gimp_drawable_height(drawable);
	bool done = select_check_size(photo, message) && read_pixels(drawable, photo, message);
	if (visible != -1)
		gimp_item_delete(visible); /* it was never in the image */
	return done;
}

/* --- selection --------------------------------------------------------------------------------------------------- */

/* 8-bit numbers that become a channel's as they are: GIMP selects by a channel's numbers, whatever curve and profile
 * the image says that they have. */
static const Babl *plain_numbers(gint32 channel)
{
	const Babl *format = gimp_drawable_get_format(channel);
	const char *encoding = babl_format_get_encoding(format);
	return babl_format_with_space(strchr(encoding, '\'')  ? "Y' u8"
				      : strchr(encoding, '~') ? "Y~ u8"
							      : "Y u8",
				      format);
}

/* A channel of the image's size with the mask in it; -1: GIMP has none. */
static gint32 new_channel(gint32 image, const struct select_photo *photo, const uint8_t *alpha)
{
	const GimpRGB colour = {0, 0, 0, 1};
	gint32 channel = gimp_channel_new(image, "tapcut", (guint)gimp_image_width(image),
					  (guint)gimp_image_height(image), 100, &colour);
	if (channel == -1)
		return -1;
	GeglBuffer *buffer = gimp_drawable_get_buffer(channel);
	gegl_buffer_set(buffer, GEGL_RECTANGLE(photo->x, photo->y, photo->width, photo->height), 0,
			plain_numbers(channel), alpha, GEGL_AUTO_ROWSTRIDE);
	g_object_unref(buffer);
	return channel;
}

/* GIMP selects by a channel only while it is in the image, where it becomes what is worked on: that is given back. For
 * the user all of it is one step to undo. */
static bool change_selection(gint32 image, const struct select_photo *photo, const uint8_t *alpha,
			     GimpChannelOps operation, char *message)
{
	gint32 layer = gimp_image_get_active_layer(image), active = gimp_image_get_active_channel(image);
	gint32 channel = new_channel(image, photo, alpha);
	if (channel == -1)
		return refuse(message, "GIMP gives no channel for the selection.");
	gimp_context_push();
	gimp_context_set_feather(FALSE);
	gimp_image_undo_group_start(image);
	gboolean done = gimp_image_insert_channel(image, channel, 0, 0);
	if (done) {
		done = gimp_image_select_item(image, operation, channel);
		gimp_image_remove_channel(image, channel);
	} else {
		gimp_item_delete(channel);
	}
	if (active != -1)
		gimp_image_set_active_channel(image, active);
	else if (layer != -1)
		gimp_image_set_active_layer(image, layer);
	gimp_image_undo_group_end(image);
	gimp_context_pop();
	return done ? true : refuse(message, "GIMP did not take the selection.");
}

static void show_progress(double done)
{
	gimp_progress_update(done);
}

static bool select_object(gint32 image, gint32 drawable, const struct select_taps *taps,
			  const struct settings *settings, char *message)
{
	const gchar *named = g_getenv("TAPCUT_MODEL");
	gchar *model = named && *named ? g_strdup(named) : g_build_filename(folder, "base.tapcut", NULL);
	struct select_options options = {model, (float)settings->feather, (int)CLAMP(g_get_num_processors(), 1, 4),
					 show_progress};
	struct select_photo photo = {0};
	uint8_t *alpha = NULL;
	gimp_progress_init("Selecting the object");
	bool done = read_photo(image, settings->visible ? -1 : drawable, &photo, message);
	if (done) {
		alpha = g_try_malloc((gsize)photo.width * (gsize)photo.height);
		done = alpha ? select_alpha(&photo, taps, &options, alpha, message)
			     : refuse(message, "There is no memory for the mask.");
	}
	if (done)
		done = change_selection(image, &photo, alpha, settings->operation, message);
	gimp_progress_end();
	g_free(alpha);
	g_free(photo.rgb);
	g_free(model);
	return done;
}

/* --- dialog ------------------------------------------------------------------------------------------------------ */

static void add_row(GtkWidget *table, int row, const char *label, GtkWidget *widget)
{
	gimp_table_attach_aligned(GTK_TABLE(table), 0, row, label, 0.0, 0.5, widget, 1, FALSE);
}

static GtkWidget *new_dialog(const struct select_taps *taps, GtkWidget *table)
{
	GtkWidget *dialog = gimp_dialog_new("Select Object by Tap", "tapcut", NULL, 0, NULL, NULL, "_Cancel",
					    GTK_RESPONSE_CANCEL, "_Select", GTK_RESPONSE_OK, NULL);
	gchar *text =
		g_strdup_printf("%d on the object, %d on what is not", taps->positive, taps->count - taps->positive);
	gtk_table_set_col_spacings(GTK_TABLE(table), 6);
	gtk_table_set_row_spacings(GTK_TABLE(table), 6);
	gtk_container_set_border_width(GTK_CONTAINER(table), 12);
	gtk_container_add(GTK_CONTAINER(gtk_dialog_get_content_area(GTK_DIALOG(dialog))), table);
	add_row(table, 0, "Taps:", gtk_label_new(text));
	g_free(text);
	gimp_window_set_transient(GTK_WINDOW(dialog));
	return dialog;
}

/* False where the user has cancelled. */
static bool ask(const struct select_taps *taps, struct settings *settings)
{
	gimp_ui_init("tapcut", FALSE);
	GtkWidget *table = gtk_table_new(4, 2, FALSE), *dialog = new_dialog(taps, table);
	GtkWidget *operation =
		gimp_int_combo_box_new("Replace the selection", GIMP_CHANNEL_OP_REPLACE, "Add to the selection",
				       GIMP_CHANNEL_OP_ADD, "Subtract from the selection", GIMP_CHANNEL_OP_SUBTRACT,
				       "Intersect with the selection", GIMP_CHANNEL_OP_INTERSECT, NULL);
	GtkWidget *photo = gimp_int_combo_box_new("All visible layers", TRUE, "The active layer", FALSE, NULL);
	GtkWidget *feather = gtk_spin_button_new_with_range(0, TAPCUT_MAX_FEATHER, 1);
	gint chosen_operation = (gint)settings->operation, chosen_photo = settings->visible;
	gimp_int_combo_box_set_active(GIMP_INT_COMBO_BOX(operation), chosen_operation);
	gimp_int_combo_box_set_active(GIMP_INT_COMBO_BOX(photo), chosen_photo);
	gtk_spin_button_set_value(GTK_SPIN_BUTTON(feather), settings->feather);
	add_row(table, 1, "_Operation:", operation);
	add_row(table, 2, "_Photo:", photo);
	add_row(table, 3, "_Feather (pixels):", feather);
	gtk_entry_set_activates_default(GTK_ENTRY(feather), TRUE);
	gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_OK);
	gtk_widget_grab_focus(feather); /* so that Enter selects; on a box of choices it would open that */
	gtk_widget_show_all(dialog);
	bool chosen = gimp_dialog_run(GIMP_DIALOG(dialog)) == GTK_RESPONSE_OK;
	gimp_int_combo_box_get_active(GIMP_INT_COMBO_BOX(operation), &chosen_operation);
	gimp_int_combo_box_get_active(GIMP_INT_COMBO_BOX(photo), &chosen_photo);
	*settings = (struct settings){(GimpChannelOps)chosen_operation,
				      gtk_spin_button_get_value(GTK_SPIN_BUTTON(feather)), chosen_photo};
	gtk_widget_destroy(dialog);
	return chosen;
}

/* --- procedure --------------------------------------------------------------------------------------------------- */

static void query(void)
{
	static const GimpParamDef arguments[ARGUMENTS] = {
		{GIMP_PDB_INT32, "run-mode", "The run mode { RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1) }"},
		{GIMP_PDB_IMAGE, "image", "The image"},
		{GIMP_PDB_DRAWABLE, "drawable", "The photo: a layer, or -1 for all that is visible of the image"},
		{GIMP_PDB_INT32, "num-taps",
		 "How many numbers \"taps\" has, 3 for each tap; 0: the paths have the taps"},
		{GIMP_PDB_FLOATARRAY, "taps", "x, y, label of each tap: pixels of the image, 1 on the object, 0 not"},
		{GIMP_PDB_INT32, "operation", "CHANNEL-OP-ADD (0), -SUBTRACT (1), -REPLACE (2), -INTERSECT (3)"},
		{GIMP_PDB_FLOAT, "feather", "Pixels over which the edge fades, 0 to 200"},
	};
	gimp_install_procedure(
		PROCEDURE, "Selects the object that is tapped",
		"Taps are the anchors of the active path, and, as taps on what is not the object, those of "
		"all paths whose name begins with \"-\" or \"background\". The selection keeps the mask's "
		"soft edge.",
		"the tapcut authors", "the tapcut authors, MIT licence", "2026", "Select Object by _Tap (tapcut)...",
		"*", GIMP_PLUGIN, ARGUMENTS, 0, arguments, NULL);
	gimp_plugin_menu_register(PROCEDURE, "<Image>/Select");
}

/* What the run mode and the arguments ask for; *cancelled: the user wants nothing. */
static bool take_settings(const GimpParam *param, int count, const struct select_taps *taps, struct settings *settings,
			  bool *cancelled, char *message)
{
	*settings = (struct settings){GIMP_CHANNEL_OP_REPLACE, 0, TRUE};
	if (param[RUN_MODE].data.d_int32 == GIMP_RUN_NONINTERACTIVE) {
		if (count < ARGUMENTS)
			return refuse(message, "Expected seven arguments.");
		int operation = param[OPERATION].data.d_int32;
		if (operation < GIMP_CHANNEL_OP_ADD || operation > GIMP_CHANNEL_OP_INTERSECT)
			return refuse(message, "Operation: expected 0 to 3 (CHANNEL-OP-ADD, -SUBTRACT, -REPLACE, "
					       "-INTERSECT).");
		*settings = (struct settings){(GimpChannelOps)operation, param[FEATHER].data.d_float,
					      param[DRAWABLE].data.d_drawable == -1};
		return true;
	}
	gimp_get_data(PROCEDURE, settings);
	if (param[RUN_MODE].data.d_int32 == GIMP_RUN_INTERACTIVE)
		*cancelled = !ask(taps, settings);
	return true;
}

/* GIMP shows the message of a procedure that failed, in a window or, without one, on the standard error. */
static void run(const gchar *name, gint count, const GimpParam *param, gint *value_count, GimpParam **values)
{
	static GimpParam results[2];
	static char message[SELECT_MESSAGE];
	struct select_taps taps = {0};
	struct settings settings;
	bool cancelled = false;
	(void)name;
	gegl_init(NULL, NULL);
	bool done = take_taps(param, count, &taps, message) &&
		    take_settings(param, count, &taps, &settings, &cancelled, message);
	if (done && !cancelled)
		done = select_object(param[IMAGE].data.d_image, param[DRAWABLE].data.d_drawable, &taps, &settings,
				     message);
	if (done && !cancelled && param[RUN_MODE].data.d_int32 != GIMP_RUN_NONINTERACTIVE) {
		gimp_set_data(PROCEDURE, &settings, sizeof settings);
		gimp_displays_flush();
	}
	results[0].type = GIMP_PDB_STATUS;
	results[0].data.d_status = cancelled ? GIMP_PDB_CANCEL : done ? GIMP_PDB_SUCCESS : GIMP_PDB_EXECUTION_ERROR;
	results[1].type = GIMP_PDB_STRING;
	results[1].data.d_string = message;
	*value_count = done ? 1 : 2;
	*values = results;
}

/* GIMP's own MAIN() does not let one see argv[0], which is the plug-in's full path. */
int main(int argc, char **argv)
{
	static const GimpPlugInInfo plug_in = {NULL, NULL, query, run};
	folder = g_path_get_dirname(argv[0]);
	return gimp_main(&plug_in, argc, argv);
}
