/* Runs a command and writes "SECONDS PEAK_KIB" to a file: wall time and largest resident memory, as the kernel counted
 * them for this one process. (GNU time does the same but is not everywhere.)
 *
 *   peak FILE COMMAND ARGUMENT... */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	double start = now();
	if (argc < 3) {
		fprintf(stderr, "usage: peak FILE COMMAND ARGUMENT...\n");
		return 2;
	}
	pid_t pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
		perror("peak");
		return 1;
	}
	FILE *file = fopen(argv[1], "w");
	if (!file) {
		perror(argv[1]);
		return 1;
	}
	fprintf(file, "%.3f %ld\n", now() - start, usage.ru_maxrss);
	return fclose(file) == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
