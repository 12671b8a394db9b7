// Weights files for the module: it has no zlib, the browser has (DecompressionStream). infer/FORMAT.md, "The envelope".
import { crc32 } from './crc32.js';

const MAGIC = [0x89, 0x54, 0x41, 0x50, 0x43, 0x55, 0x54, 0x0a];
const HEAD = 28, TAIL = 4, FLAG_ZLIB = 1;

export class WeightsError extends Error {}

const damaged = () => new WeightsError('the model file is damaged');

// At most `size` bytes; more is an error before they fill the memory.
async function inflate(packed, size) {
	const out = new Uint8Array(size);
	let used = 0;
	const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate')).getReader();
	for (;;) {
		const { done, value } = await reader.read().catch(() => { throw damaged(); });
		if (done) break;
		if (used + value.length > size) throw damaged();
		out.set(value, used);
		used += value.length;
	}
	if (used !== size) throw damaged();
	return out;
}

// The same file with its payload stored as it is. Whatever else is wrong with it the module's reader finds.
export async function storedWeights(file) {
	const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
	if (file.length < HEAD + TAIL || MAGIC.some((byte, i) => file[i] !== byte))
		throw new WeightsError('this is not a model file');
	const flags = view.getUint32(12, true), size = view.getUint32(20, true);
	if (!(flags & FLAG_ZLIB)) return file;
	if (crc32(file.subarray(0, -TAIL)) !== view.getUint32(file.length - TAIL, true))
		throw damaged();
	if (size > 1032 * file.length) throw damaged(); // deflate cannot pack better
	const content = await inflate(file.subarray(HEAD, -TAIL), size);
	const stored = new Uint8Array(HEAD + size + TAIL), out = new DataView(stored.buffer);
	stored.set(file.subarray(0, HEAD));
	stored.set(content, HEAD);
	out.setUint32(12, flags & ~FLAG_ZLIB, true);
	out.setUint32(16, stored.length, true);
	out.setUint32(HEAD + size, crc32(stored.subarray(0, -TAIL)), true);
	return stored;
}
