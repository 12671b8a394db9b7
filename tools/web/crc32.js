// CRC-32 of PNG, zlib and weights files (reflected polynomial EDB88320).

const table = Uint32Array.from({ length: 256 }, (_, n) => {
	for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
	return n;
});

export function crc32(bytes, crc = 0) {
	let c = ~crc;
	for (let i = 0; i < bytes.length; i++) c = table[(c ^ bytes[i]) & 255] ^ (c >>> 8);
	return ~c >>> 0;
}
