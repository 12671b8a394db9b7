/* See zlib.h beside this file. */
#include <zlib.h>

#include <stdint.h>

/* CRC-32 of PNG and gzip (reflected polynomial EDB88320), four bits at a time: the table is 16 numbers, and the
 * files are a megabyte. */
uLong crc32_z(uLong crc, const Bytef *bytes, z_size_t count)
{
	static const uint32_t table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t c = ~(uint32_t)crc;
	if (!bytes)
		return 0;
	for (z_size_t i = 0; i < count; i++) {
		c = table[(c ^ bytes[i]) & 15] ^ c >> 4;
		c = table[(c ^ bytes[i] >> 4) & 15] ^ c >> 4;
	}
	return ~c;
}

int uncompress2(Bytef *out, uLongf *out_size, const Bytef *packed, uLong *packed_size)
{
	(void)out, (void)out_size, (void)packed, (void)packed_size;
	return Z_DATA_ERROR;
}
