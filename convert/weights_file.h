/* A network as the bytes of a .tapcut file (infer/FORMAT.md); the other end of infer/network/reader.c. */
#ifndef CONVERT_WEIGHTS_FILE_H
#define CONVERT_WEIGHTS_FILE_H

#include <stddef.h>

#include "core/status.h"
#include "infer/network/network.h"

/* How weights are stored. The numbers behind "codebook" are entries of a tensor's table. */
enum export_weights {
	EXPORT_F32,
	EXPORT_F16,
	EXPORT_INT8,
	EXPORT_CODEBOOK16,
	EXPORT_CODEBOOK32,
	EXPORT_CODEBOOK64,
	EXPORT_CODEBOOK256,
};
extern const char *const export_weights_names[]; /* "f32", "f16", "int8", "codebook16" and so on, NULL */

/* `network`: steps, tensors (data: float32), preprocess, architecture, default_size; its `weights` and the tensors'
 * types are not read: `weights` says how to store. With ranges it is a file of version 2, whose int8 weights are
 * within 63. A tensor that has integers is stored as these where it is stored as int8. *data is returned, caller
 * frees; it has been read back by infer_network_parse. A tensor with a number that is not finite is an error
 * (STATUS_FORMAT). */
enum status weights_file_write(const struct infer_network *network, enum export_weights weights, unsigned char **data,
			       size_t *size);

/* The content (FORMAT.md, section 2) of a whole file, which is checked. *content is returned, caller frees. */
enum status weights_file_unpack(const unsigned char *file, size_t size, unsigned char **content, size_t *content_size);
/* The file around a content whose first `records` bytes (at least the model record) are records; read back as above. */
enum status weights_file_pack(const unsigned char *content, size_t records, size_t content_size, unsigned char **data,
			      size_t *size);

#endif
