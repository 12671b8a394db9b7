/* See child.h. */
#include "tools/bench/child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_SIZE = 4096 };

extern char **environ;

static int spawn(struct bench_child *child, char *const *arguments, const int *in, const int *out)
{
	pid_t pid;
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	for (int i = 0; i < 2; i++) {
		posix_spawn_file_actions_addclose(&actions, in[i]);
		posix_spawn_file_actions_addclose(&actions, out[i]);
	}
	int error = posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (!error)
		child->pid = (int)pid;
	return error;
}

int bench_child_start(struct bench_child *child, const char *name, char *const *arguments)
{
	int in[2], out[2];
	*child = (struct bench_child){.name = name};
	signal(SIGPIPE, SIG_IGN); /* a child that died is told by its missing answer */
	if (pipe(in) != 0)
		return errno;
	if (pipe(out) != 0) {
		int error = errno;
		close(in[0]);
		close(in[1]);
		return error;
	}
	int error = spawn(child, arguments, in, out);
	close(in[0]);
	close(out[1]);
	if (error) {
		close(in[1]);
		close(out[0]);
		return error;
	}
	child->to = fdopen(in[1], "w");
	child->from = fdopen(out[0], "r");
	return 0;
}

enum status bench_child_answer(struct bench_child *child, struct json **answer)
{
	char line[LINE_SIZE];
	if (!child->from || !fgets(line, sizeof line, child->from))
		return status_fail(STATUS_IO, "%s ended without an answer", child->name);
	return json_parse(line, strlen(line), child->name, answer);
}

void bench_child_stop(struct bench_child *child)
{
	if (child->to)
		fclose(child->to);
	if (child->from)
		fclose(child->from);
	if (child->pid)
		waitpid((pid_t)child->pid, NULL, 0);
	*child = (struct bench_child){0};
}
