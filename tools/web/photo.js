// From a file to pixels in the module: decoded by the browser (which turns the photo upright), handed over in strips.
// Runs in the worker.
import { HEAD_BYTES, photoSize } from './photo-size.js';

const MEGA = 1e6;
const REFUSED = 100 * MEGA; // pixels: more than this is not decoded at all
const LARGEST = 50 * MEGA; // pixels: more than this is made smaller
const LONGEST = 16384; // pixels a side, the library's limit
const SCREEN = 1440; // long side of what the page shows
const STRIP_PIXELS = 1 << 20;

// status: as a refusal of the module has it.
export class PhotoError extends Error {
	constructor(message, status) {
		super(message);
		this.status = status;
	}
}

const megapixels = ({ width, height }) => Math.round((width * height) / MEGA);

function refuseHuge(size) {
	if (size.width * size.height > REFUSED)
		throw new PhotoError(`This photo has ${megapixels(size)} megapixels; up to 100 can be opened. ` +
			'Make it smaller first.', 'LIMIT');
}

async function decode(file, options) {
	try {
		return await createImageBitmap(file, { imageOrientation: 'from-image', ...options });
	} catch {
		const name = file.name ? `“${file.name}”` : 'This';
		throw new PhotoError(
			`${name} is not a photo that this browser can open. Try a JPEG, PNG or WebP file.`, 'FORMAT');
	}
}

// The size to work at.
function fit({ width, height }) {
	const scale = Math.min(1, Math.sqrt(LARGEST / (width * height)), LONGEST / Math.max(width, height));
	return { width: Math.max(1, Math.floor(width * scale)), height: Math.max(1, Math.floor(height * scale)) };
}

function screenSize({ width, height }) {
	const scale = Math.min(1, SCREEN / Math.max(width, height));
	return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function canvasOf(width, height) {
	const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
	if (!context) throw new PhotoError('There is not enough memory for this photo.', 'NO_MEMORY');
	return context;
}

// A phone may not have a canvas of 50 megapixels: one strip after the other.
export function sendRows(engine, bitmap, { width, height }) {
	const strip = Math.max(1, Math.floor(STRIP_PIXELS / width));
	const context = canvasOf(width, strip);
	for (let y = 0; y < height; y += strip) {
		const rows = Math.min(strip, height - y);
		context.clearRect(0, 0, width, strip);
		context.drawImage(bitmap, 0, -y);
		engine.putRows(false, context.getImageData(0, 0, width, rows).data, y, rows);
	}
}

function sendScreen(engine, bitmap, { width, height }) {
	const context = canvasOf(width, height);
	context.imageSmoothingQuality = 'high';
	context.drawImage(bitmap, 0, 0, width, height);
	engine.putRows(true, context.getImageData(0, 0, width, height).data, 0, height);
	return context.canvas.transferToImageBitmap();
}

// file: a Blob. An ImageBitmap of it, upright.
export async function decodePhoto(file) {
	const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
	const announced = photoSize(head);
	if (announced) refuseHuge(announced);
	const bitmap = await decode(file);
	refuseHuge(bitmap);
	return bitmap;
}

// file: a Blob. What the page shows and says of it.
export async function openPhoto(engine, file) {
	let bitmap = await decodePhoto(file);
	const original = { width: bitmap.width, height: bitmap.height }, size = fit(original);
	if (size.width !== original.width || size.height !== original.height) {
		bitmap.close();
		bitmap = await decode(file,
			{ resizeWidth: size.width, resizeHeight: size.height, resizeQuality: 'high' });
	}
	const screen = screenSize(size);
	engine.openPhoto(size.width, size.height, screen.width, screen.height);
	sendRows(engine, bitmap, size);
	const picture = sendScreen(engine, bitmap, screen);
	bitmap.close();
	engine.photoIsComplete();
	const notice =
		megapixels(original) > megapixels(size)
			? `This photo has ${megapixels(original)} megapixels; it was made smaller, ` +
				`to ${size.width} × ${size.height}.`
			: null;
	return { ...size, picture, notice };
}
