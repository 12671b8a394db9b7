// tapcut: select an object in a photo with one tap. What is refused is a TapcutError, and the photo is as it was.

/** Pixels in RGBA, four bytes each, not premultiplied; transparent ones are laid on white. An ImageData is one. */
export interface Pixels {
	readonly width: number;
	readonly height: number;
	readonly data: Uint8Array | Uint8ClampedArray;
}

/** A Blob or File, as far as it matters: so that programs for Node need no types of a browser. Browsers only. */
export interface BlobLike {
	readonly size: number;
	readonly type: string;
	arrayBuffer(): Promise<ArrayBuffer>;
}

/** An ImageBitmap, as far as it matters. It stays yours. Browsers only. */
export interface BitmapLike {
	readonly width: number;
	readonly height: number;
	close(): void;
}

/** What results are: an ImageData where there is that type (putImageData takes it), else the same without a name. */
export type Picture = typeof globalThis extends { ImageData: { prototype: infer T } } ? T :
	{ readonly width: number; readonly height: number; readonly data: Uint8ClampedArray };

/** A file: its bytes, a URL, or (in Node) a path. */
export type FileSource = string | { readonly href: string } | ArrayBuffer | ArrayBufferView;

export interface LoadOptions {
	/** A weights file; default: the one in the package, base.tapcut. */
	model?: FileSource;
	/** The engine, tapcut.wasm; also as a WebAssembly.Module. Default: the one in the package. */
	wasm?: FileSource | object;
	/**
	 * true: the work is done in a worker (in Node a thread), so that a page never waits. false: on this thread. A
	 * Worker of yours that runs the package's worker.js: in that one, which close() ends. Default: true in
	 * browsers, false in Node.
	 */
	worker?: boolean | object;
}

export type Where = 'everywhere' | 'inside' | 'outside';
export type Colour = readonly [red: number, green: number, blue: number];

/** What a user interface needs to know of a filter. */
export interface Filter {
	readonly name: string;
	readonly label: string;
	readonly help: string;
	/** Of `amount`; 0 changes nothing. */
	readonly min: number;
	readonly max: number;
	readonly initial: number;
	/** Where it is usually wanted. */
	readonly where: Where;
}

/** One edit. What is left out is the filter's own. */
export interface Edit {
	/** The name of a filter, for example "focus". */
	filter: string;
	amount?: number;
	where?: Where;
	/** Of "background" (the first) and of "duotone" (dark, light). */
	colours?: readonly Colour[];
	/** Of "background": shown instead of a colour, scaled to cover the photo. One in a list of edits. */
	picture?: Pixels;
	/** Of "focus": how much less the ground is blurred at the object's feet, 0 to 1. */
	depth?: number;
}

export interface ResultOptions {
	/** Over how many pixels of the photo the edge fades: 0 (as the photo has it) to 200. */
	feather?: number;
}

export type Status = 'NO_MEMORY' | 'IO' | 'FORMAT' | 'LIMIT' | 'ARGUMENT';

/** What was refused, and why. */
export class TapcutError extends Error {
	constructor(status: Status, message: string);
	readonly name: 'TapcutError';
	/**
	 * ARGUMENT: a value of yours is wrong, or the photo is closed. LIMIT: too large. FORMAT: the model or the
	 * photo's file is damaged or of an unknown kind. IO: a file, or the worker, cannot be loaded. NO_MEMORY.
	 */
	readonly status: Status;
}

export class Tapcut {
	private constructor();
	/** Loads the engine and the model: once, for all photos. */
	static load(options?: LoadOptions): Promise<Tapcut>;
	/** All filters, in the order in which a user interface may show them. */
	readonly filters: readonly Filter[];
	/** Opens a photo of up to 100 megapixels and 16384 pixels a side. Several may be open. */
	photo(source: Pixels | BitmapLike | BlobLike): Promise<Photo>;
	/** Ends the worker and closes all photos. */
	close(): void;
}

export interface Photo {
	readonly width: number;
	readonly height: number;
	/** A tap on the object, or with positive: false on what is not. Pixels from the top left; at most 64 taps. */
	tap(x: number, y: number, options?: { positive?: boolean }): Promise<void>;
	/** Takes back the last tap. */
	undo(): Promise<void>;
	/** Takes back all taps. */
	reset(): Promise<void>;
	/** width * height bytes, row after row: 255 for the object, 0 for what is not. */
	mask(): Promise<Uint8Array>;
	/** The same with a soft edge that follows the photo's. */
	alpha(options?: ResultOptions): Promise<Uint8Array>;
	/** The object on a transparent background, after the edits. Colours of soft edges are its own. */
	cutout(options?: ResultOptions & { edits?: readonly Edit[] }): Promise<Picture>;
	/** The photo with up to 8 edits, one after the other; the photo itself stays. */
	edit(edits: readonly Edit[], options?: ResultOptions): Promise<Picture>;
	/** Gives its memory back: 25 MB and 8 bytes a pixel, 16 once pictures were made. Closing twice is no error. */
	close(): Promise<void>;
}
