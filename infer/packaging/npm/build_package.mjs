// build_package.mjs WASM MODEL VERSION LICENSE FOLDER: the npm package, by `npm pack`, from the module that was built,
// a weights file, this folder, and what it has in common with the page (tools/web). The same input gives the same
// bytes. Prints the package's size and path.
import { execFileSync } from 'node:child_process';
import {
	copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url)), page = resolve(here, '../../../tools/web');
const OWN = ['README.md', 'index.d.ts', 'index.js', 'node.js', 'api.js', 'sessions.js', 'worker.js', 'worker-node.js'];
const SHARED = ['engine.js', 'requests.js', 'module.js', 'weights.js', 'crc32.js', 'photo.js', 'photo-size.js'];

const [wasm, model, version, license, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const stage = mkdtempSync(join(folder, '.stage-')), put = (from, name) => copyFileSync(from, join(stage, name));
try {
	for (const name of OWN) put(join(here, name), name);
	for (const name of SHARED) put(join(page, name), name);
	put(wasm, 'tapcut.wasm');
	put(model, 'base.tapcut');
	put(license, 'LICENSE');
	const description = { ...JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')), version };
	writeFileSync(join(stage, 'package.json'), JSON.stringify(description, null, 2) + '\n');
	// No script of the package runs and no registry is asked.
	const told = execFileSync('npm', ['pack', '--json', '--offline', '--ignore-scripts', '--loglevel=error'],
		{ cwd: stage, encoding: 'utf8' });
	const [{ filename, unpackedSize }] = JSON.parse(told), path = join(folder, filename);
	renameSync(join(stage, filename), path);
	console.log(`npm-package: ${statSync(path).size} bytes, ${unpackedSize} unpacked`);
	console.log(relative('.', path));
} finally {
	rmSync(stage, { recursive: true });
}
