// What the C programs made of the photo (test_npm.c): files of the folder that this lies in.
import { readFileSync } from 'node:fs';
import { readPng } from './png.mjs';

export const TAPS = [ // those of mask_program.c's first scene; null: undo
	{ x: 160, y: 120, positive: true }, { x: 134, y: 134, positive: true }, { x: 19, y: 19, positive: false }, null,
];

const picture = (name) => readPng(readFileSync(name));

// As { width, height, data }, RGBA.
export function rgbaOf({ width, height, channels, pixels }) {
	const data = new Uint8Array(4 * width * height).fill(255);
	for (let i = 0; i < width * height; i++)
		for (let c = 0; c < channels; c++) data[4 * i + c] = pixels[channels * i + c];
	return { width, height, data };
}

export const photo = rgbaOf(picture('photo.png'));
export const cutout = rgbaOf(picture('cutout.png'));
export const edited = rgbaOf(picture('edited.png'));
export const backdrop = rgbaOf(picture('backdrop.png'));

// { mask, alpha } after each tap, as mask_program.c writes them.
export const records = (() => {
	const bytes = readFileSync('records');
	let at = 0;
	return TAPS.map(() => {
		const [width, height, workWidth, workHeight] = [0, 4, 8, 12].map((i) => bytes.readUInt32LE(at + i));
		const size = width * height, mask = at + 16;
		at = mask + 2 * size + (width >> 1) * (height >> 1) + 4 * workWidth * workHeight;
		if (width !== photo.width || height !== photo.height)
			throw new Error(`a record of ${width} x ${height}`);
		return { mask: bytes.subarray(mask, mask + size), alpha: bytes.subarray(mask + size, mask + 2 * size) };
	});
})();
