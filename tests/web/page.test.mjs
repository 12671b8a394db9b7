// The page from end to end, in Chromium: what a hand, a keyboard and a screen reader find. Each test begins with a
// fresh page.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { deflateSync } from 'node:zlib';
import { build, launch, openPage, serve, settled, tapAt, web } from './browser.mjs';
import { readPng } from './png.mjs';
import { TAPS, scene } from './scene.mjs';

const folder = `${build}/tmp/web`;
let server, browser, context, page;
const complaints = [];

before(async () => {
	mkdirSync(folder, { recursive: true });
	server = await serve();
	browser = await launch();
	context = await browser.newContext({ viewport: { width: 1200, height: 800 }, acceptDownloads: true });
});
after(async () => {
	await browser?.close();
	server?.stop();
});

const summary = () => page.locator('#summary').textContent();
const share = async () => parseFloat(await summary());
const live = () => page.locator('#live').textContent();

async function start() {
	await page?.close();
	page = await openPage(context, server.url, complaints);
}

// The second example: a mug stands at 29 % of the width and 85 % of the height.
const MUG = [0.29, 0.85], NOTHING = [0.9, 0.06];

async function startWithMug() {
	await start();
	await page.locator('.examples button').nth(1).click();
	await page.waitForSelector('body[data-state="photo"]');
}

async function download() {
	const [file] = await Promise.all([page.waitForEvent('download'), page.locator('#download').click()]);
	const path = `${folder}/${file.suggestedFilename()}`;
	await file.saveAs(path);
	return { name: file.suggestedFilename(), png: readPng(readFileSync(path)) };
}

test('a tap selects', async () => {
	await startWithMug();
	assert.equal(await page.evaluate(() => crossOriginIsolated), true);
	assert.match(await summary(), /Tap on an object/);
	await tapAt(page, ...MUG);
	assert.ok((await share()) > 3 && (await share()) < 9, await summary());
	assert.match(await live(), /^Added\. .* selected with 1 tap$/);
	assert.equal(await page.locator('.dot').count(), 1);
});

// All that the page's own thread computes for a tap, in processor time: the machine may have other work.
test('the page is not held up by a tap', async () => {
	await startWithMug();
	const devtools = await context.newCDPSession(page), spent = [];
	await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
	const task = async () => (await devtools.send('Performance.getMetrics'))
		.metrics.find(({ name }) => name === 'TaskDuration').value;
	for (let i = 0; i < 6; i++) {
		const before = await task();
		await tapAt(page, 0.2 + 0.1 * i, 0.5);
		spent.push(Math.round(1000 * ((await task()) - before)));
	}
	console.log(`the page's thread, milliseconds for a tap: ${spent.join(', ')}`);
	assert.ok(Math.min(...spent) > 0 && Math.min(...spent) < 50, String(spent));
});

test('right-click, Alt-click and the toggle take away', async () => {
	await startWithMug();
	await tapAt(page, ...MUG);
	for (const way of [{ button: 'right' }, { modifiers: ['Alt'] }]) {
		await tapAt(page, 0.43, 0.84, way);
		assert.equal(await page.locator('.dot.remove').count(), 1);
		assert.match(await live(), /^Removed\./);
		await page.keyboard.press('Control+z');
		await settled(page);
		assert.equal(await page.locator('.dot.remove').count(), 0);
	}
	await page.locator('input[value="remove"]').check({ force: true });
	await tapAt(page, 0.43, 0.84);
	assert.equal(await page.locator('.dot.remove').count(), 1);
	await tapAt(page, ...MUG, { modifiers: ['Alt'] });
	assert.equal(await page.locator('.dot.add').count(), 2);
});

// Fingers, sent through the DevTools protocol as a touch screen sends them.
async function finger(on, type, ...points) {
	await on.send('Input.dispatchTouchEvent',
		{ type, touchPoints: points.map(([x, y], id) => ({ x: Math.round(x), y: Math.round(y), id })) });
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function placeOf(x, y) {
	const box = await page.locator('#frame').boundingBox();
	return [box.x + x * box.width, box.y + y * box.height];
}

test('a finger held on the photo takes away, one that moves does nothing', async () => {
	await startWithMug();
	const touch = await context.newCDPSession(page);
	await finger(touch, 'touchStart', await placeOf(...MUG));
	await finger(touch, 'touchEnd');
	await settled(page);
	assert.equal(await page.locator('.dot.add').count(), 1);
	await pause(500);
	await finger(touch, 'touchStart', await placeOf(0.43, 0.84));
	await page.waitForSelector('.dot.remove');
	await finger(touch, 'touchEnd');
	await settled(page);
	assert.equal(await page.locator('.dot').count(), 2, 'lifting the finger must not tap once more');
	assert.match(await live(), /^Removed\./);
	await finger(touch, 'touchStart', await placeOf(0.3, 0.3));
	await finger(touch, 'touchMove', await placeOf(0.5, 0.4));
	await pause(700);
	await finger(touch, 'touchEnd');
	await settled(page);
	assert.equal(await page.locator('.dot').count(), 2);
});

test('a drag with the mouse is no tap, a double click is one', async () => {
	await startWithMug();
	await page.mouse.move(...(await placeOf(0.3, 0.4)));
	await page.mouse.down();
	await page.mouse.move(...(await placeOf(0.6, 0.6)), { steps: 5 });
	await page.mouse.up();
	await pause(300);
	assert.equal(await page.locator('.dot').count(), 0);
	await page.mouse.dblclick(...(await placeOf(...MUG)));
	await settled(page);
	assert.equal(await page.locator('.dot').count(), 1);
});

test('wheel, keys and two fingers enlarge the photo, and taps land where they are made', async () => {
	await startWithMug();
	const whole = await page.locator('#frame').boundingBox();
	const scale = await page.evaluate(() => visualViewport.scale);
	await page.mouse.move(...(await placeOf(...MUG)));
	for (let i = 0; i < 4; i++) await page.mouse.wheel(0, -120);
	const large = await page.locator('#frame').boundingBox();
	assert.ok(large.width > 2 * whole.width, `${large.width} after ${whole.width}`);
	assert.match(await page.locator('#zoom').textContent(), /^\d+ %$/);
	await page.mouse.click(...(await placeOf(...MUG)));
	await settled(page);
	assert.ok((await share()) > 3 && (await share()) < 9, await summary());
	const dot = await page.locator('.dot').boundingBox(), [x, y] = await placeOf(...MUG);
	assert.ok(Math.hypot(dot.x + dot.width / 2 - x, dot.y + dot.height / 2 - y) < 4, 'the dot is elsewhere');
	assert.ok(dot.width < 30, 'the dot is enlarged with the photo');
	await page.locator('#frame').focus();
	await page.keyboard.press('0');
	assert.equal(Math.round((await page.locator('#frame').boundingBox()).width), Math.round(whole.width));
	await page.keyboard.press('+');
	assert.ok((await page.locator('#frame').boundingBox()).width > 1.2 * whole.width);
	await page.locator('#zoom').click();
	const touch = await context.newCDPSession(page);
	await finger(touch, 'touchStart', await placeOf(0.45, 0.5), await placeOf(0.55, 0.5));
	await finger(touch, 'touchMove', await placeOf(0.3, 0.5), await placeOf(0.7, 0.5));
	await finger(touch, 'touchEnd');
	await settled(page);
	assert.ok((await page.locator('#frame').boundingBox()).width > 2 * whole.width);
	assert.equal(await page.evaluate(() => visualViewport.scale), scale, 'the page itself was enlarged');
	assert.equal(await page.locator('.dot').count(), 1);
});

// Upright and sideways, from the smallest phones to the largest: the photo's room is at least half of the screen, and
// every control can be reached.
const PHONES = [[320, 568], [360, 740], [390, 844], [430, 932], [568, 320], [667, 375], [740, 360], [750, 342],
	[844, 390], [932, 430]];
test('phones', async () => {
	for (const [width, height] of PHONES) {
		await start();
		await page.setViewportSize({ width, height });
		await page.locator('.examples button').nth(1).click();
		await page.waitForSelector('body[data-state="photo"]');
		const name = `${width}x${height}`, area = await page.locator('#area').boundingBox();
		assert.ok(area.width * area.height >= 0.5 * width * height,
			`${name}: the photo has ${Math.round(area.width)}x${Math.round(area.height)}`);
		await tapAt(page, ...MUG);
		assert.equal(await page.locator('.dot').count(), 1, name);
		const overflow = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
		assert.ok(overflow[0] <= overflow[1], `${name}: ${overflow}`);
		await page.screenshot({ path: `${folder}/phone-${name}.png` });
		for (const control of ['#undo', '#compare', '#download', '#theme', '#tabs button:nth-child(4)']) {
			await page.locator(control).scrollIntoViewIfNeeded();
			const box = await page.locator(control).boundingBox();
			assert.ok(box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width + 1 &&
				box.y + box.height <= height + 1, `${name}: ${control} is at ${JSON.stringify(box)}`);
		}
		await page.locator('#tabs button').nth(3).click();
		await page.locator('#filters label').nth(1).click();
		assert.equal(await page.locator('#filters input').nth(1).isChecked(), true, name);
		await page.screenshot({ path: `${folder}/phone-${name}-filter.png` });
	}
	await page.setViewportSize({ width: 1200, height: 800 });
});

test('a tap that finds nothing says so, on a phone too', async () => {
	await start();
	await page.setViewportSize({ width: 390, height: 844 });
	await page.locator('.examples button').nth(1).click();
	await page.waitForSelector('body[data-state="photo"]');
	await tapAt(page, ...MUG, { modifiers: ['Alt'] });
	assert.match(await page.locator('.toast').textContent(), /Nothing is selected/);
	await page.setViewportSize({ width: 1200, height: 800 });
});

test('undo, redo and clear', async () => {
	await startWithMug();
	assert.ok(await page.locator('#undo').isDisabled());
	await tapAt(page, ...MUG);
	const one = await summary();
	await tapAt(page, 0.62, 0.7);
	const two = await summary();
	assert.notEqual(one, two);
	await page.locator('#undo').click();
	await settled(page);
	assert.equal(await summary(), one);
	await page.locator('#redo').click();
	await settled(page);
	assert.equal(await summary(), two);
	await page.locator('#clear').click();
	await settled(page);
	assert.match(await summary(), /Tap on an object/);
	assert.ok(await page.locator('#download').isDisabled());
	await page.keyboard.press('Control+z');
	await settled(page);
	assert.equal(await summary(), two);
	await page.keyboard.press('Control+z');
	await page.keyboard.press('Control+y');
	await settled(page);
	assert.equal(await summary(), two);
	await tapAt(page, 0.8, 0.9);
	assert.ok(await page.locator('#redo').isDisabled());
});

test('keyboard alone', async () => {
	await startWithMug();
	await page.locator('#frame').focus();
	for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowLeft');
	for (let i = 0; i < 14; i++) await page.keyboard.press('ArrowDown');
	assert.equal(await live(), '30 percent across, 85 percent down');
	await page.keyboard.press('Enter');
	await settled(page);
	assert.ok((await share()) > 3, await summary());
	for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
	await page.keyboard.press('Shift+Enter');
	await settled(page);
	assert.equal(await page.locator('.dot.remove').count(), 1);
	await page.keyboard.press('b');
	assert.equal(await page.locator('#compare').getAttribute('aria-pressed'), 'true');
	await page.keyboard.press('Escape');
	assert.equal(await page.locator('#compare').getAttribute('aria-pressed'), 'false');
});

test('every control has a name', async () => {
	await startWithMug();
	const nameless = await page.evaluate(() =>
		[...document.querySelectorAll('button, input:not([type=file]), [role]')]
			.filter((e) => !e.closest('[hidden]') &&
				!['presentation', 'none'].includes(e.getAttribute('role')))
			.filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.[0]?.textContent.trim() ||
				e.title || e.getAttribute('aria-labelledby')))
			.map((e) => e.outerHTML.slice(0, 120)),
	);
	const expected = [`<p class="hidden" id="live" role="status" aria-live="polite"></p>`];
	assert.deepEqual(nameless, expected.filter((e) => nameless.includes(e)));
});

test('download: full size, transparent', async () => {
	await startWithMug();
	await tapAt(page, ...MUG);
	const { name, png } = await download();
	assert.equal(name, 'Example 2-cutout.png');
	assert.deepEqual([png.width, png.height, png.channels], [800, 600, 4]);
	const alpha = (x, y) => png.pixels[4 * (Math.round(y * 600) * 800 + Math.round(x * 800)) + 3];
	assert.equal(alpha(...MUG), 255);
	assert.equal(alpha(...NOTHING), 0);
	const counted = png.pixels.filter((value, i) => i % 4 === 3 && value > 127).length / 4800;
	assert.ok(Math.abs(counted - (await share())) < 0.3, `${counted} % in the file`);
	const colours = png.pixels.findIndex((_, i) => i % 4 === 3 && png.pixels[i] === 0 &&
		(png.pixels[i - 1] || png.pixels[i - 2] || png.pixels[i - 3]));
	assert.equal(colours, -1, 'colour where there is no alpha');
});

test('backgrounds, focus and filters', async () => {
	await startWithMug();
	await tapAt(page, ...MUG);
	const pixel = ({ pixels, width, channels }, x, y) =>
		[...pixels.subarray(channels * (y * width + x), channels * (y * width + x) + 3)];
	await page.locator('input[value="#ffffff"]').check({ force: true });
	assert.equal(await page.locator('input[value="result"]').isChecked(), true);
	const white = (await download()).png;
	assert.equal(white.channels, 3);
	assert.deepEqual(pixel(white, 720, 36), [255, 255, 255]);
	await page.locator('input[value="photo"]').check({ force: true });
	const plain = (await download()).png;
	await page.locator('#blur').fill('60');
	await settled(page);
	const blurred = (await download()).png;
	const roughness = (p) => p.pixels.reduce((sum, v, i) => sum +
		(i % 2400 > 600 && i < 480000 ? Math.abs(v - p.pixels[i - 3]) : 0), 0);
	assert.ok(roughness(blurred) < 0.6 * roughness(plain), 'the background is not blurred');
	assert.deepEqual(pixel(blurred, 230, 520), pixel(plain, 230, 520));
	await page.locator('#blur').fill('0');
	await page.locator('input[value="colour_pop"]').check({ force: true });
	const pop = (await download()).png, [r, g, b] = pixel(pop, 720, 36);
	assert.ok(Math.max(r, g, b) - Math.min(r, g, b) <= 2, `not gray: ${[r, g, b]}`);
	assert.deepEqual(pixel(pop, 230, 520), pixel(plain, 230, 520));
});

test('compare shows the photo on one side', async () => {
	await startWithMug();
	await tapAt(page, ...MUG);
	await page.locator('#compare').click();
	await page.locator('#divider').fill('250');
	assert.equal(await page.evaluate(() => getComputedStyle(document.getElementById('result')).clipPath),
		'inset(0px 0px 0px 25%)');
	await page.locator('#compare').click();
	assert.equal(await page.locator('#divider').isVisible(), false);
});

// The module as the page has it, in this browser: what module.test.mjs compares with the native program in Node.
test('the mask in Chromium is the one in Node, byte for byte', async () => {
	await start();
	const { width, height } = { width: 640, height: 480 };
	const masks = async (rgb, urls) => {
		const { Engine } = await import(urls.module),
			bytes = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer());
		const engine =
			await Engine.create(await WebAssembly.compile(await bytes(urls.wasm)), await bytes(urls.model));
		engine.openPhoto(640, 480, 320, 240);
		const rgba = new Uint8ClampedArray(4 * 640 * 480).fill(255);
		for (let i = 0; i < 640 * 480; i++) for (let c = 0; c < 3; c++) rgba[4 * i + c] = rgb[3 * i + c];
		engine.putRows(false, rgba, 0, 480);
		engine.putRows(true, rgba.slice(0, 4 * 320 * 240), 0, 240);
		engine.photoIsComplete();
		const sums = [];
		for (const tap of urls.taps) {
			engine.tap(tap);
			const digest = await crypto.subtle.digest('SHA-256', engine.mask());
			sums.push([...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0'))
				.join(''));
		}
		return sums;
	};
	const rgb = [...scene(width, height)];
	const urls = { module: './module.js', wasm: 'tapcut.wasm', model: 'model.tapcut', taps: TAPS };
	const inPage = await page.evaluate(`(${masks})(${JSON.stringify(rgb)}, ${JSON.stringify(urls)})`);
	const inNode = execFileSync('node', ['tests/web/masks.mjs'], { encoding: 'utf8' }).trim().split('\n');
	assert.deepEqual(inPage, inNode);
	console.log(`masks in Chromium: ${inPage.map((sum) => sum.slice(0, 16)).join(' ')}`);
});

// --- files ---

const fileOf = (name, mimeType, buffer) => ({ name, mimeType, buffer: Buffer.from(buffer) });
const chooseFile = (file) => page.locator('#file').setInputFiles(file);
const alert = () => page.locator('.toast.error p').textContent({ timeout: 20000 });

// A gray PNG of one colour, which packs well.
function grayPng(width, height) {
	const chunk = (type, data) => {
		const head = Buffer.alloc(8), tail = Buffer.alloc(4);
		head.writeUInt32BE(data.length);
		head.write(type, 4, 'latin1');
		const body = Buffer.concat([head.subarray(4), data]);
		let c = -1;
		for (const byte of body) {
			c ^= byte;
			for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
		}
		tail.writeUInt32BE(~c >>> 0);
		return Buffer.concat([head, data, tail]);
	};
	const head = Buffer.alloc(13);
	head.writeUInt32BE(width, 0);
	head.writeUInt32BE(height, 4);
	head[8] = 8;
	const packed = deflateSync(Buffer.alloc((width + 1) * height), { level: 1 });
	return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', head), chunk('IDAT', packed),
		chunk('IEND', Buffer.alloc(0))]);
}

test('a wrong file, a damaged one and a huge one are refused with a reason; the page goes on', async () => {
	await start();
	await chooseFile(fileOf('notes.txt', 'text/plain', 'hello'));
	assert.match(await alert(), /“notes\.txt” is not a photo/);
	await chooseFile(fileOf('cut.jpg', 'image/jpeg', readFileSync('tools/web/examples/2.jpg').subarray(0, 300)));
	assert.match(await alert(), /“cut\.jpg” is not a photo/);
	const huge = grayPng(8, 8);
	huge.writeUInt32BE(30000, 16);
	huge.writeUInt32BE(20000, 20);
	await chooseFile(fileOf('huge.png', 'image/png', huge));
	assert.match(await alert(), /600 megapixels; up to 100/);
	await chooseFile(fileOf('good.jpg', 'image/jpeg', readFileSync('tools/web/examples/2.jpg')));
	await page.waitForSelector('body[data-state="photo"]');
	assert.equal(await page.locator('.toast').count(), 0);
	assert.match(await page.locator('#file-name').textContent(), /good\.jpg · 800 × 600/);
});

test('a large photo is made smaller, with a notice', async () => {
	await start();
	await chooseFile(fileOf('large.png', 'image/png', grayPng(9000, 6000)));
	await page.waitForSelector('body[data-state="photo"]', { timeout: 60000 });
	assert.match(await page.locator('.toast.info p').textContent(),
		/54 megapixels; it was made smaller, to 8660 × 5773/);
});

test('a photo can be dropped and pasted', async () => {
	await start();
	const bytes = readFileSync('tools/web/examples/2.jpg').toString('base64');
	for (const way of ['drop', 'paste']) {
		await page.evaluate(
			({ way, bytes }) => {
				const data = new DataTransfer();
				data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))],
					`${way}.jpg`, { type: 'image/jpeg' }));
				const event = way === 'drop' ? new DragEvent('drop', { dataTransfer: data })
					: new ClipboardEvent('paste', { clipboardData: data });
				dispatchEvent(event);
			},
			{ way, bytes },
		);
		await page.waitForFunction((name) => document.getElementById('file-name').textContent.includes(name),
			`${way}.jpg`);
	}
});

test('works offline once it was there', async () => {
	await start();
	await page.evaluate(() => navigator.serviceWorker.ready);
	await page.waitForFunction(async () => (await (await caches.open('tapcut')).keys()).length > 20);
	await context.setOffline(true);
	try {
		await startWithMug();
		await tapAt(page, ...MUG);
		assert.ok((await share()) > 3, await summary());
	} finally {
		await context.setOffline(false);
	}
});

test('as one file, from the disk', async () => {
	await page?.close();
	page = await openPage(context, pathToFileURL(`${web}/tapcut.html`).href, complaints);
	await page.locator('.examples button').nth(1).click();
	await page.waitForSelector('body[data-state="photo"]');
	await tapAt(page, ...MUG);
	assert.ok((await share()) > 3, await summary());
	assert.equal((await download()).png.width, 800);
});

test('on a phone everything is within reach', async () => {
	const phone =
		await browser.newContext({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
	page = await openPage(phone, server.url, complaints);
	await page.locator('.examples button').nth(1).tap();
	await page.waitForSelector('body[data-state="photo"]');
	const box = await page.locator('#frame').boundingBox();
	await page.touchscreen.tap(box.x + MUG[0] * box.width, box.y + MUG[1] * box.height);
	await settled(page);
	assert.ok((await share()) > 3, await summary());
	const outside = await page.evaluate(() =>
		[...document.querySelectorAll('.toolbar button, .toolbar label, .panel footer button, .bar button')]
			.map((e) => [e.id || e.textContent, e.getBoundingClientRect()])
			.filter(([, r]) => r.width > 0 &&
				(r.left < 0 || r.right > innerWidth || r.bottom > innerHeight ||
				Math.min(r.width, r.height) < 32))
			.map(([name]) => name),
	);
	assert.deepEqual(outside, []);
	await phone.close();
	page = null;
});

test('nothing was said on the console', () => assert.deepEqual(complaints, []));
