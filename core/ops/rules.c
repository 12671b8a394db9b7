/* See rules.h. */
#include "core/ops/rules.h"

#include <limits.h>

static enum status count_failure(const struct op *op, const char *what, int low, int high, int found)
{
	return status_fail(STATUS_CONFIG, "%s: expected %d to %d %s, found %d", op->name, low, high, what, found);
}

enum status rule_counts(const struct op *op, int input_count, int param_count)
{
	if (input_count < op->min_inputs || input_count > op->max_inputs)
		return count_failure(op, "inputs", op->min_inputs, op->max_inputs, input_count);
	if (param_count < op->min_params || param_count > op->max_params)
		return count_failure(op, "parameters", op->min_params, op->max_params, param_count);
	return STATUS_OK;
}

static enum status expect_shape(const struct op *op, const char *what, int index, struct shape expected,
				struct shape found)
{
	if (shape_equal(expected, found))
		return STATUS_OK;
	return status_fail(STATUS_CONFIG, "%s: %s %d: expected shape (" SHAPE_FORMAT "), found (" SHAPE_FORMAT ")",
			   op->name, what, index, SHAPE_ARGS(expected), SHAPE_ARGS(found));
}

enum status rule_param(const struct op *op, int index, struct shape expected, struct shape found)
{
	return expect_shape(op, "parameter", index, expected, found);
}

enum status rule_input(const struct op *op, int index, struct shape expected, struct shape found)
{
	return expect_shape(op, "input", index, expected, found);
}

enum status rule_attr(const struct op *op, const char *attribute, double low, double high, double value)
{
	if (value >= low && value <= high) /* false for a NaN */
		return STATUS_OK;
	return status_fail(STATUS_CONFIG, "%s: expected %s in %g..%g, found %g", op->name, attribute, low, high, value);
}

enum status rule_output(const struct op *op, long long n, long long c, long long h, long long w, struct shape *out)
{
	if (n < 1 || c < 1 || h < 1 || w < 1)
		return status_fail(STATUS_CONFIG, "%s: input too small: output would be (%lld, %lld, %lld, %lld)",
				   op->name, n, c, h, w);
	if (n > INT_MAX / c || n * c > INT_MAX / h || n * c * h > INT_MAX / w)
		return status_fail(STATUS_LIMIT, "%s: output (%lld, %lld, %lld, %lld) has more than %d floats",
				   op->name, n, c, h, w, INT_MAX);
	*out = (struct shape){(int)n, (int)c, (int)h, (int)w};
	return STATUS_OK;
}

enum status rule_same(const struct op *op, const struct shape *in, int input_count, int param_count, struct shape *out)
{
	TRY(rule_counts(op, input_count, param_count));
	return rule_output(op, in[0].n, in[0].c, in[0].h, in[0].w, out);
}
