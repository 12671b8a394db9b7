// What is done for api.js, in a worker or beside it: photos by their numbers.
//
// Each photo has an instance of the module for itself. The memory of an instance never shrinks; so a closed photo gives
// back all of its own, but for one instance that has stayed small, which the next photo takes. The module is compiled
// and the weights are unpacked once.
import { Engine, EngineError } from './module.js';
import { PhotoError, decodePhoto, sendRows } from './photo.js';
import { WeightsError, storedWeights } from './weights.js';

const STRIP_PIXELS = 1 << 20; // handed to the module at a time
const SMALL = 64e6; // bytes

// What can be sent of an error: { status, message }; without a status where it is none of tapcut's.
export function saidOf(error) {
	const { message } = error;
	if (error instanceof EngineError || error instanceof PhotoError) return { status: error.status, message };
	if (error instanceof WeightsError) return { status: 'FORMAT', message };
	if (error instanceof WebAssembly.CompileError || error instanceof WebAssembly.LinkError)
		return { status: 'FORMAT', message: `wasm: ${message}` };
	if (error instanceof RangeError) return { status: 'NO_MEMORY', message };
	return { message: String(message ?? error) };
}

// The pixels of an answer are handed over, not copied.
export const transfersOf = (result) => (result?.data ? [result.data.buffer] : []);

// photo: { width, height, data }, RGBA.
function sendPixels(engine, { width, height, data }) {
	const strip = Math.max(1, Math.floor(STRIP_PIXELS / width));
	engine.openPhoto(width, height);
	for (let y = 0; y < height; y += strip) {
		const rows = Math.min(strip, height - y);
		engine.putRows(false, data.subarray(4 * width * y, 4 * width * (y + rows)), y, rows);
	}
}

function sendBitmap(engine, bitmap) {
	engine.openPhoto(bitmap.width, bitmap.height);
	sendRows(engine, bitmap, bitmap);
}

async function sendFile(engine, file) {
	const bitmap = await decodePhoto(file);
	try {
		sendBitmap(engine, bitmap);
	} finally {
		bitmap.close();
	}
}

async function send(engine, { pixels, bitmap, file }) {
	if (pixels) sendPixels(engine, pixels);
	else if (bitmap) sendBitmap(engine, bitmap);
	else await sendFile(engine, file);
	engine.photoIsComplete();
}

// requests.js wants them.
export function makeRequests() {
	const engines = new Map(); // a photo's number -> its Engine
	let module, weights, ready, opened = 0;

	function keep(engine) {
		if (engine.memoryBytes <= SMALL) ready ??= engine;
	}

	async function load({ wasm, model }) {
		module = wasm instanceof WebAssembly.Module ? wasm : await WebAssembly.compile(wasm);
		weights = await storedWeights(model);
		ready = await Engine.create(module, weights); // tries both; the first photo takes it
		return { filters: ready.filters() };
	}

	async function photo({ source }) {
		const engine = ready ?? await Engine.create(module, weights);
		ready = null;
		try {
			await send(engine, source);
		} catch (error) {
			keep(engine);
			throw error;
		}
		engines.set(++opened, engine);
		return { id: opened, width: engine.width, height: engine.height };
	}

	function picture({ photo: id, edits, feather, transparent }) {
		const engine = engines.get(id), background = { kind: transparent ? 'transparent' : 'photo' };
		engine.setEdits({ feather, background, edits });
		return { data: engine.picture() };
	}

	function alpha({ photo: id, feather }) {
		const engine = engines.get(id);
		engine.setEdits({ feather, background: { kind: 'photo' }, edits: [] });
		return { data: engine.alpha() };
	}

	return {
		load, photo, picture, alpha,
		tap: ({ photo: id, x, y, positive }) => engines.get(id).tap({ x, y, positive }),
		undo: ({ photo: id }) => engines.get(id).undo(),
		reset: ({ photo: id }) => engines.get(id).reset(),
		mask: ({ photo: id }) => ({ data: engines.get(id).mask() }),
		close({ photo: id }) {
			keep(engines.get(id));
			engines.delete(id);
		},
	};
}
