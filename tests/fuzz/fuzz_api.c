/* Fuzz target: the library's functions in any order, with any numbers. A mask is 255 or 0, a session that refuses a
 * call says why and goes on, and clicks that were taken back leave nothing. */
#include <string.h>

#include "infer/tapcut.h"
#include "infer/tapcut_edit.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_SIDE = 40, MOST_CALLS = 60 };

static const struct tapcut_model *small_model(void)
{
	static struct tapcut_model *model;
	if (!model)
		fuzz_require(tapcut_model_load_file("tests/infer/golden/tiny_f32.tapcut", &model, NULL) == TAPCUT_OK);
	return model;
}

static int small_number(struct fuzz_input *input)
{
	return (int8_t)fuzz_byte(input);
}

struct api_state {
	struct tapcut_session *session;
	uint8_t photo[3 * FUZZ_SIDE * FUZZ_SIDE], plane[FUZZ_SIDE * FUZZ_SIDE];
	int w, h; /* of the photo; 0: none */
};

static void set_image(struct api_state *s, struct fuzz_input *input)
{
	int w = small_number(input) % (FUZZ_SIDE + 1), h = small_number(input) % (FUZZ_SIDE + 1);
	size_t stride = 3 * FUZZ_SIDE - fuzz_byte(input) % 4;
	bool taken = tapcut_session_set_image(s->session, s->photo, w, h, stride) == TAPCUT_OK;
	fuzz_require(!taken || (w > 0 && h > 0 && stride >= 3 * (size_t)w));
	s->w = taken ? w : 0;
	s->h = taken ? h : 0;
}

static void click(struct api_state *s, struct fuzz_input *input)
{
	int x = small_number(input), y = small_number(input), before = tapcut_session_click_count(s->session);
	bool taken = tapcut_session_click(s->session, x, y, fuzz_byte(input) & 1) == TAPCUT_OK;
	fuzz_require(tapcut_session_click_count(s->session) == before + taken);
	fuzz_require(!taken || (x >= 0 && y >= 0 && x < s->w && y < s->h));
}

static void take_mask(struct api_state *s)
{
	memset(s->plane, 7, sizeof s->plane);
	if (tapcut_session_mask(s->session, s->plane, FUZZ_SIDE) != TAPCUT_OK)
		return;
	for (int y = 0; y < FUZZ_SIDE; y++)
		for (int x = 0; x < FUZZ_SIDE; x++) {
			uint8_t value = s->plane[y * FUZZ_SIDE + x];
			fuzz_require(x < s->w && y < s->h ? value == 0 || value == 255 : value == 7);
		}
}

static void edit(struct api_state *s, struct fuzz_input *input)
{
	struct tapcut_edit edit;
	struct tapcut_photo photo = {s->photo, 3 * FUZZ_SIDE, s->plane, FUZZ_SIDE, FUZZ_SIDE, FUZZ_SIDE};
	char message[TAPCUT_MESSAGE_SIZE];
	tapcut_edit_init(&edit, small_number(input) % 32);
	edit.amount = (float)small_number(input) / 8;
	edit.where = (enum tapcut_where)(fuzz_byte(input) % 4);
	edit.depth = (float)small_number(input) / 100;
	memset(s->plane, 200, sizeof s->plane);
	tapcut_edit_apply(&edit, small_number(input) % 2, &photo, NULL, message);
}

static void call(struct api_state *s, struct fuzz_input *input)
{
	switch (fuzz_byte(input) % 11) {
	case 0: set_image(s, input); break;
	case 1:
	case 2:
	case 3: click(s, input); break;
	case 4: tapcut_session_undo(s->session); break;
	case 5: take_mask(s); break;
	case 6: tapcut_session_alpha(s->session, s->plane, FUZZ_SIDE); break;
	case 7:
		tapcut_session_preview(s->session, s->plane, small_number(input) % (FUZZ_SIDE + 1),
				       small_number(input) % (FUZZ_SIDE + 1), FUZZ_SIDE);
		break;
	case 8: tapcut_session_set_feather(s->session, (float)small_number(input)); break;
	case 9: tapcut_session_cancel(s->session); break;
	case 10: edit(s, input); break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct tapcut_options options;
	static struct api_state state;
	char message[TAPCUT_MESSAGE_SIZE] = "";
	tapcut_options_init(&options);
	options.size = small_number(&input);
	options.no_zoom = fuzz_byte(&input) & 1;
	options.one_look = fuzz_byte(&input) & 1;
	options.graph_cut = fuzz_byte(&input) & 1;
	options.hole_limit = small_number(&input);
	state = (struct api_state){.session = NULL};
	for (size_t i = 0; i < sizeof state.photo; i++)
		state.photo[i] = (uint8_t)(i * 37 >> 2);
	if (tapcut_session_new(small_model(), &options, &state.session, message) != TAPCUT_OK) {
		fuzz_require(message[0] && !state.session);
		return 0;
	}
	for (int calls = 0; input.left && calls < MOST_CALLS; calls++)
		call(&state, &input);
	while (tapcut_session_undo(state.session) == TAPCUT_OK)
		;
	fuzz_require(tapcut_session_click_count(state.session) == 0);
	take_mask(&state);
	tapcut_session_free(state.session);
	return 0;
}
