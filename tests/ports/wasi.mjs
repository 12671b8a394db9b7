// Runs a WASI program that reads standard input and writes standard output: all that mask_program.c needs, the same in
// Node and in a browser, and at once, so that a page is not done before it.
// run(WebAssembly.Module, ["arguments"], Uint8Array) gives { code, out, err }.
const BAD_FILE = 8, NO_CALL = 52;

export function run(module, args, input) {
	const out = [[], []];
	let memory, at = 0;
	const view = () => new DataView(memory.buffer);
	const bytes = (start, size) => new Uint8Array(memory.buffer, start, size);
	const words = args.map((word) => new TextEncoder().encode(word + '\0'));
	class Exit { constructor(code) { this.code = code; } }

	// Calls use(place, size) for each of the pieces of memory in a list, and stores how many bytes it says it used.
	function pieces(list, count, total, use) {
		let used = 0;
		for (let i = 0; i < count; i++)
			used += use(view().getUint32(list + 8 * i, true), view().getUint32(list + 8 * i + 4, true));
		view().setUint32(total, used, true);
		return 0;
	}

	const calls = {
		args_sizes_get(count, size) {
			view().setUint32(count, words.length, true);
			view().setUint32(size, words.reduce((sum, word) => sum + word.length, 0), true);
			return 0;
		},
		args_get(list, text) {
			for (const word of words) {
				view().setUint32(list, text, true);
				bytes(text, word.length).set(word);
				list += 4;
				text += word.length;
			}
			return 0;
		},
		fd_read(file, list, count, total) {
			if (file !== 0) return BAD_FILE;
			return pieces(list, count, total, (place, size) => {
				const piece = input.subarray(at, at + size);
				bytes(place, piece.length).set(piece);
				at += piece.length;
				return piece.length;
			});
		},
		fd_write(file, list, count, total) {
			if (file !== 1 && file !== 2) return BAD_FILE;
			return pieces(list, count, total, (place, size) => {
				out[file - 1].push(bytes(place, size).slice());
				return size;
			});
		},
		fd_fdstat_get(file, stat) {
			if (file > 2) return BAD_FILE;
			bytes(stat, 24).fill(0);
			return 0;
		},
		proc_exit(code) { throw new Exit(code); },
	};
	const refuse = new Proxy(calls, { get: (target, name) => target[name] ?? (() => NO_CALL) });
	const imports = { wasi_snapshot_preview1: {} };
	for (const { name } of WebAssembly.Module.imports(module)) imports.wasi_snapshot_preview1[name] = refuse[name];
	const instance = new WebAssembly.Instance(module, imports);
	memory = instance.exports.memory;
	let code = 0;
	try {
		instance.exports._start();
	} catch (error) {
		if (!(error instanceof Exit)) throw error;
		code = error.code;
	}
	return { code, out: join(out[0]), err: new TextDecoder().decode(join(out[1])) };
}

function join(list) {
	const all = new Uint8Array(list.reduce((sum, piece) => sum + piece.length, 0));
	let at = 0;
	for (const piece of list) {
		all.set(piece, at);
		at += piece.length;
	}
	return all;
}
