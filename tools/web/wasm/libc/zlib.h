/* What infer/network/reader.c needs of zlib, for WebAssembly, where there is none: checksums (zlib.c). Unpacking is
 * left to the browser's own DecompressionStream: weights.js hands the module weights files whose payload is stored,
 * not packed. */
#ifndef TOOLS_WEB_WASM_LIBC_ZLIB_H
#define TOOLS_WEB_WASM_LIBC_ZLIB_H

#include <stddef.h>

typedef unsigned char Bytef;
typedef unsigned long uLong, uLongf;
typedef size_t z_size_t;

enum { Z_OK = 0, Z_DATA_ERROR = -3, Z_MEM_ERROR = -4 };

/* As zlib's; a NULL buffer gives the checksum of nothing. */
uLong crc32_z(uLong crc, const Bytef *bytes, z_size_t count);
/* Always Z_DATA_ERROR. */
int uncompress2(Bytef *out, uLongf *out_size, const Bytef *packed, uLong *packed_size);

#endif
