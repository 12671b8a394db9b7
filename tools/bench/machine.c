/* What there is to compare with: the processor, how busy others keep it, and the most that its multiply-adds do. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/kernels.h"
#include "tools/bench/bench.h"

enum { PEAK_TRIES = 20 };

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double bench_median(double *values, int count)
{
	if (count < 1)
		return 0;
	qsort(values, (size_t)count, sizeof *values, compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void read_cpu_name(char *name, size_t size)
{
	char line[512];
	FILE *file = fopen("/proc/cpuinfo", "r");
	snprintf(name, size, "unknown processor");
	while (file && fgets(line, sizeof line, file)) {
		char *colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) != 0 || !colon)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(name, size, "%.100s", colon + 2);
		break;
	}
	if (file)
		fclose(file);
}

/* Ticks since boot of all processors: all, and idle ones. */
static bool read_ticks(double *all, double *idle)
{
	double user = 0, nice = 0, system = 0, waiting = 0, irq[4] = {0};
	FILE *file = fopen("/proc/stat", "r");
	int found = file ? fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user, &nice, &system, idle, &waiting,
				  &irq[0], &irq[1], &irq[2])
			 : 0;
	if (file)
		fclose(file);
	*idle += waiting;
	*all = user + nice + system + *idle + irq[0] + irq[1] + irq[2];
	return found == 8;
}

static double read_idle(void)
{
	double all[2], idle[2];
	struct timespec wait = {.tv_nsec = 500 * 1000 * 1000};
	if (!read_ticks(&all[0], &idle[0]))
		return -1;
	nanosleep(&wait, NULL);
	if (!read_ticks(&all[1], &idle[1]) || all[1] <= all[0])
		return -1;
	return (idle[1] - idle[0]) / (all[1] - all[0]);
}

/* The best of short tries: the peak is what the processor can do when nothing disturbs it. */
static void measure_peak(void *context, int index, int thread)
{
	double *best = (double *)context + index;
	float sums[FMA_PEAK_FLOATS] = {0};
	int rounds = 1000;
	(void)thread;
	for (int i = 0; i < PEAK_TRIES; i++) {
		double start = clock_thread_seconds();
		double flops = kernels()->fma_peak(rounds, sums);
		double spent = clock_thread_seconds() - start;
		if (spent > 0 && flops / spent > *best)
			*best = flops / spent;
		if (spent < 2e-3) {
			rounds *= 2;
			i = 0;
		}
	}
}

void bench_machine_look(struct bench_machine *machine, struct workers *workers)
{
	*machine = (struct bench_machine){.processors = sysconf(_SC_NPROCESSORS_ONLN),
					  .threads = workers_threads(workers)};
	read_cpu_name(machine->cpu, sizeof machine->cpu);
	machine->idle = read_idle();
	measure_peak(&machine->peak_one, 0, 0);
	double *each = calloc((size_t)machine->threads, sizeof *each);
	if (each)
		workers_run(workers, machine->threads, measure_peak, each);
	machine->peak_each = each ? bench_median(each, machine->threads) : machine->peak_one;
	free(each);
}
