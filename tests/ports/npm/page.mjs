// The installed package in a page of Chromium, from a server that knows nothing but files. NPM: the folder of make
// npm-web. Prints a line per test.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { extname, join, normalize } from 'node:path';
import { TAPS, cutout, edited, photo, records } from './wanted.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.png': 'image/png' };
const { chromium } = createRequire(join(process.env.NPM, 'node_modules', 'x.js'))('playwright-core');

const server = createServer(({ url }, response) => {
	const path = join('.', normalize(new URL(url, 'http://x').pathname));
	try {
		const bytes = readFileSync(path);
		const type = TYPES[extname(path)] ?? 'application/octet-stream';
		response.writeHead(200, { 'content-type': type }).end(bytes);
	} catch {
		response.writeHead(404).end();
	}
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}`;

writeFileSync('mask', records[0].mask);
writeFileSync('alpha', records[0].alpha);
writeFileSync('cutout', cutout.data);
writeFileSync('edited', edited.data);
writeFileSync('rgba', photo.data);
writeFileSync('page.html', '<!doctype html><link rel="icon" href="data:,"><canvas id="canvas"></canvas>');

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
	args: ['--no-sandbox'] });
const page = await browser.newPage(), complaints = [];
page.on('console', (message) => complaints.push(message.text()));
page.on('pageerror', (error) => complaints.push(String(error)));
await page.goto(`${url}/page.html`);
await page.addScriptTag({ type: 'module', content: `
	import * as tapcut from './node_modules/tapcut/index.js';
	const file = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
	const same = (found, wanted) =>
		found.length === wanted.length && found.every((value, i) => value === wanted[i]);
	Object.assign(globalThis, { ...tapcut, file, same, ready: true });` });
await page.waitForFunction(() => globalThis.ready);

// Names of what was not as it should be, for a photo as pixels, as a bitmap and as a file.
async function everySource(worker) {
	return page.evaluate(async ({ worker, tap, width, height }) => {
		const wrong = [], blob = await (await fetch('photo.png')).blob();
		const loaded = await Tapcut.load({ worker });
		const sources = { pixels: { width, height, data: await file('rgba') },
			imageData: new ImageData(new Uint8ClampedArray(await file('rgba')), width, height),
			bitmap: await createImageBitmap(blob), blob };
		for (const [name, source] of Object.entries(sources)) {
			const photo = await loaded.photo(source);
			if (photo.width !== width || photo.height !== height) wrong.push(`${name}: size`);
			await photo.tap(tap.x, tap.y);
			if (!same(await photo.mask(), await file('mask'))) wrong.push(`${name}: mask`);
			if (!same(await photo.alpha(), await file('alpha'))) wrong.push(`${name}: alpha`);
			const cutout = await photo.cutout({ feather: 2 });
			if (!(cutout instanceof ImageData)) wrong.push(`${name}: no ImageData`);
			document.getElementById('canvas').getContext('2d').putImageData(cutout, 0, 0);
			if (!same(cutout.data, await file('cutout'))) wrong.push(`${name}: cutout`);
			const edited = await photo.edit([{ filter: 'focus', amount: 6, depth: 0.4 },
				{ filter: 'warmth', amount: 0.3, where: 'inside' },
				{ filter: 'duotone', colours: [[0x10, 0x20, 0x30], [0xff, 0xe0, 0xc0]] }],
				{ feather: 3 });
			if (!same(edited.data, await file('edited'))) wrong.push(`${name}: edited`);
			await photo.close();
		}
		if (sources.bitmap.width !== width) wrong.push('the bitmap was taken away');
		loaded.close();
		return wrong;
	}, { worker, tap: TAPS[0], width: photo.width, height: photo.height });
}

// The statuses of what is refused.
async function errors(worker) {
	return page.evaluate(async ({ worker }) => {
		const said = [], bad = await file('node_modules/tapcut/base.tapcut');
		bad[bad.length - 1] ^= 4;
		const loaded = await Tapcut.load({ worker });
		const bitmap = await createImageBitmap(new ImageData(2, 2));
		const photo = await loaded.photo(bitmap);
		bitmap.close();
		const huge = new Uint8Array(33); // the head of a PNG file of 60000 x 60000 pixels
		huge.set([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82,
			0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
		for (const call of [() => photo.tap(2, 0), () => loaded.photo(bitmap),
			() => loaded.photo(new Blob(['no photo'])), () => loaded.photo(new Blob([huge])),
			() => loaded.photo({ width: 1, height: 1, data: new Uint8Array(3) }),
			() => Tapcut.load({ worker, model: bad }),
			() => Tapcut.load({ worker, model: 'absent.tapcut' }),
			() => photo.close().then(() => photo.mask())])
			said.push(await call().then(() => 'taken', (error) =>
				(error instanceof TapcutError ? error.status : String(error))));
		loaded.close();
		return said;
	}, { worker });
}

// Waits for it: a worker takes a moment to begin and to end.
async function workersBecome(count) {
	while (page.workers().length !== count) await new Promise((done) => setTimeout(done, 20));
}

const tests = {
	async in_a_worker() {
		assert.deepEqual(await everySource(undefined), []);
		await workersBecome(0); // close() ended it
	},
	async on_the_page_s_thread() {
		assert.deepEqual(await everySource(false), []);
	},
	async a_worker_is_what_it_says() {
		await page.evaluate(async () => { globalThis.open = await Tapcut.load(); });
		await workersBecome(1);
		await page.evaluate(() => globalThis.open.close());
		await workersBecome(0);
		await page.evaluate(async () => { globalThis.open = await Tapcut.load({ worker: false }); });
		assert.equal(page.workers().length, 0);
	},
	async a_worker_of_the_app() {
		assert.equal(await page.evaluate(async () => {
			const worker = new Worker('node_modules/tapcut/worker.js', { type: 'module' });
			const loaded = await Tapcut.load({ worker });
			return loaded.filters.length > 20;
		}), true);
	},
	async a_worker_that_is_not_there() {
		assert.equal(await page.evaluate(() =>
			Tapcut.load({ worker: new Worker('absent.js', { type: 'module' }) })
				.catch((error) => error.status)), 'IO');
		complaints.splice(0); // Chromium tells of the 404
	},
	// A photo and a tap, and of the canvas the object is left: as the README says.
	async the_page_of_the_readme() {
		const [, html] = readFileSync('node_modules/tapcut/README.md', 'utf8').match(/```html\n([\s\S]*?)```/);
		writeFileSync('readme.html', `<link rel="icon" href="data:,">${html}`);
		const reader = await browser.newPage();
		reader.on('pageerror', (error) => complaints.push(String(error)));
		await reader.goto(`${url}/readme.html`);
		await reader.waitForFunction(() => document.getElementById('canvas').onclick);
		await reader.setInputFiles('#file', 'photo.png');
		const opaque = (wanted) => reader.waitForFunction(([count, atLeast]) => {
			const canvas = document.getElementById('canvas'), { width, height } = canvas;
			const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
			const found = data.filter((value, i) => i % 4 === 3 && value === 255).length;
			return width > 300 && (atLeast ? found >= count : found > 0 && found < count);
		}, wanted);
		await opaque([photo.width * photo.height, true]);
		await reader.locator('#canvas').click({ position: { x: TAPS[0].x, y: TAPS[0].y } });
		await opaque([photo.width * photo.height / 2, false]);
		await reader.close();
	},
	async what_is_refused() {
		const wanted = ['ARGUMENT', 'ARGUMENT', 'FORMAT', 'LIMIT', 'ARGUMENT', 'FORMAT', 'IO', 'ARGUMENT'];
		for (const worker of [true, false]) assert.deepEqual(await errors(worker), wanted);
		complaints.splice(0);
	},
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
	try {
		await test();
		assert.deepEqual(complaints, []);
		console.log('ok', name);
	} catch (error) {
		failed++;
		console.log('FAILED', name, error);
	}
}
await browser.close();
server.close();
if (failed === 0) console.log('ok every_test');
process.exitCode = failed > 0 ? 1 : 0;
