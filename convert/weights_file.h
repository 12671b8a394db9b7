/* A network as the bytes of a .tapcut file (infer/FORMAT.md); the other end of infer/reader.c. */
#ifndef CONVERT_WEIGHTS_FILE_H
#define CONVERT_WEIGHTS_FILE_H

#include <stddef.h>

#include "convert/export.h"
#include "core/status.h"
#include "infer/network.h"

/* `network`: steps, tensors (data: float32), preprocess, architecture, default_size; its `weights` and the tensors'
 * types are not read: `weights` says how to store. With ranges it is a file of version 2, whose int8 weights are within 63.
 * A tensor that has integers is stored as these where it is stored as int8. *data is returned, caller frees; it has been read back by
 * infer_network_parse. A tensor with a number that is not finite is an error (STATUS_FORMAT). */
enum status weights_file_write(const struct infer_network *network, enum export_weights weights, unsigned char **data,
			       size_t *size);

#endif
