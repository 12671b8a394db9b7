// Our network in WebAssembly against ONNX Runtime's for the web, in turns, in a page or in Node alike.
import { storedWeights } from './weights.js';

const ARITHMETIC = { float: 0, int8: 1 }; // enum infer_arithmetic

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];

// A lane: { run() } that resolves to logits.
async function ours(wasm, file, size, arithmetic) {
	const { exports: c } = await WebAssembly.instantiate(wasm, {});
	c._initialize();
	const at = c.bench_alloc(file.length);
	new Uint8Array(c.memory.buffer).set(file, at);
	if (c.bench_open(at, file.length, size, ARITHMETIC[arithmetic])) return null; // no ranges for 8 bits
	const floats = (where, count) => new Float32Array(c.memory.buffer, where, count);
	return {
		run: async () => floats(c.bench_run(), size * size),
		planes: (which) => floats(c.bench_planes(which), 3 * size * size).slice(),
	};
}

async function theirs(ort, onnx, size, planes) {
	ort.env.wasm.numThreads = 1;
	const session = await ort.InferenceSession.create(onnx,
		{ executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
	const tensor = (which) => new ort.Tensor('float32', planes(which), [1, 3, size, size]);
	const [image, clicks] = session.inputNames, feeds = { [image]: tensor(0), [clicks]: tensor(1) };
	return { run: async () => (await session.run(feeds))[session.outputNames[0]].data };
}

function farthest(a, b) {
	let most = 0;
	for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
	return most;
}

// { float, int8, ort: median milliseconds; difference: of float's logits }. Each lane runs `runs` times in each of
// `turns` turns.
export async function compare({ ort, wasm, weights, onnx, size, turns = 5, runs = 3 }) {
	const module = await WebAssembly.compile(wasm), file = await storedWeights(weights);
	const lanes = { float: await ours(module, file, size, 'float'), int8: await ours(module, file, size, 'int8') };
	if (ort) lanes.ort = await theirs(ort, onnx, size, lanes.float.planes);
	const times = {}, logits = {};
	for (const name of Object.keys(lanes)) {
		times[name] = [];
		if (lanes[name]) logits[name] = (await lanes[name].run()).slice();
	}
	for (let turn = 0; turn < turns; turn++)
		for (const [name, lane] of Object.entries(lanes))
			for (let run = 0; lane && run < runs; run++) {
				const start = performance.now();
				await lane.run();
				times[name].push(performance.now() - start);
			}
	const result = { size, difference: logits.ort ? farthest(logits.float, logits.ort) : null };
	for (const name of Object.keys(lanes)) result[name] = lanes[name] ? median(times[name]) : null;
	return result;
}
