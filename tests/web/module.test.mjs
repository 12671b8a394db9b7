// The WebAssembly module in Node: it needs nothing from outside, refuses what is wrong, and gives the native program's
// masks.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { Engine } from '../../tools/web/module.js';
import { photoSize } from '../../tools/web/photo-size.js';
import { encodePng } from '../../tools/web/png.js';
import { storedWeights } from '../../tools/web/weights.js';
import { readPng } from './png.mjs';
import { TAPS, scene } from './scene.mjs';

const build = process.env.BUILD ?? 'build', web = process.env.WEB ?? 'build/web', folder = `${build}/tmp/web-module`;
const WIDTH = 640, HEIGHT = 480;
const model = process.env.TAPCUT_MODEL ?? 'infer/models/base.tapcut'; // another one to compare processors with
const weights = new Uint8Array(readFileSync(model));
const module = new WebAssembly.Module(readFileSync(`${web}/tapcut.wasm`));

function rgbaOf(rgb) {
	const rgba = new Uint8ClampedArray((rgb.length / 3) * 4).fill(255);
	for (let i = 0; i < rgb.length / 3; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = rgb[3 * i + c];
	return rgba;
}

async function engineWithScene(arithmetic) {
	const engine = await Engine.create(module, weights, arithmetic);
	engine.openPhoto(WIDTH, HEIGHT, 320, 240);
	engine.putRows(false, rgbaOf(scene(WIDTH, HEIGHT)), 0, HEIGHT);
	engine.putRows(true, rgbaOf(scene(320, 240)), 0, 240);
	engine.photoIsComplete();
	return engine;
}

// RGB rows as a PNG file.
async function writePng(path, width, height, rgb) {
	const rows = (y, count) => {
		const out = new Uint8Array(count * (1 + 3 * width));
		for (let i = 0; i < count; i++)
			out.set(rgb.subarray(3 * width * (y + i), 3 * width * (y + i + 1)), i * (1 + 3 * width) + 1);
		return out;
	};
	const file = await encodePng({ width, height, channels: 3, rows });
	writeFileSync(path, new Uint8Array(await file.arrayBuffer()));
}

before(() => mkdirSync(folder, { recursive: true }));

test('the module imports nothing', () => {
	assert.deepEqual(WebAssembly.Module.imports(module), []);
});

function nativeMask(taps) {
	const words = taps.flatMap(({ x, y, positive }) => [positive ? '--tap' : '--not', `${x},${y}`]);
	execFileSync(`${build}/tapcut`,
		['cut', `${folder}/scene.png`, '--model', model, ...words, '--mask', `${folder}/mask.png`]);
	return readPng(readFileSync(`${folder}/mask.png`)).pixels;
}

const sha = (bytes) => createHash('sha256').update(bytes).digest('hex');

// Integers are exact, so 8 bits give the same bytes; WebAssembly has no fused multiply-add, so float gives nearly the
// same.
test('the native program\'s mask after every tap', async () => {
	await writePng(`${folder}/scene.png`, WIDTH, HEIGHT, scene(WIDTH, HEIGHT));
	const engine = await engineWithScene('auto');
	for (let i = 0; i < TAPS.length; i++) {
		engine.tap(TAPS[i]);
		const mask = engine.mask(), native = nativeMask(TAPS.slice(0, i + 1));
		const different = mask.reduce((count, value, at) => count + (value !== native[at]), 0);
		const found = `${different} of ${mask.length} pixels differ, ${sha(mask).slice(0, 16)}`;
		console.log(`${engine.arithmetic}, tap ${i + 1}: ${found}`);
		assert.ok(different <= (engine.arithmetic === 'int8' ? 0 : mask.length / 1000),
			`${different} pixels differ`);
	}
});

test('undo by starting over gives the same bytes', async () => {
	const engine = await engineWithScene('auto');
	engine.tap(TAPS[0]);
	const first = sha(engine.mask());
	engine.tap(TAPS[1]);
	engine.reset();
	engine.tap(TAPS[0]);
	assert.equal(sha(engine.mask()), first);
});

test('what is refused says why, and the engine goes on', async () => {
	const engine = await engineWithScene('auto');
	assert.throws(() => engine.tap({ x: WIDTH, y: 0, positive: true }), /640/);
	assert.throws(() => engine.openPhoto(60000, 60000, 100, 100), /memory/);
	engine.openPhoto(8, 8, 8, 8);
	engine.putRows(false, new Uint8ClampedArray(256).fill(90), 0, 8);
	engine.putRows(true, new Uint8ClampedArray(256).fill(90), 0, 8);
	engine.photoIsComplete();
	engine.tap({ x: 4, y: 4, positive: true });
	engine.refresh();
	assert.equal(engine.overlay().length, 256);
});

test('weights: unpacked by the browser, damage is found', async () => {
	const stored = await storedWeights(weights);
	assert.ok(stored.length > weights.length);
	assert.equal(await storedWeights(stored), stored);
	for (const at of [3, 12, 21, 100, 5000, weights.length - 1]) {
		const bad = weights.slice();
		bad[at] ^= 4;
		await assert.rejects(Engine.create(module, bad),
			(error) => /model|damaged|version|checksum|flags|bytes/.test(error.message), `byte ${at}`);
	}
	await assert.rejects(Engine.create(module, weights.slice(0, 1000)), /damaged|bytes/);
	await assert.rejects(Engine.create(module, new Uint8Array(10)), /not a model file/);
});

test('the file: rows of any cut make the same picture, transparent and not', async () => {
	const engine = await engineWithScene('auto');
	engine.tap(TAPS[0]);
	for (const kind of ['transparent', 'photo', 'colour']) {
		engine.setEdits({ feather: 2, background: { kind, colour: [1, 2, 3] },
			edits: [{ name: 'warmth', amount: 0.3, where: 'inside' }] });
		const pictures = [];
		for (const strip of [1, 7, HEIGHT]) {
			const channels = engine.beginExport(), stride = 1 + WIDTH * channels,
				raw = new Uint8Array(stride * HEIGHT);
			for (let y = 0; y < HEIGHT; y += strip)
				raw.set(engine.exportRows(y, Math.min(strip, HEIGHT - y), channels), y * stride);
			const rows = (y, count) => raw.slice(y * stride, (y + count) * stride);
			const file = await encodePng({ width: WIDTH, height: HEIGHT, channels, rows });
			pictures.push(readPng(await file.arrayBuffer()));
			engine.endExport();
		}
		assert.equal(pictures[0].channels, kind === 'transparent' ? 4 : 3);
		for (const picture of pictures) assert.equal(sha(picture.pixels), sha(pictures[0].pixels), kind);
		const corner = [...pictures[0].pixels.slice(0, pictures[0].channels)];
		if (kind === 'transparent') assert.deepEqual(corner, [0, 0, 0, 0]);
		if (kind === 'colour') assert.deepEqual(corner, [1, 2, 3]);
	}
});

test('every filter draws, and none changes what it does not touch', async () => {
	const engine = await engineWithScene('auto');
	engine.tap(TAPS[0]);
	engine.refresh();
	const filters = engine.filters();
	assert.ok(filters.length >= 12);
	for (const { name, max, where } of filters) {
		engine.setEdits({ feather: 0, background: { kind: 'photo' },
			edits: [{ name, amount: Math.min(max, 10), where }] });
		assert.equal(engine.result().length, 4 * 320 * 240, name);
		assert.equal(engine.thumbnail(name, 48).length, 4 * 48 * 48, name);
	}
	engine.setEdits({ feather: 0, background: { kind: 'photo' }, edits: [] });
	assert.equal(sha(engine.result()), sha(rgbaOf(scene(320, 240))));
});

test('the size of a photo from its first bytes', () => {
	assert.deepEqual(photoSize(new Uint8Array(readFileSync('tools/web/examples/1.jpg'))),
		{ width: 800, height: 600 });
	assert.deepEqual(photoSize(new Uint8Array(readFileSync(`${folder}/scene.png`))),
		{ width: WIDTH, height: HEIGHT });
	const bytes = new Uint8Array(40);
	assert.equal(photoSize(bytes), null);
	bytes.set([0xff, 0xd8, 0xff, 0xe0, 0, 0]); // a segment of no length
	assert.equal(photoSize(bytes), null);
});
