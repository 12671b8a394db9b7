/* What a sample costs before the network sees it: the loader's work on generated photos, and its clicks. Both must be
 * small beside the step. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "data/dataset_open.h"
#include "data/loader.h"
#include "data/scenes.h"
#include "tools/bench/bench.h"

enum { PHOTOS = 8, SAMPLES = 32, WIDTH = 640, HEIGHT = 480, PATH_SIZE = 1024 };

static void remove_scenes(const char *dir)
{
	char path[PATH_SIZE + 64];
	for (int i = 1; i <= PHOTOS; i++) {
		snprintf(path, sizeof path, "%s/images/%06d.jpg", dir, i);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/instances.json", dir);
	unlink(path);
	snprintf(path, sizeof path, "%s/images", dir);
	rmdir(path);
	rmdir(dir);
}

static enum status write_scenes(char dir[PATH_SIZE])
{
	const char *tmp = getenv("TMPDIR");
	struct scenes_options options;
	if (snprintf(dir, PATH_SIZE, "%s/tapcut-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp") >= PATH_SIZE ||
	    !mkdtemp(dir))
		return status_fail(STATUS_IO, "%.200s: cannot make a temporary folder", dir);
	scenes_options_init(&options);
	options.out_dir = dir;
	options.count = PHOTOS;
	options.width = WIDTH;
	options.height = HEIGHT;
	enum status status = scenes_write(&options);
	if (status)
		remove_scenes(dir);
	return status;
}

/* The loader's thread is all that works while the caller waits, so the process's time is its. */
static enum status time_loading(const struct loader_options *options, struct loader **loader, struct sample **samples,
				struct bench_loader *figures)
{
	double start = clock_process_seconds();
	TRY(loader_new(options, loader));
	for (int i = 0; i < SAMPLES; i++) {
		samples[i] = loader_next(*loader);
		if (!samples[i])
			return STATUS_FORMAT; /* loader_next left the message */
	}
	figures->load = (clock_process_seconds() - start) / SAMPLES;
	return STATUS_OK;
}

static void draw_clicks(const struct config *config, const struct click_list *list, float *planes)
{
	struct infer_click clicks[CLICKS_MAX];
	for (int i = 0; i < list->count; i++)
		clicks[i] =
			(struct infer_click){(float)list->items[i].x, (float)list->items[i].y, list->items[i].positive};
	infer_draw_clicks(&config->preprocess, clicks, list->count, planes, config->train.size, config->train.size);
}

static enum status time_clicks(const struct config *config, struct sample **samples, struct bench_loader *figures)
{
	int size = config->train.size;
	struct click_list list;
	void *workspace = malloc(sampler_workspace(size, size));
	float *planes = malloc((size_t)INFER_CLICK_PLANES * (size_t)size * (size_t)size * sizeof *planes);
	double start = clock_thread_seconds(); /* the loader goes on with the next sample */
	for (int i = 0; workspace && planes && i < SAMPLES; i++) {
		struct rng rng = rng_stream(config->seed, 0, (uint64_t)i, RNG_CLICKS);
		sampler_first_clicks(&config->sampler, &rng, samples[i]->truth, samples[i]->others, size, size, &list,
				     workspace);
		draw_clicks(config, &list, planes);
	}
	figures->click = (clock_thread_seconds() - start) / SAMPLES;
	bool complete = workspace && planes;
	free(workspace);
	free(planes);
	return complete ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for clicks");
}

static enum status time_dataset(const struct config *config, const struct dataset *dataset,
				struct bench_loader *figures)
{
	struct loader_options options = {.dataset = dataset,
					 .augment = config->augment,
					 .size = config->train.size,
					 .seed = config->seed,
					 .threads = 1,
					 .prefetch = 1};
	struct loader *loader = NULL;
	struct sample *samples[SAMPLES];
	enum status status = time_loading(&options, &loader, samples, figures);
	if (!status)
		status = time_clicks(config, samples, figures);
	loader_free(loader);
	return status;
}

enum status bench_loader(const struct config *config, struct bench_loader *figures)
{
	char dir[PATH_SIZE], json[PATH_SIZE + 64];
	struct dataset dataset;
	*figures = (struct bench_loader){.samples = SAMPLES, .width = WIDTH, .height = HEIGHT};
	TRY(write_scenes(dir));
	snprintf(json, sizeof json, "%s/instances.json", dir);
	enum status status = dataset_open(&dataset, json, NULL, NULL);
	if (!status) {
		status = time_dataset(config, &dataset, figures);
		dataset_release(&dataset);
	}
	remove_scenes(dir);
	return status;
}
