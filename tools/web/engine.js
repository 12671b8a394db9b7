// The page's side of worker.js: requests as promises.

export class EngineClient {
	// onProgress(share), onView({ name, picture }), onTrouble(words).
	constructor({ worker, onProgress, onView, onTrouble }) {
		this.worker = worker;
		this.waiting = new Map();
		this.next = 1;
		worker.addEventListener('message', ({ data }) => {
			if (data.progress !== undefined) onProgress(data.progress);
			else if (data.view) onView(data.view);
			else if (data.trouble) onTrouble(data.trouble);
			else this.settle(data);
		});
		worker.addEventListener('error', (event) => {
			event.preventDefault();
			onTrouble('The engine stopped. Reload the page to go on.');
		});
	}

	settle({ id, result, error }) {
		const { resolve, reject } = this.waiting.get(id);
		this.waiting.delete(id);
		if (error !== undefined) reject(new Error(error));
		else resolve(result);
	}

	call(type, request = {}) {
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
