// The installed package in Node, on this thread or, with WORKER=1, in another. Prints a line per test.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Tapcut, TapcutError } from 'tapcut';
import { TAPS, backdrop, cutout, edited, photo, records } from './wanted.mjs';

const worker = process.env.WORKER === '1';
const FILTERS = [{ filter: 'focus', amount: 6, depth: 0.4 }, { filter: 'warmth', amount: 0.3, where: 'inside' },
	{ filter: 'duotone', colours: [[0x10, 0x20, 0x30], [0xff, 0xe0, 0xc0]] }];
const TAP = TAPS[0];
const { resolve } = createRequire(import.meta.url);
const model = readFileSync(resolve('tapcut/base.tapcut')), wasm = readFileSync(resolve('tapcut/tapcut.wasm'));
const tapcut = await Tapcut.load({ worker });

const bytesOf = ({ buffer, byteOffset, length }) => Buffer.from(buffer, byteOffset, length);
const black = (width, height) => ({ width, height, data: new Uint8Array(4 * width * height) });
const same = (found, wanted, what) =>
	assert.ok(bytesOf(found).equals(bytesOf(wanted)), `${what}: other bytes`);
const other = (found, unwanted, what) =>
	assert.ok(!bytesOf(found).equals(bytesOf(unwanted)), `${what}: the same bytes`);

async function refused(status, words, promise) {
	const error = await promise.then(() => assert.fail(`taken, expected ${status}`), (reason) => reason);
	assert.ok(error instanceof TapcutError && error instanceof Error, String(error));
	assert.equal(error.name, 'TapcutError');
	assert.equal(error.status, status, error.message);
	assert.match(error.message, words);
}

async function opened() {
	const open = await tapcut.photo(photo);
	await open.tap(TAP.x, TAP.y);
	return open;
}

const tests = {
	async the_bytes_of_the_c_program() {
		const open = await tapcut.photo(photo);
		assert.equal(open.width, photo.width);
		assert.equal(open.height, photo.height);
		for (const [i, tap] of TAPS.entries()) {
			if (tap) await open.tap(tap.x, tap.y, { positive: tap.positive });
			else await open.undo();
			const mask = await open.mask();
			assert.ok(mask instanceof Uint8Array && mask.some((value) => value === 255));
			same(mask, records[i].mask, `mask ${i}`);
			same(await open.alpha(), records[i].alpha, `alpha ${i}`);
		}
		await open.close();
	},
	async pictures_of_the_c_program() {
		const open = await opened();
		const cut = await open.cutout({ feather: 2 });
		assert.equal(cut.width, photo.width);
		assert.equal(cut.height, photo.height);
		assert.ok(cut.data instanceof Uint8ClampedArray);
		same(cut.data, cutout.data, 'cutout');
		same((await open.edit(FILTERS, { feather: 3 })).data, edited.data, 'edit');
		same((await open.edit([{ filter: 'background', picture: cutout }])).data, backdrop.data, 'background');
		same((await open.edit([])).data, photo.data, 'the photo itself');
		other((await open.cutout({ edits: FILTERS, feather: 2 })).data, cut.data, 'cutout with edits');
		other(await open.alpha({ feather: 9 }), records[0].alpha, 'alpha with a feather');
		same(await open.alpha(), records[0].alpha, 'alpha');
	},
	async taps_in_all_forms() {
		const open = await tapcut.photo({ ...photo, data: Buffer.from(photo.data) });
		const empty = await open.mask();
		assert.ok(empty.length === photo.width * photo.height && empty.every((value) => value === 0));
		await open.tap(TAP.x + 0.75, TAP.y + 0.25); // in the same pixel
		same(await open.mask(), records[0].mask, 'fractions');
		await open.reset();
		same(await open.mask(), empty, 'reset');
		const asked = [open.tap(TAP.x, TAP.y), open.mask(), open.reset(), open.mask()]; // in this order
		const answers = await Promise.all(asked);
		same(answers[1], records[0].mask, 'asked at once');
		same(answers[3], empty, 'asked at once');
	},
	async photos_do_not_know_of_each_other() {
		const one = await opened(), two = await tapcut.photo(black(1, 1));
		await two.tap(0, 0);
		assert.equal((await two.mask()).length, 1);
		await two.edit([{ filter: 'background', picture: cutout }], { feather: 9 });
		await two.close();
		same(await one.mask(), records[0].mask, 'mask');
		const three = await tapcut.photo(photo); // in the engine that two had
		assert.ok((await three.mask()).every((value) => value === 0));
		await three.tap(TAP.x, TAP.y);
		same(await three.alpha(), records[0].alpha, 'alpha');
	},
	async transparent_pixels_lie_on_white() {
		const data = Uint8Array.of(9, 9, 9, 0, 0, 0, 0, 255);
		const clear = await tapcut.photo({ width: 2, height: 1, data });
		assert.deepEqual([...(await clear.edit([])).data], [255, 255, 255, 255, 0, 0, 0, 255]);
	},
	async filters() {
		assert.ok(tapcut.filters.length > 20);
		const open = await opened();
		for (const { name, label, help, min, max, initial, where } of tapcut.filters) {
			assert.ok(label && help && min <= initial && initial <= max && max > 0, name);
			assert.ok(['everywhere', 'inside', 'outside'].includes(where), name);
			const { data } = await open.edit([{ filter: name, colours: [[1, 2, 3]] }]);
			other(data, photo.data, name);
		}
	},
	async wrong_photos() {
		await refused('ARGUMENT', /at least 1 pixel, found undefined/, tapcut.photo());
		await refused('ARGUMENT', /found 0 x 0/, tapcut.photo(black(0, 0)));
		await refused('ARGUMENT', /found 1.5 x 2/, tapcut.photo(black(1.5, 2)));
		await refused('ARGUMENT', /expected 16 bytes for 2 x 2 pixels, RGBA, found 12/,
			tapcut.photo({ ...black(2, 2), data: new Uint8Array(12) }));
		await refused('ARGUMENT', /expected data of bytes/, tapcut.photo({ width: 2, height: 2, data: 'abc' }));
		await refused('ARGUMENT', /no decoder/, tapcut.photo(new Blob([readFileSync('photo.png')])));
		await refused('LIMIT', /16384/, tapcut.photo(black(16385, 1)));
		same(await (await opened()).mask(), records[0].mask, 'a right one after them');
	},
	async wrong_calls() {
		const open = await opened();
		await refused('ARGUMENT', /outside the photo of 320x240/, open.tap(photo.width, 0));
		await refused('ARGUMENT', /outside/, open.tap(-1, 0));
		await refused('ARGUMENT', /found 4294967296/, open.tap(2 ** 32, 0));
		await refused('ARGUMENT', /y: expected a pixel, found NaN/, open.tap(0, NaN));
		await refused('ARGUMENT', /x: expected a pixel, found "5"/, open.tap('5', 0));
		await refused('ARGUMENT', /feather/, open.alpha({ feather: 201 }));
		await refused('ARGUMENT', /a list, found undefined/, open.edit());
		await refused('ARGUMENT', /no filter "blur": expected one of focus, /, open.edit([{ filter: 'blur' }]));
		await refused('ARGUMENT', /expected an amount of/, open.edit([{ filter: 'warmth', amount: 99 }]));
		await refused('ARGUMENT', /amount: expected a number/, open.edit([{ filter: 'warmth', amount: NaN }]));
		await refused('ARGUMENT', /everywhere, inside/, open.edit([{ filter: 'warmth', where: 'here' }]));
		await refused('ARGUMENT', /depth/, open.edit([{ filter: 'focus', depth: 2 }]));
		await refused('ARGUMENT', /colours/, open.edit([{ filter: 'duotone', colours: [[0, 0, 256]] }]));
		await refused('ARGUMENT', /picture/, open.edit([{ filter: 'background', picture: { width: 1 } }]));
		await refused('LIMIT', /8 edits/, open.edit(Array(9).fill({ filter: 'warmth' })));
		await refused('LIMIT', /one picture/,
			open.edit(Array(2).fill({ filter: 'background', picture: cutout })));
		same(await open.mask(), records[0].mask, 'nothing has changed');
		await open.undo();
		await refused('ARGUMENT', /no click/, open.undo());
		for (let i = 0; i < 64; i++) await open.tap(i, 0, { positive: false });
		await refused('ARGUMENT', /64/, open.tap(0, 0));
	},
	async closed() {
		const open = await opened();
		await open.close();
		await open.close();
		for (const call of [() => open.tap(1, 1), () => open.undo(), () => open.reset(), () => open.mask(),
			() => open.alpha(), () => open.cutout(), () => open.edit([])])
			await refused('ARGUMENT', /this photo is closed/, call());
		const other = await Tapcut.load({ worker }), last = await other.photo(photo);
		other.close();
		other.close();
		await refused('ARGUMENT', /tapcut is closed/, last.mask());
		await refused('ARGUMENT', /tapcut is closed/, other.photo(photo));
		await last.close();
	},
	async damaged_models() {
		for (const at of [3, 12, 21, 5000, model.length - 1]) {
			const bad = Uint8Array.from(model);
			bad[at] ^= 4;
			await refused('FORMAT', /./, Tapcut.load({ model: bad, worker }));
		}
		await refused('FORMAT', /damaged/, Tapcut.load({ model: model.subarray(0, 1000), worker }));
		await refused('FORMAT', /not a model file/, Tapcut.load({ model: new Uint8Array(0), worker }));
		await refused('FORMAT', /wasm/, Tapcut.load({ wasm: model, worker }));
		await refused('IO', /model: no\/such.tapcut: ENOENT/, Tapcut.load({ model: 'no/such.tapcut', worker }));
		await refused('ARGUMENT', /wasm: expected bytes, a URL or a path, found 5/,
			Tapcut.load({ wasm: 5, worker }));
	},
	async files_in_all_forms() {
		const url = pathToFileURL('node_modules/tapcut/base.tapcut');
		const bytes = new Uint8Array(model).buffer;
		for (const options of [{ model: url }, { model: url.href },
			{ model: 'node_modules/tapcut/base.tapcut' }, { model: bytes },
			{ model: new DataView(bytes), wasm }, { wasm: new WebAssembly.Module(wasm) },
			{ model: `data:;base64,${model.toString('base64')}` }]) {
			const other = await Tapcut.load({ ...options, worker }), open = await other.photo(photo);
			await open.tap(TAP.x, TAP.y);
			same(await open.mask(), records[0].mask, Object.keys(options).join());
			other.close();
		}
	},
	async memory_comes_back() {
		const megabytes = () => process.memoryUsage().rss / 1e6;
		const round = async () => { // two, because one engine is kept
			for (const open of [await opened(), await opened()]) await open.close();
			globalThis.gc();
		};
		for (let i = 0; i < 5; i++) await round();
		const before = megabytes();
		for (let i = 0; i < 30; i++) await round();
		assert.ok(megabytes() < before + 150, `${before} MB, then ${megabytes()} MB`);
	},
	// What the README promises: its size, and that the program of it runs as it stands.
	async the_readme() {
		const text = readFileSync('node_modules/tapcut/README.md', 'utf8');
		const said = text.match(/([\d.]+) MB to download, ([\d.]+) MB installed/);
		const size = statSync('tapcut.tgz').size / 1e6;
		assert.ok(Math.abs(Number(said[1]) - size) <= 0.02, `${said[0]}: it is ${size} MB`);
		const [, program] = text.match(/```js\n(\/\/ cut\.mjs[\s\S]*?)```/);
		const shown = execFileSync('node', ['--input-type=module', '-e', program], { encoding: 'utf8' });
		assert.match(shown, /^\d+ pixels selected\n$/);
	},
	// A thread of its own must not keep a program alive that forgot to close it, nor end before its work is done.
	async a_program_that_closes_nothing_ends() {
		const program = `import { Tapcut } from 'tapcut';
			const open = await (await Tapcut.load({ worker: ${worker} })).photo(
				{ width: 64, height: 64, data: new Uint8Array(4 * 64 * 64).fill(99) });
			open.tap(5, 5).then(() => open.mask()).then((mask) => console.log(mask.length));`;
		assert.equal(execFileSync('node', ['--input-type=module', '-e', program],
			{ encoding: 'utf8', timeout: 600000 }), '4096\n');
	},
};

for (const [name, test] of Object.entries(tests)) {
	try {
		await test();
		console.log('ok', name);
	} catch (error) {
		console.log('FAILED', name, String(error?.stack ?? error).slice(0, 2000));
		process.exit(1);
	}
}
console.log('ok every_test');
