/* The report for people. */
#include <string.h>

#include "core/backend.h"
#include "core/blas.h"
#include "core/kernels.h"
#include "tools/bench/bench.h"

#define MIB (1024.0 * 1024.0)
#define BUSY 0.9 /* with less left idle, times are not the machine's own */

static double median_of(const double *values, int count)
{
	double copy[BENCH_MAX_REPEATS];
	memcpy(copy, values, (size_t)count * sizeof *copy);
	return bench_median(copy, count);
}

static void range_of(const double *values, int count, double *least, double *most)
{
	*least = *most = values[0];
	for (int i = 1; i < count; i++) {
		*least = values[i] < *least ? values[i] : *least;
		*most = values[i] > *most ? values[i] : *most;
	}
}

double bench_report_speed(const struct bench_report *report)
{
	return median_of(report->speed, report->repeats);
}

static void ratios(const struct bench_report *report, double *ratio)
{
	for (int i = 0; i < report->repeats; i++)
		ratio[i] = report->torch_speed[i] > 0 ? report->speed[i] / report->torch_speed[i] : 0;
}

double bench_report_ratio(const struct bench_report *report)
{
	double ratio[BENCH_MAX_REPEATS];
	ratios(report, ratio);
	return bench_median(ratio, report->repeats);
}

static double percent(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

static void print_machine(const struct bench_report *report, FILE *out)
{
	const struct bench_machine *machine = &report->machine;
	const struct config *config = report->config;
	fprintf(out, "%s: %dx%d, batch %d in slots of %d, %d thread%s, %d corrective round%s at most\n", config->name,
		config->train.size, config->train.size, config->train.batch_size, config->train.slot_size,
		machine->threads, machine->threads == 1 ? "" : "s", config->max_corrective_rounds,
		config->max_corrective_rounds == 1 ? "" : "s");
	fprintf(out, "machine    %s, %ld processor%s", machine->cpu, machine->processors,
		machine->processors == 1 ? "" : "s");
	if (machine->idle >= 0)
		fprintf(out, ", %.0f %% idle before%s", 100 * machine->idle,
			machine->idle < BUSY ? ": BUSY, the times below are not its own" : "");
	fprintf(out, "\ncompute    backend %s, core %s; instruction set %s; OpenBLAS core %s\n",
		backend_current()->name, backend_current()->core_name(), kernels()->isa, blas_core_name());
	fprintf(out, "FMA peak   %.1f GFLOP/s for one thread alone, %.1f for each of %d\n", 1e-9 * machine->peak_one,
		1e-9 * machine->peak_each, machine->threads);
	fprintf(out, "network    %zu parameters, %.0f multiply-adds forward per sample\n\n", report->parameters,
		report->macs);
}

static void print_training(const struct bench_report *report, FILE *out)
{
	double speed = bench_report_speed(report), least, most;
	struct profile_row total = profile_total(report->kinds, report->kind_count);
	double forward = total.seconds[PROFILE_FORWARD], backward = total.seconds[PROFILE_BACKWARD];
	double flops = total.flops[PROFILE_FORWARD] + total.flops[PROFILE_BACKWARD];
	range_of(report->speed, report->repeats, &least, &most);
	fprintf(out,
		"training   %.2f samples/s, %.2f ms per sample (median of %d x %d steps: %.2f to %.2f samples/s; "
		"best step %.2f)\n",
		speed, 1e3 / speed, report->repeats, report->limit.steps, least, most, report->best);
	double known = forward + backward + report->parts.prepare + report->parts.sum + report->optimiser_cpu;
	fprintf(out,
		"           %.2f ms of thread time per sample: forward %.2f, backward %.2f, weights packed %.2f,\n"
		"           slots summed %.2f, norm and optimiser %.2f, rest %.2f (inputs, clicks, zeroed gradients, "
		"IoU)\n",
		1e3 * report->cpu, 1e3 * forward, 1e3 * backward, 1e3 * report->parts.prepare, 1e3 * report->parts.sum,
		1e3 * report->optimiser_cpu, 1e3 * (report->cpu - known));
	fprintf(out, "           %.2f GFLOP per sample: %.1f GFLOP/s, %.0f %% of the peak of %d thread%s\n",
		1e-9 * flops, 1e-9 * flops * speed,
		percent(flops * speed, report->machine.peak_each * report->machine.threads), report->machine.threads,
		report->machine.threads == 1 ? "" : "s");
	fprintf(out,
		"memory     arena %.1f MiB per thread, %.1f MiB with the gradients of all slots; process %.1f MiB at "
		"its peak\n",
		(double)report->arena_bytes / MIB, (double)report->batch_bytes / MIB, (double)report->peak_rss / MIB);
}

static void print_rest(const struct bench_report *report, FILE *out)
{
	const struct bench_loader *loader = &report->loader;
	const struct bench_inference *inference = &report->inference;
	fprintf(out,
		"loader     %.2f ms of thread time per sample (photos of %dx%d), %.1f %% of the step's; clicks "
		"%.2f ms, %.1f %%\n",
		1e3 * loader->load, loader->width, loader->height, percent(loader->load, report->cpu),
		1e3 * loader->click, percent(loader->click, report->cpu));
	fprintf(out,
		"inference  %dx%d, one thread: photo %.2f ms, first click %.2f ms, second %.2f ms; session %.1f MiB\n",
		inference->size, inference->size, 1e3 * inference->set_image, 1e3 * inference->first_click,
		1e3 * inference->second_click, (double)inference->session_bytes / MIB);
}

static void print_torch(const struct bench_report *report, FILE *out)
{
	const struct bench_torch *torch = &report->torch;
	double ratio[BENCH_MAX_REPEATS] = {0}, least, most;
	if (!report->against_torch)
		return;
	if (torch->skipped) {
		fprintf(out, "PyTorch    skipped: %s\n", torch->reason);
		return;
	}
	ratios(report, ratio);
	range_of(ratio, report->repeats, &least, &most);
	fprintf(out, "PyTorch    %s, %s (%s %.2f, %s %.2f samples/s at first), the same parameters and multiply-adds\n",
		torch->version, torch->format, bench_torch_formats[0], torch->format_speed[0], bench_torch_formats[1],
		torch->format_speed[1]);
	fprintf(out,
		"           tapcut %.2f samples/s, PyTorch %.2f: %.2f times as fast (median of %d pairs: %.2f to "
		"%.2f)\n",
		bench_report_speed(report), median_of(report->torch_speed, report->repeats), bench_report_ratio(report),
		report->repeats, least, most);
	fprintf(out,
		"           best step of each: %.2f and %.2f samples/s, %.2f times; thread time per sample: %.2f and "
		"%.2f ms, %.2f times\n",
		report->best, report->torch_best, report->best / report->torch_best, 1e3 * report->cpu,
		1e3 * report->torch_cpu, report->torch_cpu / report->cpu);
	if (report->machine.idle >= 0 && report->machine.idle < BUSY)
		fprintf(out,
			"           The machine is busy. PyTorch's threads wait for each other at every operator and\n"
			"           lose more by it than ours: only figures from an idle machine compare the two.\n");
}

/* ms, GFLOP/s, share of the peak, and of the step if `step` > 0. */
static void print_pass(const struct profile_row *row, enum profile_pass pass, double peak, double step, FILE *out)
{
	double speed = profile_speed(row, pass);
	fprintf(out, " | %7.3f", 1e3 * row->seconds[pass]);
	if (speed > 0)
		fprintf(out, " %7.1f %5.0f", speed, percent(1e9 * speed, peak));
	else
		fprintf(out, " %7s %5s", "", "");
	if (step > 0)
		fprintf(out, " %5.1f", percent(row->seconds[pass], step));
}

static void print_row(const struct bench_report *report, const struct profile_row *row, FILE *out)
{
	double peak = report->machine.peak_each;
	fprintf(out, "%-36.36s %4d %7.2f", row->name, row->nodes, 1e-6 * row->flops[PROFILE_FORWARD]);
	print_pass(row, PROFILE_FORWARD, peak, report->cpu, out);
	print_pass(row, PROFILE_BACKWARD, peak, report->cpu, out);
	if (row->flops[PROFILE_WEIGHT] > 0) {
		print_pass(row, PROFILE_DATA, peak, 0, out);
		print_pass(row, PROFILE_WEIGHT, peak, 0, out);
	}
	fputc('\n', out);
}

static void print_table(const struct bench_report *report, const char *what, const struct profile_row *rows, int count,
			FILE *out)
{
	fprintf(out, "\n%-49s | %-27s | %-27s | %-21s | %s\n", "", "forward", "backward", "  to the inputs",
		"  to the weights");
	fprintf(out, "%-36s %4s %7s", what, "nodes", "MFLOP");
	for (int i = 0; i < 4; i++)
		fprintf(out, " | %7s %7s %5s%s", "ms", "GFLOP/s", "peak%", i < 2 ? " step%" : "");
	fputc('\n', out);
	for (int i = 0; i < count; i++)
		if (rows[i].nodes)
			print_row(report, &rows[i], out);
	struct profile_row total = profile_total(rows, count);
	print_row(report, &total, out);
}

void bench_print(const struct bench_report *report, FILE *out)
{
	print_machine(report, out);
	print_training(report, out);
	print_rest(report, out);
	print_torch(report, out);
	print_table(report, "kind of operator", report->kinds, report->kind_count, out);
	if (report->show_nodes)
		print_table(report, "node", report->nodes, report->node_count, out);
	fputs("\nThread time per sample, medians over the steps. MFLOP: of the forward pass, two per multiply-add\n"
	      "of the direct convolution, so that a Winograd convolution may exceed 100 % of the peak. step%: share\n"
	      "of the whole step's thread time.\n",
	      out);
}
