// make bench-web: the network in WebAssembly against onnxruntime-web (SIMD, one thread), in Node and in Chromium.
//
//	node tools/bench/web/bench.mjs FOLDER [MODEL.tapcut]
//
// FOLDER has bench.wasm; what else a page needs is put there. TAPCUT_NPM: the folder of make npm-web.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { launch, serve, build } from '../../../tests/web/browser.mjs';

const [folder, model = 'infer/models/base.tapcut'] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url)),
	npm = resolve(process.env.TAPCUT_NPM || 'build/npm', 'node_modules');
const dist = `${npm}/onnxruntime-web/dist`;
const SIZES = [512, 256], TARGET = { float: 0.8, int8: 0.4 };
const ORT = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];

const page = `<!doctype html><meta charset="utf-8"><title>bench</title><script type="module">
import { compare } from './compare.js';
const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
window.bench = async (size, withOrt) => {
	const ort = withOrt && await import('./ort/ort.wasm.min.mjs');
	if (ort) ort.env.wasm.wasmPaths = new URL('./ort/', location.href).href;
	return compare({ ort, wasm: await bytes('bench.wasm'), weights: await bytes('model.tapcut'),
		onnx: ort && await bytes(size + '.onnx'), size });
};
document.title = 'ready';
</script>`;

function prepare() {
	mkdirSync(`${folder}/ort`, { recursive: true });
	const withOrt = existsSync(`${dist}/${ORT[0]}`);
	for (const file of withOrt ? ORT : []) copyFileSync(`${dist}/${file}`, `${folder}/ort/${file}`);
	for (const [from, name] of [[here, 'compare.js'], ['tools/web', 'weights.js'], ['tools/web', 'crc32.js']])
		copyFileSync(`${from}/${name}`, `${folder}/${name}`);
	copyFileSync(model, `${folder}/model.tapcut`);
	for (const size of SIZES)
		execFileSync(`${build}/tapcut`,
			['export', model, '-o', `${folder}/${size}.onnx`, '--size', String(size)]);
	writeFileSync(`${folder}/index.html`, page);
	return withOrt;
}

async function inNode(withOrt) {
	const { compare } = await import(pathToFileURL(resolve(folder, 'compare.js')));
	const ort = withOrt && (await import(pathToFileURL(`${dist}/ort.wasm.min.mjs`)));
	const read = (name) => new Uint8Array(readFileSync(`${folder}/${name}`));
	const results = [];
	for (const size of SIZES)
		results.push(await compare({ ort, wasm: read('bench.wasm'), weights: read('model.tapcut'),
			onnx: read(`${size}.onnx`), size }));
	return results;
}

async function inChromium(withOrt) {
	const server = await serve('--dir', folder), browser = await launch(), results = [];
	try {
		const tab = await browser.newPage();
		await tab.goto(server.url);
		await tab.waitForFunction(() => document.title === 'ready');
		for (const size of SIZES)
			results.push(await tab.evaluate(([s, o]) => window.bench(s, o), [size, withOrt]));
	} finally {
		await browser.close();
		server.stop();
	}
	return results;
}

function print(where, results) {
	for (const r of results) {
		const ratio = (name) => (r.ort ? ` (${(r[name] / r.ort).toFixed(2)}x, target ${TARGET[name]}x)` : '');
		const ours = ['float', 'int8'].map((name) =>
			(r[name] === null ? `${name} -` : `${name} ${r[name].toFixed(1)} ms${ratio(name)}`));
		const theirs = !r.ort ? ''
			: `, onnxruntime-web ${r.ort.toFixed(1)} ms, logits within ${r.difference.toExponential(1)}`;
		console.log(`${where}, ${r.size}x${r.size}: ${ours.join(', ')}${theirs}`);
	}
}

const withOrt = prepare();
if (!withOrt) console.log(`onnxruntime-web is not in ${npm}: make npm-web installs it`);
else {
	const { version } = JSON.parse(readFileSync(`${npm}/onnxruntime-web/package.json`));
	console.log(`onnxruntime-web ${version}: module ${statSync(`${folder}/ort/${ORT[2]}`).size} bytes; ` +
		`ours ${statSync('build/web/tapcut.wasm').size}, with session and edits`);
}
print('Node', await inNode(withOrt));
if (existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium') && existsSync(`${npm}/playwright-core`))
	print('Chromium', await inChromium(withOrt));
else console.log('Chromium: skipped (no Chromium, or no playwright-core: make npm-web)');
