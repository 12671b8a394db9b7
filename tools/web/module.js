// The WebAssembly module (wasm/engine.h) as a class. Runs in a worker and in Node alike.
import { storedWeights } from './weights.js';

const decoder = new TextDecoder();
const WHERE = ['all', 'inside', 'outside']; // enum tapcut_where
const ARITHMETIC = { auto: 0, float: 1, int8: 2 }; // enum tapcut_arithmetic

export class EngineError extends Error {}

export class Engine {
	// wasm: a WebAssembly.Module; weights: the bytes of a .tapcut file; arithmetic: 'auto', 'float' or 'int8'.
	static async create(wasm, weights, arithmetic = 'auto') {
		const instance = await WebAssembly.instantiate(wasm, {});
		const engine = new Engine(instance.exports);
		await engine.loadModel(weights, arithmetic);
		return engine;
	}

	constructor(exports) {
		this.c = exports;
		this.c._initialize();
	}

	async loadModel(weights, arithmetic) {
		const file = await storedWeights(weights);
		this.withBytes(file.length, (at) => {
			this.bytes(at, file.length).set(file);
			this.check(this.c.engine_model(at, file.length, ARITHMETIC[arithmetic]));
		});
	}

	// 'float' or 'int8': what 'auto' means for this model.
	get arithmetic() {
		return Object.keys(ARITHMETIC)[this.c.engine_arithmetic()];
	}

	// Views do not outlive the next call that may allocate: the memory moves when it grows.
	bytes(at, size) {
		return new Uint8Array(this.c.memory.buffer, at, size);
	}

	withBytes(size, use) {
		const at = this.c.engine_alloc(size) >>> 0;
		if (!at) throw new EngineError('There is not enough memory.');
		try {
			return use(at);
		} finally {
			this.c.engine_free(at);
		}
	}

	text(at) {
		const bytes = this.bytes(at >>> 0, 256);
		return decoder.decode(bytes.slice(0, bytes.indexOf(0)));
	}

	failure() {
		return new EngineError(this.text(this.c.engine_message()));
	}

	check(status) {
		if (status !== 0) throw this.failure();
	}

	notNull(at) {
		if (at === 0) throw this.failure();
		return at >>> 0;
	}

	// Sizes in pixels: the photo's, and that at which the screen shows it.
	openPhoto(width, height, screenWidth, screenHeight) {
		this.check(this.c.engine_photo(width, height, screenWidth, screenHeight));
		Object.assign(this, { width, height, screenWidth, screenHeight });
	}

	putRows(screen, rgba, y, rows) {
		this.withBytes(rgba.length, (at) => {
			this.bytes(at, rgba.length).set(rgba);
			this.c.engine_rows(screen ? 1 : 0, at, y, rows);
		});
	}

	photoIsComplete() {
		this.check(this.c.engine_ready());
	}

	tap({ x, y, positive }) {
		this.check(this.c.engine_tap(x, y, positive ? 1 : 0));
	}

	reset() {
		this.c.engine_reset();
	}

	mask() {
		const size = this.width * this.height;
		return this.withBytes(size, (at) => {
			this.check(this.c.engine_mask(at));
			return this.bytes(at, size).slice();
		});
	}

	// The soft mask at the screen's size, made anew from the taps.
	refresh() {
		this.check(this.c.engine_refresh());
	}

	get screenAlpha() {
		return this.bytes(this.c.engine_screen_alpha() >>> 0, this.screenWidth * this.screenHeight);
	}

	// Share of the photo that is selected, 0 to 1.
	get share() {
		return this.c.engine_share() / 1000;
	}

	// --- edits ---

	// { name, label, help, min, max, initial, where } of each filter.
	filters() {
		return Array.from({ length: this.c.engine_filter_count() }, (_, i) => {
			const [name, label, help] =
				[0, 1, 2].map((which) => this.text(this.c.engine_filter_text(i, which)));
			const [min, max, initial, where] =
				[0, 1, 2, 3].map((which) => this.c.engine_filter_number(i, which));
			return { name, label, help, min, max, initial, where: WHERE[where] };
		});
	}

	// edits: [{ name, amount, where }];
	// background: { kind: 'transparent' | 'photo' | 'colour', colour: [r, g, b] }.
	setEdits({ feather, background, edits }) {
		this.index ??= Object.fromEntries(this.filters().map((filter, i) => [filter.name, i]));
		this.check(this.c.engine_feather(feather));
		this.c.engine_edits(background.kind === 'transparent' ? 1 : 0);
		for (const { name, amount, where } of edits)
			this.c.engine_edit(this.index[name], amount, WHERE.indexOf(where), 0, 0, 0);
		if (background.kind === 'colour')
			this.c.engine_edit(this.index.background, 1, WHERE.indexOf('outside'), ...background.colour);
	}

	// --- pictures ---

	// A copy, as ImageData takes it.
	pixels(at, width, height) {
		return new Uint8ClampedArray(this.c.memory.buffer, this.notNull(at), 4 * width * height).slice();
	}

	overlay() {
		return this.pixels(this.c.engine_overlay(), this.screenWidth, this.screenHeight);
	}

	result() {
		return this.pixels(this.c.engine_result(), this.screenWidth, this.screenHeight);
	}

	// What a filter would make of the photo, size x size; null: the photo.
	thumbnail(name, size) {
		return this.pixels(this.c.engine_thumbnail(name === null ? -1 : this.index[name], size), size, size);
	}

	// --- the file: beginExport, then exportRows from the top down, then endExport ---

	beginExport() {
		this.check(this.c.engine_export());
		return this.c.engine_export_channels();
	}

	exportRows(y, count, channels) {
		const at = this.notNull(this.c.engine_export_rows(y, count));
		return this.bytes(at, count * (1 + this.width * channels)).slice();
	}

	endExport() {
		this.c.engine_export_end();
	}
}
