/* See kernels.h. */
#include "core/kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

extern const struct kernels kernels_table_generic;
#if defined(__x86_64__)
extern const struct kernels kernels_table_avx2, kernels_table_avx512;

/* __builtin_cpu_supports also asks whether the operating system saves the registers. */
static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
	return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

static bool always(void)
{
	return true;
}

struct choice {
	const struct kernels *table;
	bool (*supported)(void);
};

/* Slowest first. */
static const struct choice choices[] = {
	{&kernels_table_generic, always},
#if defined(__x86_64__)
	{&kernels_table_avx2, has_avx2},
	{&kernels_table_avx512, has_avx512},
#endif
};

enum { CHOICE_COUNT = sizeof choices / sizeof choices[0] };

#if defined(__x86_64__)
const char *const kernels_names[] = {"generic", "avx2", "avx512", NULL};
#define NAMES "generic, avx2 or avx512"
#else
const char *const kernels_names[] = {"generic", NULL};
#define NAMES "generic"
#endif

/* Several threads may find it NULL at once; they all store the same pointer. */
static _Atomic(const struct kernels *) current;

static const struct choice *find(const char *isa)
{
	for (int i = 0; i < CHOICE_COUNT; i++)
		if (strcmp(choices[i].table->isa, isa) == 0)
			return &choices[i];
	return NULL;
}

static const struct kernels *best(void)
{
	int i = CHOICE_COUNT - 1;
	while (!choices[i].supported())
		i--;
	return choices[i].table;
}

bool kernels_supported(const char *isa)
{
	const struct choice *choice = find(isa);
	return choice && choice->supported();
}

enum status kernels_select(const char *isa)
{
	const char *from = isa ? "" : "TAPCUT_ISA: ";
	if (!isa)
		isa = getenv("TAPCUT_ISA");
	if (!isa || !*isa) {
		atomic_store(&current, best());
		return STATUS_OK;
	}
	const struct choice *choice = find(isa);
	if (!choice)
		return status_fail(STATUS_CONFIG, "%sunknown instruction set \"%s\": expected " NAMES, from, isa);
	if (!choice->supported())
		return status_fail(STATUS_CONFIG, "%sthis processor has no \"%s\": its best set is \"%s\"", from, isa,
				   best()->isa);
	atomic_store(&current, choice->table);
	return STATUS_OK;
}

const struct kernels *kernels(void)
{
	const struct kernels *table = atomic_load_explicit(&current, memory_order_relaxed);
	if (table)
		return table;
	const char *wanted = getenv("TAPCUT_ISA");
	table = wanted && kernels_supported(wanted) ? find(wanted)->table : best();
	atomic_store(&current, table);
	return table;
}
