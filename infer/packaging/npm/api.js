// tapcut for apps: photos, taps, masks, in a browser (index.js) and in Node (node.js). index.d.ts says what each call
// takes and gives.
//
// The work is done by sessions.js, in a worker or on this thread; what is here checks arguments and asks for it.
import { EngineClient } from './engine.js';
import { inTurn } from './requests.js';
import { makeRequests, saidOf } from './sessions.js';

// status: 'NO_MEMORY', 'IO', 'FORMAT', 'LIMIT' or 'ARGUMENT', as in tapcut.h.
export class TapcutError extends Error {
	constructor(status, message) {
		super(message);
		this.name = 'TapcutError';
		this.status = status;
	}
}

const errorOf = ({ status, message }) => (status ? new TapcutError(status, message) : new Error(message));
const refuse = (message) => { throw new TapcutError('ARGUMENT', message); };

// A value as an error shows it.
function shown(value) {
	if (typeof value === 'string') return `"${value}"`;
	return typeof value === 'object' && value !== null ? `a ${value.constructor?.name ?? 'object'}` : String(value);
}

// --- what callers give -----------------------------------------------------------------------------------------------

const isBytes = (value) => value instanceof Uint8Array || value instanceof Uint8ClampedArray;
const isA = (name, value) => typeof globalThis[name] === 'function' && value instanceof globalThis[name];

function bytesOf(value) {
	if (value instanceof ArrayBuffer) return new Uint8Array(value);
	return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : null;
}

// The bytes behind a path, a URL or what already is bytes. `what` names it in errors.
async function bytesFrom(source, what, read) {
	if (bytesOf(source)) return bytesOf(source);
	if (typeof source !== 'string' && !(source instanceof URL))
		refuse(`${what}: expected bytes, a URL or a path, found ${shown(source)}`);
	try {
		return bytesOf(await read(source));
	} catch (error) {
		throw new TapcutError('IO', `${what}: ${source}: ${error.message}`);
	}
}

const wasmFrom = (source, read) =>
	(source instanceof WebAssembly.Module ? source : bytesFrom(source, 'wasm', read));

function pixelsOf(source, what) {
	const { width, height, data } = source ?? {};
	if (![width, height].every((side) => Number.isInteger(side) && side > 0 && side < 2 ** 31))
		refuse(`${what}: expected a width and a height of at least 1 pixel, ` +
			`found ${shown(width)} x ${shown(height)}`);
	if (!isBytes(data)) refuse(`${what}: expected data of bytes, RGBA, found ${shown(data)}`);
	if (data.length !== 4 * width * height)
		refuse(`${what}: expected ${4 * width * height} bytes for ${width} x ${height} pixels, RGBA, ` +
			`found ${data.length}`);
	return { width, height, data };
}

function sourceOf(photo) {
	if (isA('ImageBitmap', photo)) {
		if (photo.width === 0) refuse('photo: this ImageBitmap is closed');
		return { bitmap: photo };
	}
	if (!isA('Blob', photo)) return { pixels: pixelsOf(photo, 'photo') };
	if (typeof createImageBitmap !== 'function')
		refuse('photo: there is no decoder here: expected { width, height, data }, found a Blob');
	return { file: photo };
}

// The pixel that a coordinate is in.
function pixel(value, name) {
	if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 31)
		refuse(`${name}: expected a pixel, found ${shown(value)}`);
	return Math.floor(value);
}

const isColour = (value) => Array.isArray(value) && value.length === 3 &&
	value.every((part) => Number.isInteger(part) && part >= 0 && part <= 255);

function number(value, name) {
	if (value !== undefined && !Number.isFinite(value)) refuse(`${name}: expected a number, found ${shown(value)}`);
	return value;
}

function editOf(edit) {
	const { filter, amount, where, colours = [], depth, picture } = edit ?? {};
	if (typeof filter !== 'string') refuse(`edit: expected { filter: a name }, found ${shown(filter)}`);
	if (where !== undefined && !['everywhere', 'inside', 'outside'].includes(where))
		refuse(`${filter}: expected everywhere, inside or outside, found ${shown(where)}`);
	if (!Array.isArray(colours) || colours.length > 2 || !colours.every(isColour))
		refuse(`${filter}: expected up to two colours of [red, green, blue], 0 to 255 each`);
	return { name: filter, where, colours, amount: number(amount, `${filter}: amount`),
		depth: number(depth, `${filter}: depth`),
		picture: picture && pixelsOf(picture, `${filter}: picture`) };
}

function editsOf(edits) {
	if (!Array.isArray(edits)) refuse(`edits: expected a list, found ${shown(edits)}`);
	return edits.map(editOf);
}

// --- tapcut ----------------------------------------------------------------------------------------------------------

// Where the work is done: { call(type, request), stop() }.
function here() {
	const ask = inTurn(makeRequests());
	const call = (type, request) => ask(type, request).catch((error) => { throw errorOf(saidOf(error)); });
	return { call, stop() {} };
}

function inWorker(worker) {
	const client = new EngineClient({ worker, makeError: errorOf,
		stopped: ({ message }) => ({ status: 'IO',
			message: `the worker could not be loaded, or it stopped${message ? `: ${message}` : ''}` }) });
	return {
		call: (type, request) => client.call(type, request),
		stop() {
			client.stop({ status: 'ARGUMENT', message: 'tapcut is closed' });
			worker.terminate();
		},
	};
}

export class Tapcut {
	static platform; // of index.js or node.js
	#place; // null once it is closed

	constructor(place, filters) {
		this.#place = place;
		this.filters = filters;
	}

	static async load({ model, wasm, worker } = {}) {
		const { platform } = Tapcut, read = (source) => platform.read(source);
		const wanted = worker ?? platform.worker;
		// First of all: what a worker of the caller's says in the meantime must not be missed.
		const place = !wanted ? here() : inWorker(wanted === true ? platform.startWorker() : wanted);
		try {
			const files = await Promise.all([
				wasmFrom(wasm ?? platform.wasm(), read),
				bytesFrom(model ?? platform.model(), 'model', read),
			]);
			const { filters } = await place.call('load', { wasm: files[0], model: files[1] });
			return new Tapcut(place, filters);
		} catch (error) {
			place.stop();
			throw error;
		}
	}

	async photo(source) {
		const checked = sourceOf(source);
		const call = (type, request) => this.#ask(type, request);
		const { id, width, height } = await call('photo', { source: checked });
		return new Photo(call, id, width, height);
	}

	async #ask(type, request) {
		if (this.#place) return this.#place.call(type, request);
		if (type !== 'close') refuse('tapcut is closed'); // and its photos with it
	}

	close() {
		this.#place?.stop();
		this.#place = null;
	}
}

class Photo {
	#call;
	#id;

	constructor(call, id, width, height) {
		Object.assign(this, { width, height });
		this.#call = call;
		this.#id = id;
	}

	async #ask(type, request) {
		if (this.#id === null) refuse('this photo is closed');
		return this.#call(type, { photo: this.#id, ...request });
	}

	async tap(x, y, { positive = true } = {}) {
		await this.#ask('tap', { x: pixel(x, 'x'), y: pixel(y, 'y'), positive: Boolean(positive) });
	}

	async undo() {
		await this.#ask('undo');
	}

	async reset() {
		await this.#ask('reset');
	}

	async mask() {
		return (await this.#ask('mask')).data;
	}

	async alpha({ feather = 0 } = {}) {
		return (await this.#ask('alpha', { feather: number(feather, 'feather') })).data;
	}

	async cutout({ edits = [], feather = 0 } = {}) {
		return this.#picture(edits, feather, true);
	}

	async edit(edits, { feather = 0 } = {}) {
		return this.#picture(edits, feather, false);
	}

	// As a canvas takes it, where there are such things.
	async #picture(edits, feather, transparent) {
		const request = { edits: editsOf(edits), feather: number(feather, 'feather'), transparent };
		const { data: bytes } = await this.#ask('picture', request), { width, height } = this;
		const data = new Uint8ClampedArray(bytes.buffer, bytes.byteOffset, bytes.length);
		return typeof ImageData === 'function' ? new ImageData(data, width, height) : { width, height, data };
	}

	async close() {
		if (this.#id === null) return;
		const id = this.#id;
		this.#id = null;
		await this.#call('close', { photo: id });
	}
}
