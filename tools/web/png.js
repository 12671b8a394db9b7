// Writes PNG files piece by piece, so that a photo of 50 megapixels never stands in memory as a whole. A canvas could
// write them too, but keeps colours multiplied by alpha and so loses them where alpha is small.
import { crc32 } from './crc32.js';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const COLOUR_TYPE = { 1: 0, 3: 2, 4: 6 };

function chunk(type, data) {
	const bytes = new Uint8Array(12 + data.length), view = new DataView(bytes.buffer);
	view.setUint32(0, data.length);
	for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
	bytes.set(data, 8);
	view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
	return bytes;
}

function header(width, height, channels) {
	const data = new Uint8Array(13), view = new DataView(data.buffer);
	view.setUint32(0, width);
	view.setUint32(4, height);
	data.set([8, COLOUR_TYPE[channels], 0, 0, 0], 8);
	return chunk('IHDR', data);
}

// rows(y, count) gives that many rows, each with its filter type before it. Resolves to a Blob.
export async function encodePng({ width, height, channels, rows, progress }) {
	const parts = [SIGNATURE, header(width, height, channels)];
	const strip = Math.max(1, Math.floor((1 << 22) / (width * channels)));
	const pack = new CompressionStream('deflate'), writer = pack.writable.getWriter();
	const collected = (async () => {
		for (const reader = pack.readable.getReader(); ; ) {
			const { done, value } = await reader.read();
			if (done) return;
			parts.push(chunk('IDAT', value));
		}
	})();
	for (let y = 0; y < height; y += strip) {
		const count = Math.min(strip, height - y);
		await writer.ready;
		writer.write(rows(y, count)).catch(() => {}); // a failure is collected's too
		progress?.((y + count) / height);
	}
	await writer.close();
	await collected;
	parts.push(chunk('IEND', new Uint8Array(0)));
	return new Blob(parts, { type: 'image/png' });
}
