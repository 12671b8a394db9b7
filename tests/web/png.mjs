// Reads back what the page writes: 8-bit gray, RGB and RGBA, not interlaced, every checksum checked. Throws at anything
// else.
import zlib, { inflateSync } from 'node:zlib';

const CHANNELS = { 0: 1, 2: 3, 6: 4 };

function* chunks(bytes) {
	for (let at = 8; at < bytes.length; ) {
		const size = bytes.readUInt32BE(at), type = bytes.toString('latin1', at + 4, at + 8);
		const sum = crc(bytes.subarray(at + 4, at + 8 + size));
		if (sum !== bytes.readUInt32BE(at + 8 + size)) throw new Error(`${type}: wrong checksum`);
		yield { type, data: bytes.subarray(at + 8, at + 8 + size) };
		at += 12 + size;
	}
}

// node:zlib has crc32 from 20.15 on.
function crc(bytes) {
	if (zlib.crc32) return zlib.crc32(bytes);
	let c = -1;
	for (const byte of bytes) {
		c ^= byte;
		for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
	}
	return ~c >>> 0;
}

function paeth(a, b, c) {
	const p = a + b - c, pa = Math.abs(p - a), pb = Math.abs(p - b), pc = Math.abs(p - c);
	return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

function unfilter(raw, width, height, channels) {
	const stride = width * channels, pixels = new Uint8Array(stride * height);
	if (raw.length !== (stride + 1) * height)
		throw new Error(`${raw.length} bytes for ${width} x ${height} x ${channels}`);
	for (let y = 0; y < height; y++) {
		const filter = raw[y * (stride + 1)];
		for (let i = 0; i < stride; i++) {
			const at = y * stride + i, left = i >= channels ? pixels[at - channels] : 0,
				above = y ? pixels[at - stride] : 0;
			const corner = y && i >= channels ? pixels[at - stride - channels] : 0;
			const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter];
			pixels[at] = raw[y * (stride + 1) + 1 + i] + guess;
		}
	}
	return pixels;
}

// { width, height, channels, pixels }
export function readPng(file) {
	const bytes = Buffer.from(file), data = [];
	if (bytes.toString('latin1', 1, 4) !== 'PNG') throw new Error('not a PNG file');
	let head, ended = false;
	for (const chunk of chunks(bytes)) {
		if (chunk.type === 'IHDR')
			head = { width: chunk.data.readUInt32BE(0), height: chunk.data.readUInt32BE(4),
				channels: CHANNELS[chunk.data[9]] };
		if (chunk.type === 'IDAT') data.push(chunk.data);
		if (chunk.type === 'IEND') ended = true;
	}
	if (!head || !ended) throw new Error('cut off');
	return { ...head, pixels: unfilter(inflateSync(Buffer.concat(data)), head.width, head.height, head.channels) };
}
