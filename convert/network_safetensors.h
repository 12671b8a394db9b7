/* A weights file as safetensors and back, byte for byte: its tensors as they are stored, for other programs to read,
 * and its records, from which the network is put together again.
 *
 *	tapcut.records      U8: model, step, tensor and range records as in infer/FORMAT.md, section 2
 *	stepN.weight        F32 (O,I,KH,KW), F16, I8 or U8; also stepN.bias, stepN.scale, stepN.shift (C)
 *	stepN.weight.scales F32 (channels): what I8 numbers are multiplied by
 *	stepN.weight.table  F32 (entries): what U8 numbers are indices of */
#ifndef CONVERT_NETWORK_SAFETENSORS_H
#define CONVERT_NETWORK_SAFETENSORS_H

#include "convert/safetensors.h"

/* `file`: the bytes of a .tapcut file. Writes `path`, atomically. */
enum status network_safetensors_export(const unsigned char *file, size_t size, const char *path);

/* Whether it is such a file. */
bool network_safetensors_is(const struct safetensors *file);
/* The bytes of the .tapcut file: *data is returned, caller frees; it has been read back by infer_network_parse. */
enum status network_safetensors_import(const struct safetensors *file, unsigned char **data, size_t *size);

#endif
