/* The list that op_list.h spells. */
#include "core/ops/ops.h"

#define OP(name) &op_##name,
const struct op *const op_list[] = {
#include "core/ops/op_list.h"
	NULL,
};
