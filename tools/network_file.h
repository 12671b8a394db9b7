/* Networks as they are deployed, in files: read from a weights file, written in the formats of others. */
#ifndef TOOLS_NETWORK_FILE_H
#define TOOLS_NETWORK_FILE_H

#include <stdbool.h>

#include "core/status.h"
#include "infer/network/network.h"

bool path_ends_with(const char *path, const char *end);

/* Reads a .tapcut file; infer_network_release frees it. */
enum status network_file_read(const char *path, struct infer_network *network);

/* Writes a weights file as safetensors (convert/network_safetensors.h), and the other way. */
enum status network_file_to_safetensors(const char *from, const char *to);
enum status network_file_from_safetensors(const char *from, const char *to);
/* Whether a safetensors file is one of those; false where it cannot be read. */
bool network_file_is_safetensors(const char *path);

/* Which ONNX file (convert/onnx.h): its inputs are squares of the network's default size, or of any size; float, or in
 * 8 bits. */
struct onnx_form {
	bool any_size, qdq;
};
/* Writes it and prints what it is. */
enum status network_file_write_onnx(const struct infer_network *network, const struct onnx_form *form,
				    const char *path);

#endif
