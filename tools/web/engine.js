// The page's side of worker.js, and an app's side of the npm package's worker: requests as promises (requests.js).

const STOPPED = 'The engine stopped. Reload the page to go on.';
const nothing = () => {};

export class EngineClient {
	// onProgress(share), onView({ name, picture }), onTrouble(words). makeError(error): what a request is refused
	// with, of what the worker's side sent; what stopped(event) gives is in its place once the worker is no more.
	constructor({ worker, onProgress = nothing, onView = nothing, onTrouble = nothing,
		makeError = (words) => new Error(words), stopped = () => STOPPED }) {
		Object.assign(this, { worker, makeError, waiting: new Map(), next: 1, end: null });
		worker.addEventListener('message', ({ data }) => {
			if (data.progress !== undefined) onProgress(data.progress);
			else if (data.view) onView(data.view);
			else if (data.trouble) onTrouble(data.trouble);
			else this.settle(data);
		});
		worker.addEventListener('error', (event) => {
			event.preventDefault();
			this.stop(stopped(event));
			onTrouble(this.end);
		});
	}

	settle({ id, result, error }) {
		const { resolve, reject } = this.waiting.get(id);
		this.waiting.delete(id);
		if (error !== undefined) reject(this.makeError(error));
		else resolve(result);
	}

	// Refuses what waits and what is asked from now on.
	stop(error) {
		this.end = error;
		for (const id of [...this.waiting.keys()]) this.settle({ id, error });
	}

	call(type, request = {}) {
		if (this.end !== null) return Promise.reject(this.makeError(this.end));
		const id = this.next++;
		return new Promise((resolve, reject) => {
			this.waiting.set(id, { resolve, reject });
			this.worker.postMessage({ id, type, ...request });
		});
	}

	settings(settings) {
		this.worker.postMessage({ type: 'settings', settings });
	}
}
