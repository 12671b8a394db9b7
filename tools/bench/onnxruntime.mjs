// Runs ONNX files with ONNX Runtime for `tapcut bench --against onnxruntime` and for the tests: a process of its own
// that is asked for a few runs at a time, so that it and tapcut can take turns on the same machine.
//
//	node onnxruntime.mjs [onnxruntime-node|onnxruntime-web]
//
// The package is looked for in the folder TAPCUT_NPM, else in build/npm of this project (make npm-onnxruntime).
//
// First line written: {"version": ..., "node": ...}, or {"skipped": REASON} and the end. Then one line of JSON is read
// and one written at a time:
//	{"open": PATH, "threads": N}                  -> {}      a session; the one before is closed
//	{"input": NAME, "dims": [...], "file": PATH}  -> {}      raw little-endian float32, of all sessions
//	{"run": COUNT}                                -> {"seconds": [...]}
//	{"output": NAME, "file": PATH}                -> {"dims": [...]}   of the last run
// With "of": NAME, open, run and output are about another session than the one without a name.
// Anything that goes wrong: {"error": MESSAGE}.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const name = process.argv[2] ?? 'onnxruntime-node';
const folder = process.env.TAPCUT_NPM ? resolve(process.env.TAPCUT_NPM)
	: join(dirname(fileURLToPath(import.meta.url)), '../../build/npm');

const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\n');

function load() {
	const require = createRequire(join(folder, 'package.json'));
	const { version } = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'));
	return { ort: require(name), version };
}

// Data that JavaScript owns, 4-byte aligned.
function readFloats(path) {
	const bytes = readFileSync(path);
	return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

function makeCommands(ort) {
	const sessions = {}, results = {}, feeds = {};
	return {
		async open({ open, threads, of = '' }) {
			await sessions[of]?.release();
			if (ort.env?.wasm)
				ort.env.wasm.numThreads = threads;
			const model = name.endsWith('-web') ? readFileSync(open) : open;
			sessions[of] = await ort.InferenceSession.create(model, {
				executionProviders: [name.endsWith('-web') ? 'wasm' : 'cpu'],
				intraOpNumThreads: threads, interOpNumThreads: 1,
				executionMode: 'sequential', graphOptimizationLevel: 'all',
			});
			return {};
		},
		async input({ input, dims, file }) {
			feeds[input] = new ort.Tensor('float32', readFloats(file), dims);
			return {};
		},
		async run({ run, of = '' }) {
			const seconds = [];
			for (let i = 0; i < run; i++) {
				const start = performance.now();
				results[of] = await sessions[of].run(feeds);
				seconds.push((performance.now() - start) / 1e3);
			}
			return { seconds };
		},
		async output({ output, file, of = '' }) {
			const { data, dims } = results[of][output];
			writeFileSync(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
			return { dims };
		},
	};
}

async function main() {
	let loaded;
	try {
		loaded = load();
	} catch (error) {
		return say({ skipped: `${name} is not in ${folder}: ${error.message.split('\n')[0]}` });
	}
	const commands = makeCommands(loaded.ort);
	say({ version: loaded.version, node: process.version });
	for await (const line of createInterface({ input: process.stdin })) {
		try {
			const command = JSON.parse(line);
			const known = Object.keys(command).find((key) => key in commands);
			say(await commands[known](command));
		} catch (error) {
			say({ error: String(error.message).split('\n')[0] });
		}
	}
}

await main();
