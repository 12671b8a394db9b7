// The whole page as one file that also works from a disk or an attachment: inline.mjs FOLDER >tapcut.html
// FOLDER is what make web built. Each module becomes a function, in the order in which they need each other.
import { readFileSync } from 'node:fs';

const folder = process.argv[2];
const text = (name) => readFileSync(`${folder}/${name}`, 'utf8');
const dataUrl = (name, type) => `data:${type};base64,${readFileSync(`${folder}/${name}`).toString('base64')}`;

const IMPORT = /^import \{ ([^}]+) \} from '\.\/([\w-]+\.js)';\n/gm;
const EXPORT = /^export (async function|function|class|const) (\w+)/gm;

function addModule(name, done, out) {
	if (done.has(name)) return;
	done.add(name);
	const code = text(name), names = [...code.matchAll(EXPORT)].map((match) => match[2]);
	for (const [, , needed] of code.matchAll(IMPORT)) addModule(needed, done, out);
	const body = code.replace(IMPORT, (_, taken, from) => `const { ${taken} } = modules['${from}'];\n`)
		.replace(EXPORT, '$1 $2');
	out.push(`modules['${name}'] = (() => {\n${body}\nreturn { ${names.join(', ')} };\n})();`);
}

function bundle(entry) {
	const out = ['const modules = {};'];
	addModule(entry, new Set(), out);
	return out.join('\n').replaceAll('</script', '<\\/script');
}

const examples = [1, 2, 3, 4].map((i) => `examples/${i}.jpg`);
const urls = `globalThis.TAPCUT_URLS = {
	worker: URL.createObjectURL(new Blob([document.getElementById('worker').textContent],
		{ type: 'text/javascript' })), workerType: 'classic',
	module: '${dataUrl('tapcut.wasm', 'application/wasm')}',
	model: '${dataUrl('model.tapcut', 'application/octet-stream')}',
	example: (file) => (${
		JSON.stringify(Object.fromEntries(examples.map((file) => [file, dataUrl(file, 'image/jpeg')])))})[file],
};`;
const policy = [
	"default-src 'none'", "script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:", "style-src 'unsafe-inline'",
	'img-src blob: data:', 'worker-src blob:', 'connect-src data: blob:', "base-uri 'none'", "form-action 'none'",
].join('; ');

// Functions, because what is put in may contain $.
const page = text('index.html')
	.replace(/<!-- connect-src[\s\S]*?base-uri 'none'; form-action 'none'">/,
		() => `<meta http-equiv="Content-Security-Policy" content="${policy}">`)
	.replace(/<link rel="icon"[^>]*>/, () => `<link rel="icon" href="${dataUrl('icon.svg', 'image/svg+xml')}">`)
	.replace(/<link rel="manifest"[^>]*>\n/, '')
	.replace(/<link rel="stylesheet"[^>]*>/, () => `<style>\n${text('style.css')}</style>`)
	.replace(/<script type="module" src="main.js"><\/script>\n/, '')
	.replace('</body>', () => `<script type="text/plain" id="worker">\n${bundle('worker.js')}\n</script>\n` +
		`<script type="module">\n${urls}\n${bundle('main.js')}\n</script>\n</body>`);
process.stdout.write(page);
