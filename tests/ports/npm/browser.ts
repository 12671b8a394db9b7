// The same in a browser, whose own types fit: beside app.ts.
import { Tapcut } from 'tapcut';

export async function show(canvas: HTMLCanvasElement, file: File, url: URL): Promise<void> {
	const worker = new Worker(new URL('worker.js', url), { type: 'module' });
	const tapcut = await Tapcut.load({ model: url, worker });
	const photos = [await tapcut.photo(file), await tapcut.photo(await createImageBitmap(file)),
		await tapcut.photo(new ImageData(4, 4))];
	const context = canvas.getContext('2d')!;
	for (const photo of photos) context.putImageData(await photo.cutout(), 0, 0);
}
