/* The lists that op_list.h spells. */
#include "core/ops/ops.h"

#define OP(name) &op_##name,
const struct op *const op_list[] = {
#include "core/ops/op_list.h"
	NULL,
};

#define OP(name)
#define ACTIVATION(name) &op_##name,
const struct op *const activations[] = {
#include "core/ops/op_list.h"
	NULL,
};

#define OP(name)
#define ACTIVATION(name) #name,
const char *const activation_names[] = {
#include "core/ops/op_list.h"
	NULL,
};
