/* Networks as they are deployed, in files: read from a weights file, written in the formats of others. */
#ifndef TOOLS_NETWORK_FILE_H
#define TOOLS_NETWORK_FILE_H

#include <stdbool.h>

#include "core/status.h"
#include "infer/network.h"

bool path_ends_with(const char *path, const char *end);

/* Reads a .tapcut file; infer_network_release frees it. */
enum status network_file_read(const char *path, struct infer_network *network);

/* Writes an ONNX file (convert/onnx.h) and prints what it is. Its inputs are squares of the network's default size,
 * or of any size. */
enum status network_file_write_onnx(const struct infer_network *network, bool any_size, const char *path);

#endif
