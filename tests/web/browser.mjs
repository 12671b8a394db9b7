// What the browser tests share: the page, served by the program that is tested, in Chromium.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const build = process.env.BUILD ?? 'build', web = process.env.WEB ?? 'build/web';
const npm = process.env.TAPCUT_NPM ?? 'build/npm';
const require = createRequire(resolve(npm, 'node_modules', 'x.js'));

// { url, stop }
export async function serve(...options) {
	const child = spawn(`${build}/tapcut`, ['serve', '--port', '0', ...options],
		{ stdio: ['ignore', 'pipe', 'inherit'] });
	const [line] = await once(createInterface(child.stdout), 'line');
	return { url: line.match(/http:\S+/)[0], stop: () => child.kill() };
}

export async function launch() {
	const { chromium } = require('playwright-core');
	return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
}

// A page whose engine is loaded. `complaints` collects what the page says on the console.
export async function openPage(context, url, complaints = []) {
	const page = await context.newPage();
	page.on('console', (message) => ['error', 'warning'].includes(message.type()) &&
		complaints.push(message.text()));
	page.on('pageerror', (error) => complaints.push(String(error)));
	await page.goto(url);
	await page.waitForSelector('body[data-engine="ready"]');
	return page;
}

// Once the page has nothing left to do.
export async function settled(page) {
	await page.waitForFunction(() => document.body.dataset.busy === '0');
	await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

// Taps at a share of the photo's width and height.
export async function tapAt(page, x, y, options = {}) {
	const box = await page.locator('#frame').boundingBox();
	await page.locator('#frame').click({ position: { x: x * box.width, y: y * box.height }, ...options });
	await settled(page);
}
