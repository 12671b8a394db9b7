// The page: brings together the photo (stage.js), the controls (panel.js), the taps (history.js) and the engine
// (engine.js).
import { EngineClient } from './engine.js';
import { History } from './history.js';
import { dismiss, say, showProgress, toast } from './messages.js';
import { Panel } from './panel.js';
import { Stage } from './stage.js';

const $ = (id) => document.getElementById(id);
const MOST_TAPS = 64; // TAPCUT_MAX_CLICKS
const EXAMPLES = [
	{ file: 'examples/1.jpg', label: 'Example 1' },
	{ file: 'examples/2.jpg', label: 'Example 2' },
	{ file: 'examples/3.jpg', label: 'Example 3' },
	{ file: 'examples/4.jpg', label: 'Example 4' },
];
const URLS = globalThis.TAPCUT_URLS ?? { worker: 'worker.js', module: 'tapcut.wasm', model: 'model.tapcut',
	example: (file) => file };

const history = new History();
const stage = new Stage({ onTap: tap, onMove: say });
const panel = new Panel({ onChange: settingsChanged });
let photo = null; // { width, height, name }
let share = 0; // of the photo that is selected
let busy = 0; // selections on their way

// --- engine ----------------------------------------------------------------------------------------------------------

const url = (name) => new URL(URLS[name], document.baseURI).href;
const engine = new EngineClient({
	worker: new Worker(URLS.worker, { type: URLS.workerType ?? 'module' }),
	onProgress: (done) => showProgress(done),
	onView: (view) => stage.show(view),
	onTrouble: (words) => toast('error', words),
});
showProgress(0, 'Loading');
const ready = engine.call('load', { module: url('module'), model: url('model') }).then(
	({ bytes, filters }) => {
		const kilobytes = (n) => `${Math.round(n / 1000)} kB`;
		$('about').textContent = `The engine is ${kilobytes(bytes.module)}, ` +
			`the network ${kilobytes(bytes.model)}. Both run here, in this page; nothing is sent anywhere.`;
		panel.setFilters(filters);
		showProgress(null);
		document.body.dataset.engine = 'ready';
	},
	(error) => {
		showProgress(null);
		toast('error', `The page could not load its engine (${error.message}).`);
		throw error;
	},
);
ready.catch(() => {}); // said above

// --- photos ----------------------------------------------------------------------------------------------------------

async function open(file, name) {
	dismiss();
	try {
		await ready;
		showProgress(true, 'Opening the photo');
		const opened = await engine.call('photo', { file });
		photo = { width: opened.width, height: opened.height, name };
		history.clear();
		document.body.dataset.state = 'photo';
		$('empty').hidden = true;
		$('area').hidden = $('toolbar').hidden = false;
		$('file-name').textContent = `${name} · ${opened.width} × ${opened.height}`;
		stage.open({ ...opened, name });
		showView('selection');
		showSelection(0);
		sendSettings();
		refreshThumbnails();
		$('frame').focus({ preventScroll: true });
		say(`${name} is open. Tap on an object to select it.`);
		if (opened.notice) toast('info', opened.notice);
	} catch (error) {
		toast('error', error.message);
	}
	showProgress(null);
}

function openFiles(files) {
	const list = [...files];
	if (list.length) open(list.find((file) => file.type.startsWith('image/')) ?? list[0], list[0].name || 'Photo');
}

async function openExample({ file, label }) {
	try {
		const response = await fetch(URLS.example(file));
		if (!response.ok) throw new Error(response.statusText);
		await open(await response.blob(), label);
	} catch (error) {
		toast('error', `The example could not be opened (${error.message}).`);
	}
}

function listExamples() {
	for (const example of EXAMPLES) {
		const item = document.createElement('li'), button = document.createElement('button'),
			image = document.createElement('img');
		image.src = URLS.example(example.file);
		image.alt = example.label;
		button.type = 'button';
		button.append(image);
		button.addEventListener('click', () => openExample(example));
		item.append(button);
		$('examples').append(item);
	}
}

// --- selection -------------------------------------------------------------------------------------------------------

function tap({ x, y, opposite }) {
	panel.close();
	const positive = (document.querySelector('input[name="mode"]:checked').value === 'add') !== opposite;
	if (history.taps.length >= MOST_TAPS)
		return toast('info', `A selection has at most ${MOST_TAPS} taps. Undo one or start over.`);
	history.push([...history.taps, { x, y, positive }]);
	select(positive ? 'Added' : 'Removed');
}

async function select(what) {
	const taps = history.taps;
	countBusy(1);
	stage.setTaps(taps, true);
	try {
		const answer = await engine.call('select', { taps });
		performance.measure('tapcut-tap',
			{ start: performance.now() - answer.milliseconds, duration: answer.milliseconds });
		if (taps === history.taps) showSelection(answer.share, what);
	} catch (error) {
		history.forget(taps);
		stage.setTaps(history.taps);
		toast('error', error.message);
	}
	countBusy(-1);
	refreshThumbnails();
}

function countBusy(more) {
	busy += more;
	document.body.dataset.busy = busy;
	showButtons();
}

let thumbnailsDue;
function refreshThumbnails() {
	clearTimeout(thumbnailsDue);
	thumbnailsDue = setTimeout(async () => {
		if (busy === 0 && photo)
			panel.setThumbnails(await engine.call('thumbnails',
				{ names: panel.filters.map(({ name }) => name), size: 72 }));
	}, 250);
}

function showSelection(selected, what) {
	const taps = history.taps.length, percent = Math.round(1000 * selected) / 10;
	share = selected;
	stage.setTaps(history.taps);
	if (taps === 0) $('summary').textContent = 'Tap on an object to select it.';
	else if (selected === 0) $('summary').textContent = 'Nothing is selected: tap on the object.';
	else $('summary').textContent = `${percent} % selected with ${taps} ${taps === 1 ? 'tap' : 'taps'}`;
	if (what) say(`${what}. ${$('summary').textContent}`);
	if (taps > 0 && selected === 0 && what) toast('info', $('summary').textContent);
	showButtons();
}

function showButtons() {
	const selected = history.taps.length > 0;
	$('undo').disabled = !history.canUndo;
	$('redo').disabled = !history.canRedo;
	$('clear').disabled = !selected;
	$('compare').disabled = $('download').disabled = $('copy').disabled = !selected || share === 0 || busy > 0;
	$('panel').inert = !photo;
	if (!selected && stage.comparing) compare(false);
}

function step(direction) {
	const before = history.taps;
	history[direction]();
	if (history.taps !== before) select(direction === 'undo' ? 'Undone' : 'Redone');
}

function clear() {
	if (!history.taps.length) return;
	history.push([]);
	select('Cleared');
}

// --- view ------------------------------------------------------------------------------------------------------------

const view = () => document.querySelector('input[name="view"]:checked').value;

function showView(name) {
	document.querySelector(`input[name="view"][value="${name}"]`).checked = true;
	stage.view(name);
}

function sendSettings() {
	if (photo) engine.settings({ ...panel.settings(Math.max(photo.width, photo.height)), view: view() });
}

function settingsChanged() {
	if (history.taps.length) showView('result');
	sendSettings();
}

function changeView(name) {
	if (name === 'selection') compare(false);
	showView(name);
	sendSettings();
}

function compare(on) {
	if (on) showView('result');
	stage.compare(on);
	$('compare').setAttribute('aria-pressed', on);
	sendSettings();
	if (on) $('divider').focus();
}

// --- results ---------------------------------------------------------------------------------------------------------

async function exportPng() {
	showProgress(0, 'Writing the picture');
	try {
		return (await engine.call('exportPng')).file;
	} finally {
		showProgress(null);
	}
}

async function download() {
	try {
		const file = await exportPng(), link = document.createElement('a');
		link.href = URL.createObjectURL(file);
		link.download = `${photo.name.replace(/\.[^.]*$/, '')}-cutout.png`;
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 60000);
		say(`${link.download} is ready, ${photo.width} by ${photo.height} pixels.`);
	} catch (error) {
		toast('error', error.message);
	}
}

async function copy() {
	try {
		await navigator.clipboard.write([new ClipboardItem({ 'image/png': exportPng() })]);
		toast('info', 'The picture is in the clipboard.');
	} catch (error) {
		toast('error', `The picture could not be copied (${error.message}).`);
	}
}

// --- hands and keys --------------------------------------------------------------------------------------------------

const pick = () => $('file').click();
for (const id of ['open', 'open-large']) $(id).addEventListener('click', pick);
$('file').addEventListener('change', () => {
	openFiles($('file').files);
	$('file').value = '';
});
$('undo').addEventListener('click', () => step('undo'));
$('redo').addEventListener('click', () => step('redo'));
$('clear').addEventListener('click', clear);
$('compare').addEventListener('click', () => compare(!stage.comparing));
$('download').addEventListener('click', download);
$('copy').addEventListener('click', copy);
$('help').addEventListener('click', () => $('help-dialog').showModal());
for (const radio of document.querySelectorAll('input[name="view"]'))
	radio.addEventListener('change', () => changeView(radio.value));

$('theme').addEventListener('click', () => {
	const dark = matchMedia('(prefers-color-scheme: dark)').matches, root = document.documentElement;
	const now = root.dataset.theme ?? (dark ? 'dark' : 'light');
	root.dataset.theme = now === 'dark' ? 'light' : 'dark';
	say(`${root.dataset.theme} colours`);
});

let dragged = 0; // elements that the dragged file is over, nested ones counted
addEventListener('dragenter', (event) => {
	event.preventDefault();
	if (event.dataTransfer?.types.includes('Files')) document.body.classList.toggle('dropping', ++dragged > 0);
});
addEventListener('dragleave',
	() => document.body.classList.toggle('dropping', (dragged = Math.max(0, dragged - 1)) > 0));
addEventListener('dragover', (event) => event.preventDefault());
addEventListener('drop', (event) => {
	event.preventDefault();
	dragged = 0;
	document.body.classList.remove('dropping');
	openFiles(event.dataTransfer.files);
});
// Closing the tab loses taps: the browser asks first.
addEventListener('beforeunload', (event) => history.taps.length && event.preventDefault());
addEventListener('paste', (event) => openFiles(event.clipboardData.files));

const withControl = { z: () => step('undo'), y: () => step('redo'), Z: () => step('redo'), o: pick,
	s: () => $('download').disabled || download() };
const alone = {
	x: () => {
		const other = document.querySelector('input[name="mode"]:not(:checked)');
		other.checked = true;
		say(other.value === 'add' ? 'Taps add' : 'Taps remove');
	},
	r: () => changeView(view() === 'result' ? 'selection' : 'result'),
	b: () => $('compare').disabled || compare(!stage.comparing),
	'?': () => $('help-dialog').showModal(),
	Escape: () => compare(false),
};
addEventListener('keydown', (event) => {
	const control = event.ctrlKey || event.metaKey;
	const action = (control ? withControl : alone)[event.key];
	if (!action || event.altKey || $('help-dialog').open || (!photo && action !== pick && event.key !== '?'))
		return;
	event.preventDefault();
	action();
});

listExamples();
if ('serviceWorker' in navigator && location.protocol.startsWith('http'))
	navigator.serviceWorker.register('sw.js').catch(() => {}); // the page works without, only not offline
