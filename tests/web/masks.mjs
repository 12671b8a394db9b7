// The SHA-256 of the mask after each tap on the scene, by the WebAssembly module in Node, a line each: masks.mjs
// [MODEL.tapcut]
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Engine } from '../../tools/web/module.js';
import { TAPS, scene } from './scene.mjs';

const model = process.argv[2] ?? 'infer/models/base.tapcut';
const module = new WebAssembly.Module(readFileSync(`${process.env.WEB ?? 'build/web'}/tapcut.wasm`));
const engine = await Engine.create(module, new Uint8Array(readFileSync(model)));
const rgb = scene(640, 480), rgba = new Uint8ClampedArray(4 * 640 * 480).fill(255);
for (let i = 0; i < 640 * 480; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = rgb[3 * i + c];
engine.openPhoto(640, 480, 320, 240);
engine.putRows(false, rgba, 0, 480);
engine.photoIsComplete();
for (const tap of TAPS) {
	engine.tap(tap);
	console.log(createHash('sha256').update(engine.mask()).digest('hex'));
}
