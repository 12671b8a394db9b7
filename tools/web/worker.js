// The engine's side of the page: decodes, selects, draws and writes files, so that the page itself never waits.
//
// Requests are those of engine.js and requests.js. On its own the worker posts { progress } and { view }: pictures for
// the screen. A selection is a list of taps; the worker finds out what is new about it, so undo and redo are just other
// lists, and one that was seen before costs nothing.
import { Engine, EngineError } from './module.js';
import { PhotoError, openPhoto } from './photo.js';
import { encodePng } from './png.js';
import { serveRequests } from './requests.js';

const KEPT = 24; // masks at the screen's size

let engine;
let applied = []; // the taps that the engine's session has
let masks = new Map(); // selection -> { alpha, share }
let settings = { view: 'selection', feather: 0, background: { kind: 'transparent' }, edits: [] };
let selected = []; // what the page shows
let drawing = false;

// --- loading ---------------------------------------------------------------------------------------------------------

async function download(url, progress) {
	const response = await fetch(url);
	if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
	const total = Number(response.headers.get('Content-Length')), parts = [];
	let size = 0;
	for (const reader = response.body.getReader(); ; ) {
		const { done, value } = await reader.read();
		if (done) break;
		parts.push(value);
		size += value.length;
		if (total) progress(Math.min(1, size / total));
	}
	return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function load({ module, model }) {
	const done = [0, 0];
	const report = (i) => (share) => {
		done[i] = share;
		postMessage({ progress: 0.15 * done[0] + 0.8 * done[1] });
	};
	const [wasm, weights] = await Promise.all([download(module, report(0)), download(model, report(1))]);
	engine = await Engine.create(await WebAssembly.compile(wasm), weights);
	return { bytes: { module: wasm.length, model: weights.length }, filters: engine.filters() };
}

// --- the selection ---------------------------------------------------------------------------------------------------

const same = (a, b) => a.x === b.x && a.y === b.y && a.positive === b.positive;

// Brings the session to this selection: forward by its new taps, else from the start.
function apply(taps) {
	if (applied.length > taps.length || applied.some((tap, i) => !same(tap, taps[i]))) {
		engine.reset();
		applied = [];
	}
	for (const tap of taps.slice(applied.length)) {
		engine.tap(tap);
		applied = [...applied, tap];
	}
}

const keyOf = (taps) => `${settings.feather}:${taps.map((t) => `${t.x},${t.y},${+t.positive}`).join(';')}`;

function showMask(taps) {
	const key = keyOf(taps), known = masks.get(key);
	if (known) {
		engine.screenAlpha.set(known.alpha);
		return known.share;
	}
	apply(taps);
	engine.refresh();
	const mask = { alpha: engine.screenAlpha.slice(), share: engine.share };
	masks.set(key, mask);
	if (masks.size > KEPT) masks.delete(masks.keys().next().value);
	return mask.share;
}

async function select({ taps }) {
	const start = performance.now();
	const share = showMask(taps);
	selected = taps;
	await draw();
	return { share, milliseconds: performance.now() - start };
}

// --- the screen ------------------------------------------------------------------------------------------------------

const bitmapOf = (pixels) => createImageBitmap(new ImageData(pixels, engine.screenWidth, engine.screenHeight));

async function draw() {
	const result = settings.view === 'result' && selected.length > 0;
	const view = selected.length === 0 ? {} : result ? { result: engine.result() } : { overlay: engine.overlay() };
	const [name] = Object.keys(view);
	const picture = name ? await bitmapOf(view[name]) : null;
	postMessage({ view: { name: name ?? 'none', picture } }, picture ? [picture] : []);
}

// Sliders send faster than one can draw: only what is newest is drawn.
function changeSettings({ settings: changed }) {
	settings = changed;
	if (!engine) return;
	engine.setEdits(settings);
	if (drawing || !engine.width) return;
	drawing = true;
	setTimeout(async () => {
		drawing = false;
		try {
			showMask(selected);
			await draw();
		} catch (error) {
			postMessage({ trouble: wordsOf(error) });
		}
	});
}

// --- requests --------------------------------------------------------------------------------------------------------

async function photo({ file }) {
	const opened = await openPhoto(engine, file);
	applied = [];
	selected = [];
	masks = new Map();
	return opened;
}

async function exportPng() {
	apply(selected);
	try {
		const channels = engine.beginExport(), { width, height } = engine;
		const rows = (y, count) => engine.exportRows(y, count, channels);
		return { file: await encodePng(
			{ width, height, channels, rows, progress: (share) => postMessage({ progress: share }) }) };
	} finally {
		engine.endExport();
	}
}

// Of the photo as it is and of what each filter makes of it, for the panel.
async function thumbnails({ names, size }) {
	const pictures = {}, side = Math.min(size, engine.screenWidth, engine.screenHeight);
	for (const name of [null, ...names])
		pictures[name ?? 'none'] =
			await createImageBitmap(new ImageData(engine.thumbnail(name, side), side, side));
	return pictures;
}

function wordsOf(error) {
	if (error instanceof PhotoError) return error.message;
	if (error instanceof EngineError) return `The selection failed: ${error.message}`;
	if (error instanceof RangeError || error instanceof WebAssembly.RuntimeError)
		return 'There is not enough memory for this photo.';
	return String(error?.message ?? error);
}

serveRequests({
	port: globalThis,
	requests: { load, photo, select, exportPng, thumbnails, settings: changeSettings },
	errorOf: wordsOf,
	transfersOf: (result) => Object.values(result).filter((value) => value instanceof ImageBitmap),
});
