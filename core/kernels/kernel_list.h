/* Every kernel, one line each: KERNEL_FUNCTION(type, name, arguments) admits KERNEL(name) of this folder. Included by
 * core/kernels.h (the table's fields), kernel.h (prototypes) and table.c (the table). */
KERNEL_FUNCTION(int, gemm_panel, (void))
KERNEL_FUNCTION(void, gemm_pack, (const struct gemm_source *source, float *packed))
KERNEL_FUNCTION(void, gemm, (const struct gemm *g))
KERNEL_FUNCTION(void, relu, (float *y, const float *x, size_t count))
KERNEL_FUNCTION(void, relu_grad, (float *x_grad, const float *y, const float *y_grad, size_t count, bool add))
KERNEL_FUNCTION(void, leaky_relu, (float *y, const float *x, float slope, size_t count))
KERNEL_FUNCTION(void, leaky_relu_grad,
		(float *x_grad, const float *y, const float *y_grad, float slope, size_t count, bool add))
KERNEL_FUNCTION(void, sigmoid, (float *y, const float *x, size_t count))
KERNEL_FUNCTION(void, sigmoid_grad, (float *x_grad, const float *y, const float *y_grad, size_t count, bool add))
KERNEL_FUNCTION(void, tanh_floats, (float *y, const float *x, size_t count))
KERNEL_FUNCTION(void, tanh_grad, (float *x_grad, const float *y, const float *y_grad, size_t count, bool add))
KERNEL_FUNCTION(void, subtract_floats, (float *out, const float *a, const float *b, size_t count))
KERNEL_FUNCTION(void, add_floats, (float *out, const float *a, const float *b, size_t count))
KERNEL_FUNCTION(void, multiply_floats, (float *out, const float *a, const float *b, size_t count, bool add))
KERNEL_FUNCTION(void, scale_floats, (float *to, const float *from, float factor, size_t count, bool add))
KERNEL_FUNCTION(void, scale_kept,
		(float *to, const float *from, const uint8_t *kept, float factor, size_t count, bool add))
KERNEL_FUNCTION(void, max_pool2d, (const struct max_pool2d *p, const float *x, float *y, uint8_t *winners, float *line))
KERNEL_FUNCTION(void, conv2d_single_forward, (const struct conv2d_single_forward *f))
KERNEL_FUNCTION(void, conv2d_single_backward, (const struct conv2d_single_backward *b))
KERNEL_FUNCTION(void, max_pool2d_grad,
		(const struct max_pool2d *p, const float *y_grad, const uint8_t *winners, float *x_grad, bool add))
KERNEL_FUNCTION(void, avg_pool2d, (const struct avg_pool2d *p, const float *x, float *y))
KERNEL_FUNCTION(void, avg_pool2d_grad, (const struct avg_pool2d *p, const float *y_grad, float *x_grad, bool add))
KERNEL_FUNCTION(void, upsample_bilinear, (const struct upsample *u, const float *in, float *out, float *line))
KERNEL_FUNCTION(void, upsample_bilinear_grad,
		(const struct upsample *u, const float *out_grad, float *in_grad, float *line, bool add))
KERNEL_FUNCTION(void, upsample_nearest, (const struct upsample *u, const float *in, float *out))
KERNEL_FUNCTION(void, upsample_nearest_grad,
		(const struct upsample *u, const float *out_grad, float *in_grad, bool add))
KERNEL_FUNCTION(void, channel_sums, (const float *x, size_t pixels, int channels, double *sum))
KERNEL_FUNCTION(void, channel_products, (const float *x, const float *y, size_t pixels, int channels, double *sum))
KERNEL_FUNCTION(void, channel_squares, (const float *x, const double *mean, size_t pixels, int channels, double *sum))
KERNEL_FUNCTION(void, channel_centred_products,
		(const float *a, const float *x, const double *mean, size_t pixels, int channels, double *sum))
KERNEL_FUNCTION(void, channel_add, (float *y, const float *x, const float *value, size_t pixels, int channels))
KERNEL_FUNCTION(void, channel_scale,
		(float *y, const float *x, const float *value, size_t pixels, int channels, bool add))
KERNEL_FUNCTION(void, channel_fill, (float *y, const float *value, size_t pixels, int channels, bool add))
KERNEL_FUNCTION(void, channel_normalise,
		(float *y, const float *x, const float *mean, const float *factor, const float *bias, size_t pixels,
		 int channels))
KERNEL_FUNCTION(void, channel_normalise_grad,
		(const struct channel_normalise_grad *n, size_t pixels, int channels, bool add))
KERNEL_FUNCTION(void, layer_norm, (const struct layer_norm *n))
KERNEL_FUNCTION(void, layer_norm_grad, (const struct layer_norm_grad *n, bool add))
/* Each of the first floats of sums[FMA_PEAK_FLOATS], as many as the registers hold, goes through `rounds` multiply-adds
 * x = 0.75 x + 0.25. Returns the floating-point operations done. */
KERNEL_FUNCTION(double, fma_peak, (int rounds, float *sums))

/* Losses and sums over pixels. */
KERNEL_FUNCTION(void, focal_terms, (const struct focal_block *block))
KERNEL_FUNCTION(void, bce_terms, (const float *logit, const float *target, size_t count, float *term, float *slope))
KERNEL_FUNCTION(void, softmax_terms, (const struct softmax_block *block))
KERNEL_FUNCTION(void, overlap_terms, (const struct overlap_block *block))
KERNEL_FUNCTION(void, overlap_slopes,
		(const float *logit, const float *target, size_t count, float by_product, float by_predicted,
		 float *slope))
KERNEL_FUNCTION(size_t, count_valid, (const float *target, size_t count))
KERNEL_FUNCTION(double, sum_floats, (const float *x, size_t count))
KERNEL_FUNCTION(double, sum_of_squares, (const float *x, size_t count))
KERNEL_FUNCTION(void, epilogue_grad, (const struct epilogue_grad *e))
/* B^T d B, its adjoint (adds overlapping patches; without `add` what no patch before reached is stored). */
KERNEL_FUNCTION(void, winograd_input,
		(const struct winograd_map *map, const float *x, const struct winograd_tile *tiles, int count,
		 const struct winograd_matrices *v))
KERNEL_FUNCTION(void, winograd_input_adjoint,
		(const struct winograd_map *map, const struct winograd_matrices *v, const struct winograd_tile *tiles,
		 int count, bool add, float *x))
/* A^T m A with its epilogue, and its adjoint. */
KERNEL_FUNCTION(void, winograd_output,
		(const struct winograd_map *map, const struct winograd_matrices *m, const struct winograd_tile *tiles,
		 int count, const struct winograd_epilogue *epilogue, float *y))
KERNEL_FUNCTION(void, winograd_output_adjoint,
		(const struct winograd_map *map, const float *y, const struct winograd_tile *tiles, int count,
		 const struct winograd_matrices *m))
/* scale * G g G^T into the panels of winograd_products, and its adjoint: u[f][row][col] -> grad[row][col][9], added. */
KERNEL_FUNCTION(void, winograd_filter, (const struct winograd_filters *filters, float *u, ptrdiff_t frequency))
KERNEL_FUNCTION(void, winograd_filter_adjoint,
		(const float *u, ptrdiff_t frequency, int rows, int cols, ptrdiff_t pitch, float scale, float *grad))

/* Values as 8 bits hold them (core/quantize.h): x = scale (limit(round(x / scale), -zero, 255 - zero)), in place. */
KERNEL_FUNCTION(void, fake_quantize, (float *x, size_t count, float scale, float zero))
/* The straight-through gradient: y_grad stays, but is 0 where y is at an end of the range. */
KERNEL_FUNCTION(void, fake_quantize_grad, (float *y_grad, const float *y, size_t count, float scale, float zero))
/* min(0, all x), max(0, all x) */
KERNEL_FUNCTION(void, value_range, (const float *x, size_t count, float *low, float *high))

/* Optimisers. */
KERNEL_FUNCTION(void, adam_update, (const struct adam_run *run))
KERNEL_FUNCTION(void, sgd_update, (const struct sgd_run *run))
/* values += rate * (target - values) */
KERNEL_FUNCTION(void, move_towards, (float *values, const float *target, size_t count, float rate))
/* slots[0] += the others along the tree of core/slot_tree.h, floats begin..begin+count-1. */
KERNEL_FUNCTION(void, slot_sum_2, (float *const *slots, size_t begin, size_t count))
KERNEL_FUNCTION(void, slot_sum_4, (float *const *slots, size_t begin, size_t count))
KERNEL_FUNCTION(void, slot_sum_8, (float *const *slots, size_t begin, size_t count))
KERNEL_FUNCTION(void, winograd_products, (const struct winograd_products *p))
