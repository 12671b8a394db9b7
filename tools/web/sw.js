// Offline: what was fetched once is kept. The network comes first, so that a new version is never held back.
const CACHE = 'tapcut';
const FILES = [
	'./', 'style.css', 'icon.svg', 'manifest.webmanifest', 'main.js', 'engine.js', 'history.js', 'messages.js',
	'panel.js', 'stage.js', 'gestures.js', 'worker.js', 'module.js', 'weights.js', 'crc32.js', 'photo.js',
	'photo-size.js', 'requests.js', 'png.js', 'tapcut.wasm', 'model.tapcut',
	'examples/1.jpg', 'examples/2.jpg', 'examples/3.jpg', 'examples/4.jpg',
];

addEventListener('install', (event) => {
	skipWaiting();
	event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

addEventListener('activate', (event) => event.waitUntil(clients.claim()));

async function keep(request, response) {
	await (await caches.open(CACHE)).put(request, response);
}

async function answer(event) {
	try {
		const response = await fetch(event.request);
		if (response.ok) event.waitUntil(keep(event.request, response.clone()));
		return response;
	} catch (error) {
		const kept = await caches.match(event.request, { ignoreSearch: true });
		if (kept) return kept;
		throw error;
	}
}

addEventListener('fetch', (event) => {
	const { request } = event;
	if (request.method === 'GET' && new URL(request.url).origin === location.origin)
		event.respondWith(answer(event));
});
