// The WebAssembly module (wasm/engine.h) as a class. Runs in a worker and in Node alike.
import { storedWeights } from './weights.js';

const decoder = new TextDecoder();
const WHERE = ['everywhere', 'inside', 'outside']; // enum tapcut_where
const ARITHMETIC = { auto: 0, float: 1, int8: 2 }; // enum tapcut_arithmetic
const STATUS = ['OK', 'NO_MEMORY', 'IO', 'FORMAT', 'LIMIT', 'ARGUMENT', 'CANCELLED']; // enum tapcut_status

// status: a name of STATUS, where the module said one.
export class EngineError extends Error {
	constructor(message, status) {
		super(message);
		this.status = status;
	}
}

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
		if (!at) throw new EngineError('There is not enough memory.', 'NO_MEMORY');
		try {
			return use(at);
		} finally {
			this.c.engine_free(at);
		}
	}

	get memoryBytes() {
		return this.c.memory.buffer.byteLength;
	}

	text(at) {
		const bytes = this.bytes(at >>> 0, 256);
		return decoder.decode(bytes.slice(0, bytes.indexOf(0)));
	}

	failure(status) {
		return new EngineError(this.text(this.c.engine_message()), STATUS[status]);
	}

	check(status) {
		if (status !== 0) throw this.failure(status);
	}

	notNull(at) {
		if (at === 0) throw this.failure();
		return at >>> 0;
	}

	// Sizes in pixels: the photo's, and that at which the screen shows it; without one a pixel is enough.
	openPhoto(width, height, screenWidth = 1, screenHeight = 1) {
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

	undo() {
		this.check(this.c.engine_undo());
	}

	reset() {
		this.c.engine_reset();
	}

	// What a function of the module writes into so many bytes for each of the photo's pixels.
	filled(channels, write) {
		const size = channels * this.width * this.height;
		return this.withBytes(size, (at) => {
			this.check(write(at));
			return this.bytes(at, size).slice();
		});
	}

	mask() {
		return this.filled(1, (at) => this.c.engine_mask(at));
	}

	// The soft mask at the photo's size.
	alpha() {
		return this.filled(1, (at) => this.c.engine_alpha(at));
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

	filterNumber(name) {
		this.known ??= this.filters();
		const number = this.known.findIndex((filter) => filter.name === name);
		if (number < 0)
			throw new EngineError(`no filter "${name}": expected one of ` +
				this.known.map((filter) => filter.name).join(', '), 'ARGUMENT');
		return number;
	}

	// What is left out is the filter's own. colours: [r, g, b] each; picture: { width, height, data: RGBA }.
	addEdit({ name, amount, where, colours = [], depth, picture }) {
		const number = this.filterNumber(name), own = this.known[number];
		this.check(this.c.engine_edit(number, amount ?? own.initial, WHERE.indexOf(where ?? own.where)));
		colours.forEach((colour, i) => this.c.engine_edit_colour(i, ...colour));
		if (depth !== undefined) this.c.engine_edit_depth(depth);
		if (picture)
			this.withBytes(picture.data.length, (at) => {
				this.bytes(at, picture.data.length).set(picture.data);
				this.check(this.c.engine_edit_picture(at, picture.width, picture.height));
			});
	}

	// edits: of addEdit; background: { kind: 'transparent' | 'photo' | 'colour', colour: [r, g, b] }.
	setEdits({ feather, background, edits }) {
		this.check(this.c.engine_feather(feather));
		this.c.engine_edits(background.kind === 'transparent' ? 1 : 0);
		for (const edit of edits) this.addEdit(edit);
		if (background.kind === 'colour')
			this.addEdit({ name: 'background', amount: 1, where: 'outside', colours: [background.colour] });
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
		const number = name === null ? -1 : this.filterNumber(name);
		return this.pixels(this.c.engine_thumbnail(number, size), size, size);
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

	// The same at once: RGBA at the photo's size.
	picture() {
		return this.filled(4, (at) => this.c.engine_picture(at));
	}
}
