/* Checks that shape rules share. Each failure names the operator, what was expected and what was found. */
#ifndef CORE_OPS_RULES_H
#define CORE_OPS_RULES_H

#include "core/op.h"

/* The number of inputs and parameters is what the descriptor allows. */
enum status rule_counts(const struct op *op, int input_count, int param_count);

/* Parameter `index` has this shape. */
enum status rule_param(const struct op *op, int index, struct shape expected, struct shape found);

/* Input `index` has this shape. */
enum status rule_input(const struct op *op, int index, struct shape expected, struct shape found);

/* low <= value <= high for the attribute of that name. */
enum status rule_attr(const struct op *op, const char *attribute, double low, double high, double value);

/* Stores the output's shape if no side is below 1 and its floats can be counted in an int. */
enum status rule_output(const struct op *op, long long n, long long c, long long h, long long w, struct shape *out);

/* The shape rule of operators with one input whose output has the same shape. */
enum status rule_same(const struct op *op, const struct shape *in, int input_count, int param_count, struct shape *out);

#endif
