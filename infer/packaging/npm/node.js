// tapcut in Node: what api.js needs of it.
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { Tapcut, TapcutError } from './api.js';

// A path, a file: URL, or a URL that fetch knows.
async function read(source) {
	const text = String(source);
	if (!/^(https?|data|blob):/.test(text)) return readFile(text.startsWith('file:') ? new URL(text) : text);
	const response = await fetch(text);
	if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
	return response.arrayBuffer();
}

// A thread with the face of a browser's worker. It keeps the process alive only while it has something to do, so that a
// program that forgets to close it ends all the same.
class ThreadWorker {
	constructor(url) {
		this.thread = new Worker(url, { execArgv: [] }); // not all of the program's own options suit a file
		this.thread.unref();
		this.busy = 0;
	}

	postMessage(message, transfers) {
		if (this.busy++ === 0) this.thread.ref();
		this.thread.postMessage(message, transfers);
	}

	// type: 'message' or 'error', as engine.js wants them.
	addEventListener(type, listener) {
		this.thread.on(type, (what) => {
			if (type === 'error') return listener({ message: what.message, preventDefault() {} });
			if (--this.busy === 0) this.thread.unref();
			listener({ data: what });
		});
	}

	terminate() {
		this.thread.terminate();
	}
}

Tapcut.platform = {
	read,
	wasm: () => new URL('./tapcut.wasm', import.meta.url),
	model: () => new URL('./base.tapcut', import.meta.url),
	worker: false,
	startWorker: () => new ThreadWorker(new URL('./worker-node.js', import.meta.url)),
};

export { Tapcut, TapcutError };
