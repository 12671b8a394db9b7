// The other side of engine.js: requests, done one after the other.

// requests: functions by name, each of them given the request. What they give, or throw, once all before it are done.
export function inTurn(requests) {
	let last = Promise.resolve();
	return (type, request) => {
		const result = last.then(() => requests[type](request));
		last = result.catch(() => {});
		return result;
	};
}

// Answers what comes in at the port: { id, type, ... } with { id, result } or { id, error }. What has no id gets no
// answer, only its failure is told, as { trouble }. errorOf(error): what is sent of an error; transfersOf(result):
// what of a result is handed over and not copied.
export function serveRequests({ port, requests, errorOf, transfersOf }) {
	const call = inTurn(requests);
	port.addEventListener('message', async ({ data: { id, type, ...request } }) => {
		try {
			const result = await call(type, request);
			if (id !== undefined) port.postMessage({ id, result }, transfersOf(result));
		} catch (error) {
			const said = errorOf(error);
			port.postMessage(id === undefined ? { trouble: said } : { id, error: said });
		}
	});
}
