/* Shell commands in tests, and whether the programs are here that they need. */
#ifndef TESTS_PORTS_SHELL_H
#define TESTS_PORTS_SHELL_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/support/test.h"

/* What the command printed on both streams, and its exit code. Static buffer. */
static inline const char *shell_try(int *code, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline const char *shell_try(int *code, const char *format, ...)
{
	static char output[1 << 16];
	char command[8192];
	va_list args;
	int start = snprintf(command, sizeof command, "exec 2>&1; unset MAKEFLAGS MFLAGS MAKELEVEL; ");
	va_start(args, format);
	int length = vsnprintf(command + start, sizeof command - (size_t)start, format, args);
	va_end(args);
	ck_assert(length > 0 && (size_t)(start + length) < sizeof command);
	FILE *pipe = popen(command, "r");
	ck_assert_ptr_nonnull(pipe);
	output[fread(output, 1, sizeof output - 1, pipe)] = '\0';
	int status = pclose(pipe);
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return output;
}

/* The same for a command that must succeed. */
#define shell(...)                                                                              \
	__extension__({                                                                         \
		int shell_code;                                                                 \
		const char *shell_output = shell_try(&shell_code, __VA_ARGS__);                 \
		ck_assert_msg(shell_code == 0, "ended with %d:\n%s", shell_code, shell_output); \
		shell_output;                                                                   \
	})

/* Whether a program is here; else says that `what` is skipped. */
static inline bool shell_has(const char *program, const char *what)
{
	int code;
	shell_try(&code, "command -v %s", program);
	if (code != 0)
		test_skip("%s: %s is not installed", what, program);
	return code == 0;
}

static inline const char *shell_build(void)
{
	return getenv("BUILD") ? getenv("BUILD") : "build";
}

/* The folder of the build without sanitizers, whose libraries and ports are tested in a build with them too. */
static inline const char *shell_plain(void)
{
	return getenv("PLAIN") ? getenv("PLAIN") : "build";
}

static inline const char *shell_compiler(void)
{
	return getenv("CC") ? getenv("CC") : "gcc";
}

#endif
