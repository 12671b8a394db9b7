/* See ops.h. The rows are at the end; before them their functions, in the order in which a row has them. */
#include "ops.h"

#include <stdarg.h>
#include <stdio.h>

#include "../common/bytes.h"
#include "../common/fail.h"
#include "../kernels/sigmoid.h"

/* --- f -------------------------------------------------------------------- */

static void relu(const struct infer_pointwise *p, const float *in, float *out, size_t count)
{
	(void)p;
	for (size_t i = 0; i < count; i++)
		out[i] = in[i] > 0 ? in[i] : 0;
}

/* The number is the slope. */
static void leaky_relu(const struct infer_pointwise *p, const float *in, float *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = in[i] > 0 ? in[i] : in[i] * p->number;
}

static void sigmoid(const struct infer_pointwise *p, const float *in, float *out, size_t count)
{
	(void)p;
	infer_sigmoid_array(in, out, count);
}

/* The number is the factor. In front of conv2ds the runner leaves it to their weights. */
static void scale(const struct infer_pointwise *p, const float *in, float *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = in[i] * p->number;
}

/* What is left of a batch_norm2d whose statistics are fixed. */
static void channel_affine(const struct infer_pointwise *p, const float *in, float *out, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = in[i] * p->scale[i] + p->shift[i];
}

static float near_zero(float x)
{
	return x < -10 ? -10 : x > 10 ? 10 : x;
}

/* x (1 + tanh(t)) / 2 = x sigmoid(2 t), t = sqrt(2 / pi) (x + 0.044715 x^3). Beyond +-10 the sigmoid is 0 or 1. */
static void gelu(const struct infer_pointwise *p, const float *in, float *out, size_t count)
{
	const float linear = 1.59576912f, cubic = 0.0713548163f; /* sqrt(8 / pi), and that times 0.044715 */
	(void)p;
	for (size_t i = 0; i < count; i++)
		out[i] = (linear + cubic * (near_zero(in[i]) * near_zero(in[i]))) * near_zero(in[i]);
	infer_sigmoid_array(out, out, count);
	for (size_t i = 0; i < count; i++)
		out[i] = in[i] > 10 ? in[i] : near_zero(in[i]) * out[i];
}

/* x min(max(x + 3, 0), 6) / 6 */
static void hard_swish(const struct infer_pointwise *p, const float *in, float *out, size_t count)
{
	(void)p;
	for (size_t i = 0; i < count; i++) {
		float gate = in[i] * (1.0f / 6) + 0.5f;
		gate = gate < 0 ? 0 : gate;
		out[i] = in[i] * (gate > 1 ? 1 : gate);
	}
}

/* --- shape ---------------------------------------------------------------- */

enum tapcut_status infer_fail_step(const struct infer_step_check *c, const char *format, ...)
{
	char where[64];
	const char *name = infer_op_name(c->step->op);
	snprintf(where, sizeof where, "step %d (%s)", c->index, name ? name : "unknown operator");
	va_list arguments;
	va_start(arguments, format);
	infer_fail_at(c->message, TAPCUT_FORMAT, where, format, arguments);
	va_end(arguments);
	return TAPCUT_FORMAT;
}

static const struct infer_tensor *step_tensor(const struct infer_step_check *c, int which)
{
	int index = c->step->tensor[which];
	return index < 0 ? NULL : &c->network->tensors[index];
}

/* A tensor that is a vector of `channels` numbers; none at all is fine here. */
static enum tapcut_status check_vector(const struct infer_step_check *c, int which, const char *what, int channels)
{
	const struct infer_tensor *t = step_tensor(c, which);
	if (t && (t->dims[0] != channels || t->dims[1] != 1 || t->dims[2] != 1 || t->dims[3] != 1))
		return infer_fail_step(c, "%s must be (%d,1,1,1), found (%d,%d,%d,%d)", what, channels, t->dims[0],
				       t->dims[1], t->dims[2], t->dims[3]);
	return TAPCUT_OK;
}

static enum tapcut_status shape_conv2d(const struct infer_step_check *c, struct infer_shape *out)
{
	const int *arg = c->step->args;
	const struct infer_tensor *w = step_tensor(c, 0);
	struct infer_shape in = c->in[0];
	if (w->dims[1] != in.c || w->dims[2] != arg[0] || w->dims[3] != arg[1])
		return infer_fail_step(c, "weight must be (O,%d,%d,%d), found (%d,%d,%d,%d)", in.c, arg[0], arg[1],
				       w->dims[0], w->dims[1], w->dims[2], w->dims[3]);
	int stride = arg[2], padding = arg[3], dilation = arg[4];
	int room_h = in.h + 2 * padding - dilation * (arg[0] - 1) - 1;
	int room_w = in.w + 2 * padding - dilation * (arg[1] - 1) - 1;
	if (room_h < 0 || room_w < 0)
		return infer_fail_step(c, "a %dx%d kernel with dilation %d does not fit a %dx%d input with padding %d",
				       arg[0], arg[1], dilation, in.h, in.w, padding);
	*out = (struct infer_shape){w->dims[0], room_h / stride + 1, room_w / stride + 1};
	return check_vector(c, 1, "bias", w->dims[0]);
}

static enum tapcut_status shape_conv_transpose2d(const struct infer_step_check *c, struct infer_shape *out)
{
	const int *arg = c->step->args;
	const struct infer_tensor *w = step_tensor(c, 0);
	struct infer_shape in = c->in[0];
	if (w->dims[0] != in.c || w->dims[2] != arg[0] || w->dims[3] != arg[0])
		return infer_fail_step(c, "weight must be (%d,O,%d,%d), found (%d,%d,%d,%d)", in.c, arg[0], arg[0],
				       w->dims[0], w->dims[1], w->dims[2], w->dims[3]);
	int grow = arg[0] - 2 * arg[2];
	*out = (struct infer_shape){w->dims[1], (in.h - 1) * arg[1] + grow, (in.w - 1) * arg[1] + grow};
	if (out->h < 1 || out->w < 1)
		return infer_fail_step(c, "padding %d leaves nothing of a %dx%d input", arg[2], in.h, in.w);
	return check_vector(c, 1, "bias", w->dims[1]);
}

/* Rounded up with ceil_mode, except that the last window must start inside the input or its left padding. 0: no window
 * fits. As in PyTorch, with ceil_mode a window may be larger than the input: 3x3 with stride 2 makes 1x1 of 2x2. */
static int pooled(int size, int kernel, int stride, int padding, bool ceil_mode)
{
	int room = size + 2 * padding - kernel + (ceil_mode ? stride - 1 : 0);
	if (room < 0)
		return 0;
	int out = room / stride + 1;
	if (ceil_mode && (out - 1) * stride >= size + padding)
		out--;
	return out;
}

static enum tapcut_status shape_max_pool2d(const struct infer_step_check *c, struct infer_shape *out)
{
	const int *arg = c->step->args;
	struct infer_shape in = c->in[0];
	int kernel = arg[0], stride = arg[1], padding = arg[2];
	if (2 * padding > kernel)
		return infer_fail_step(c, "padding %d is more than half of kernel %d", padding, kernel);
	*out = (struct infer_shape){in.c, pooled(in.h, kernel, stride, padding, arg[3]),
				    pooled(in.w, kernel, stride, padding, arg[3])};
	if (out->h < 1 || out->w < 1)
		return infer_fail_step(c, "kernel %d does not fit a %dx%d input with padding %d", kernel, in.h, in.w,
				       padding);
	return TAPCUT_OK;
}

static enum tapcut_status shape_global_avg_pool2d(const struct infer_step_check *c, struct infer_shape *out)
{
	*out = (struct infer_shape){c->in[0].c, 1, 1};
	return TAPCUT_OK;
}

static enum tapcut_status shape_upsample(const struct infer_step_check *c, struct infer_shape *out)
{
	struct infer_shape in = c->in[0];
	*out = (struct infer_shape){in.c, in.h * c->step->args[0], in.w * c->step->args[0]};
	return TAPCUT_OK;
}

static enum tapcut_status shape_concat(const struct infer_step_check *c, struct infer_shape *out)
{
	*out = c->in[0];
	for (int i = 1; i < c->step->input_count; i++) {
		if (c->in[i].h != out->h || c->in[i].w != out->w)
			return infer_fail_step(c, "inputs must have one size, found %dx%d and %dx%d", out->h, out->w,
					       c->in[i].h, c->in[i].w);
		out->c += c->in[i].c;
	}
	return TAPCUT_OK;
}

static bool shapes_equal(struct infer_shape a, int ch, int h, int w)
{
	return a.c == ch && a.h == h && a.w == w;
}

static enum tapcut_status shape_add(const struct infer_step_check *c, struct infer_shape *out)
{
	struct infer_shape a = c->in[0], b = c->in[1];
	*out = a;
	if (shapes_equal(b, a.c, a.h, a.w) || shapes_equal(b, a.c, 1, 1))
		return TAPCUT_OK;
	return infer_fail_step(c, "second input must be (%d,%d,%d) or (%d,1,1), found (%d,%d,%d)", a.c, a.h, a.w, a.c,
			       b.c, b.h, b.w);
}

static enum tapcut_status shape_mul(const struct infer_step_check *c, struct infer_shape *out)
{
	struct infer_shape a = c->in[0], b = c->in[1];
	*out = a;
	if (shapes_equal(b, a.c, a.h, a.w) || shapes_equal(b, a.c, 1, 1) || shapes_equal(b, 1, a.h, a.w))
		return TAPCUT_OK;
	return infer_fail_step(c, "second input must be (%d,%d,%d), (%d,1,1) or (1,%d,%d), found (%d,%d,%d)", a.c, a.h,
			       a.w, a.c, a.h, a.w, b.c, b.h, b.w);
}

static enum tapcut_status shape_channel_affine(const struct infer_step_check *c, struct infer_shape *out)
{
	*out = c->in[0];
	enum tapcut_status status = check_vector(c, 0, "scale", out->c);
	return status ? status : check_vector(c, 1, "shift", out->c);
}

/* --- rows ----------------------------------------------------------------- */

static struct infer_rows rows_of_windows(int kernel, int stride, int padding, int dilation, struct infer_rows out,
					 int height)
{
	int first = out.first * stride - padding;
	int end = (out.end - 1) * stride - padding + dilation * (kernel - 1) + 1;
	return (struct infer_rows){infer_max(first, 0), infer_min(end, height)};
}

static bool rows_conv2d(const struct infer_step *step, struct infer_rows out, int height, struct infer_rows *in)
{
	*in = rows_of_windows(step->args[0], step->args[2], step->args[3], step->args[4], out, height);
	return true;
}

static bool rows_max_pool2d(const struct infer_step *step, struct infer_rows out, int height, struct infer_rows *in)
{
	*in = rows_of_windows(step->args[0], step->args[1], step->args[2], 1, out, height);
	return true;
}

/* Half a source row away at most. */
static bool rows_upsample(const struct infer_step *step, struct infer_rows out, int height, struct infer_rows *in)
{
	int factor = step->args[0];
	in->first = infer_max(out.first / factor - 1, 0);
	in->end = infer_min((out.end - 1) / factor + 2, height);
	return true;
}

/* The same rows, unless it is one number for each channel. */
static bool rows_broadcast(const struct infer_step *step, struct infer_rows out, int height, struct infer_rows *in)
{
	(void)step;
	*in = out;
	return height > 1;
}

/* --- products ------------------------------------------------------------- */

static double products_conv2d(const struct infer_network *network, const struct infer_step *step)
{
	const int *dims = network->tensors[step->tensor[0]].dims;
	return (double)dims[1] * dims[2] * dims[3];
}

/* Each weight meets each number of the input once, and the output has stride x stride numbers for one of those. */
static double products_conv_transpose2d(const struct infer_network *network, const struct infer_step *step)
{
	const int *dims = network->tensors[step->tensor[0]].dims;
	return (double)dims[0] * dims[2] * dims[3] / (step->args[1] * step->args[1]);
}

/* --- one row per operator ------------------------------------------------- */

/* Numbers are part of the file format: never renumber, never reuse. */
static const struct infer_operator operators[] = {
	[INFER_OP_CONV2D] = {"conv2d", "kkspd", 1, 1, 1, 2, .version = 1, .relu = true,
			     .arg_names = "kernel x stride padding dilation", .shape = shape_conv2d,
			     .rows = rows_conv2d, .products = products_conv2d},
	[INFER_OP_CONV_TRANSPOSE2D] = {"conv_transpose2d", "ksp", 1, 1, 1, 2, .version = 1, .relu = true,
				       .no_bytes = true, .arg_names = "kernel stride padding",
				       .shape = shape_conv_transpose2d, .products = products_conv_transpose2d},
	[INFER_OP_RELU] = {"relu", "", 1, 1, 0, 0, .version = 1, .f = relu},
	[INFER_OP_LEAKY_RELU] = {"leaky_relu", "", 1, 1, 0, 0, .version = 1, .number = true, .f = leaky_relu},
	[INFER_OP_SIGMOID] = {"sigmoid", "", 1, 1, 0, 0, .version = 1, .f = sigmoid},
	[INFER_OP_MAX_POOL2D] = {"max_pool2d", "kspb", 1, 1, 0, 0, .version = 1, .keeps_range = true,
				 .arg_names = "kernel stride padding ceil", .shape = shape_max_pool2d,
				 .rows = rows_max_pool2d},
	[INFER_OP_GLOBAL_AVG_POOL2D] = {"global_avg_pool2d", "", 1, 1, 0, 0, .version = 1,
					.shape = shape_global_avg_pool2d},
	[INFER_OP_UPSAMPLE_NEAREST] = {"upsample_nearest", "f", 1, 1, 0, 0, .version = 1, .keeps_range = true,
				       .arg_names = "factor", .shape = shape_upsample, .rows = rows_upsample},
	[INFER_OP_UPSAMPLE_BILINEAR] = {"upsample_bilinear", "f", 1, 1, 0, 0, .version = 1, .keeps_range = true,
					.arg_names = "factor", .shape = shape_upsample, .rows = rows_upsample},
	[INFER_OP_CONCAT] = {"concat", "", 1, INFER_MAX_INPUTS, 0, 0, .version = 1, .shape = shape_concat},
	[INFER_OP_ADD] = {"add", "", 2, 2, 0, 0, .version = 1, .relu = true, .shape = shape_add,
			  .rows = rows_broadcast},
	[INFER_OP_MUL] = {"mul", "", 2, 2, 0, 0, .version = 1, .shape = shape_mul, .rows = rows_broadcast},
	[INFER_OP_SCALE] = {"scale", "", 1, 1, 0, 0, .version = 1, .number = true, .f = scale},
	[INFER_OP_CHANNEL_AFFINE] = {"channel_affine", "", 1, 1, 2, 2, .version = 1, .f = channel_affine,
				     .shape = shape_channel_affine},
	[15] = {"gelu", "", 1, 1, 0, 0, .version = 3, .f = gelu},
	[16] = {"hard_swish", "", 1, 1, 0, 0, .version = 3, .f = hard_swish},
};

enum { OPERATORS = sizeof operators / sizeof *operators };

const struct infer_operator *infer_operator(int op)
{
	return op >= 1 && op < OPERATORS ? &operators[op] : NULL;
}

int infer_op_last(void)
{
	return OPERATORS - 1;
}

const char *infer_op_name(int op)
{
	const struct infer_operator *row = infer_operator(op);
	return row ? row->name : NULL;
}

bool infer_step_rows(const struct infer_step *step, struct infer_rows out, int height, struct infer_rows *in)
{
	const struct infer_operator *row = &operators[step->op];
	*in = out;
	return row->rows ? row->rows(step, out, height, in) : row->f != NULL;
}

double infer_step_products(const struct infer_network *network, const struct infer_step *step)
{
	const struct infer_operator *row = &operators[step->op];
	return row->products ? row->products(network, step) : 0;
}
