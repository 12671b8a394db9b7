/* See network_file.h. */
#include "tools/network_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum status network_file_write_onnx(const struct infer_network *network, bool any_size, const char *path)
{
	int side = any_size ? 0 : (network->default_size + 15) / 16 * 16;
	unsigned char *data;
	size_t size;
	TRY(onnx_write(network, &(struct onnx_options){ side, side }, &data, &size));
	enum status status = atomic_file_write(path, &(struct file_part){ data, size }, 1);
	free(data);
	if (status != STATUS_OK)
		return status;
	printf("%s: ONNX, opset 13, %s, %zu bytes\n", path, network->architecture, size);
	if (any_size)
		printf("inputs      image (1,3,H,W), clicks (1,%d,H,W), H and W multiples of 16\n",
		       infer_click_planes(&network->preprocess));
	else
		printf("inputs      image (1,3,%d,%d), clicks (1,%d,%d,%d)\n", side, side,
		       infer_click_planes(&network->preprocess), side, side);
	return STATUS_OK;
}
