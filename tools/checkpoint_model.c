/* See checkpoint_model.h. */
#include "tools/checkpoint_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/safetensors.h"
#include "core/atomic_file.h"
#include "core/sha256.h"
#include "infer/tapcut.h"
#include "tools/network_file.h"
#include "train/validate.h"

/* --- writing -------------------------------------------------------------- */

static void print_digest(const void *data, size_t size)
{
	struct sha256 sha;
	uint8_t digest[32];
	char hex[65];
	sha256_init(&sha);
	sha256_update(&sha, data, size);
	sha256_final(&sha, digest);
	sha256_hex(digest, hex);
	printf("sha256      %s\n", hex);
}

static void print_loss(const struct export_loss *loss)
{
	static const char *const types[] = {"f32", "f16", "int8", "codebook"};
	char dims[64];
	snprintf(dims, sizeof dims, "%dx%dx%dx%d", loss->dims[0], loss->dims[1], loss->dims[2], loss->dims[3]);
	printf("  %-36s %-8s %-14s max %.5f %%  rms %.5f %%\n", loss->name, types[loss->type], dims,
	       100 * loss->error.max_relative, 100 * loss->error.rms_relative);
}

/* All tensors, or the two that lost most. */
static void print_losses(const struct export_loss *losses, int count, bool verbose)
{
	int max = 0, rms = 0;
	for (int i = 0; i < count; i++) {
		if (verbose)
			print_loss(&losses[i]);
		if (losses[i].error.max_relative > losses[max].error.max_relative)
			max = i;
		if (losses[i].error.rms_relative > losses[rms].error.rms_relative)
			rms = i;
	}
	if (losses[max].error.max_relative == 0)
		printf("rounding    none\n");
	else
		printf("rounding    at most %.4f %% of a tensor's largest number (%s),\n"
		       "            at most %.4f %% of its rms (%s)\n",
		       100 * losses[max].error.max_relative, losses[max].name, 100 * losses[rms].error.rms_relative,
		       losses[rms].name);
}

static enum status write_weights(const struct checkpoint_model *loaded, enum export_weights weights, const char *path,
				 bool verbose)
{
	struct export_options options = deploy_options(&loaded->config, weights);
	struct export_loss *losses;
	unsigned char *data;
	size_t size;
	int count;
	TRY(export_memory(&loaded->model, &loaded->config.model, loaded->params.values, &options, &data, &size));
	enum status status = atomic_file_write(path, &(struct file_part){data, size}, 1);
	if (status == STATUS_OK)
		status = export_compare(&loaded->model, loaded->params.values, data, size, &losses, &count);
	if (status == STATUS_OK) {
		printf("%s: %s, %s%s, %zu bytes\n", path, loaded->config.name, export_weights_names[weights],
		       loaded->averaged ? ", averaged weights" : "", size);
		print_digest(data, size);
		print_losses(losses, count, verbose);
		free(losses);
	}
	free(data);
	return status;
}

/* In 8 bits from the weights as a file with --weights int8 has them, so that both give the same masks. */
static enum status write_onnx(const struct checkpoint_model *loaded, const struct onnx_form *form, const char *path)
{
	struct export_options options = deploy_options(&loaded->config, form->qdq ? EXPORT_INT8 : EXPORT_F32);
	struct infer_network network;
	char message[TAPCUT_MESSAGE_SIZE];
	unsigned char *data;
	size_t size;
	TRY(export_memory(&loaded->model, &loaded->config.model, loaded->params.values, &options, &data, &size));
	int code = infer_network_parse(data, size, &network, message);
	free(data);
	if (code != TAPCUT_OK)
		return status_fail(STATUS_FORMAT, "%s", message);
	enum status status = network_file_write_onnx(&network, form, path);
	infer_network_release(&network);
	return status;
}

enum status checkpoint_model_write(const struct checkpoint_model *loaded, const struct write_options *options,
				   const char *path)
{
	if (path_ends_with(path, ".onnx"))
		return write_onnx(loaded, &options->onnx, path);
	if (!path_ends_with(path, ".safetensors"))
		return write_weights(loaded, options->weights, path, options->verbose);
	TRY(safetensors_export(path, &loaded->params, loaded->params.values));
	printf("%s: %s, %d tensors, %zu parameters as F32%s\n", path, loaded->config.name, loaded->params.count,
	       loaded->params.total, loaded->averaged ? ", averaged weights" : "");
	return STATUS_OK;
}
