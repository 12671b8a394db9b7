/* See network_file.h. */
#include "tools/network_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert/network_safetensors.h"
#include "convert/onnx.h"
#include "core/atomic_file.h"
#include "infer/tapcut.h"

enum { MAX_BYTES = 300 * 1000 * 1000 }; /* above what FORMAT.md allows */

bool path_ends_with(const char *path, const char *end)
{
	size_t length = strlen(path), tail = strlen(end);
	return length >= tail && strcmp(path + length - tail, end) == 0;
}

enum status network_file_read(const char *path, struct infer_network *network)
{
	char *data, message[TAPCUT_MESSAGE_SIZE];
	size_t size;
	TRY(file_read(path, MAX_BYTES, &data, &size));
	int code = infer_network_parse(data, size, network, message);
	free(data);
	return code == TAPCUT_OK ? STATUS_OK : status_fail(STATUS_FORMAT, "%s: %s", path, message);
}

enum status network_file_write_onnx(const struct infer_network *network, const struct onnx_form *form, const char *path)
{
	int side = form->any_size ? 0 : infer_network_side(network);
	unsigned char *data;
	size_t size;
	TRY(onnx_write(network, &(struct onnx_options){side, side, form->qdq}, &data, &size));
	enum status status = atomic_file_write(path, &(struct file_part){data, size}, 1);
	free(data);
	if (status != STATUS_OK)
		return status;
	printf("%s: ONNX, opset 13, %s%s, %zu bytes\n", path, form->qdq ? "8 bits (QDQ), " : "", network->architecture,
	       size);
	char sides[32];
	snprintf(sides, sizeof sides, form->any_size ? "H,W" : "%d,%d", side, side);
	printf("inputs      image (1,3,%s)", sides);
	if (!network->class_count)
		printf(", clicks (1,%d,%s)", infer_click_planes(&network->preprocess), sides);
	printf("%s\n", form->any_size ? ", H and W multiples of 16" : "");
	return STATUS_OK;
}

enum status network_file_to_safetensors(const char *from, const char *to)
{
	char *data;
	size_t size;
	TRY(file_read(from, MAX_BYTES, &data, &size));
	enum status status = network_safetensors_export((const unsigned char *)data, size, to);
	free(data);
	if (status != STATUS_OK)
		return status_wrap(status, "%s", from);
	printf("%s: the tensors of %s as they are stored, and its records\n", to, from);
	return STATUS_OK;
}

bool network_file_is_safetensors(const char *path)
{
	struct safetensors file;
	if (safetensors_read(&file, path) != STATUS_OK)
		return false;
	bool is = network_safetensors_is(&file);
	safetensors_release(&file);
	return is;
}

enum status network_file_from_safetensors(const char *from, const char *to)
{
	struct safetensors file;
	unsigned char *data;
	size_t size;
	TRY(safetensors_read(&file, from));
	enum status status = network_safetensors_import(&file, &data, &size);
	safetensors_release(&file);
	if (status != STATUS_OK)
		return status_wrap(status, "%s", from);
	status = atomic_file_write(to, &(struct file_part){data, size}, 1);
	free(data);
	if (status == STATUS_OK)
		printf("%s: a weights file of %zu bytes, put together from %s\n", to, size, from);
	return status;
}
