// tapcut in a browser: what api.js needs of it. Node takes node.js instead (package.json, "exports").
//
// The URLs are written out where they are used, because that is how bundlers find the files that they have to bring
// along.
import { Tapcut, TapcutError } from './api.js';

async function read(source) {
	const response = await fetch(source);
	if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
	return response.arrayBuffer();
}

Tapcut.platform = {
	read,
	wasm: () => new URL('./tapcut.wasm', import.meta.url),
	model: () => new URL('./base.tapcut', import.meta.url),
	worker: typeof Worker === 'function', // not inside some workers
	startWorker: () => new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
};

export { Tapcut, TapcutError };
