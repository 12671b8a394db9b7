// What a program in TypeScript writes (test_npm.c compiles it and does not run it).
import { Tapcut, TapcutError, type Edit, type Filter, type Photo, type Pixels, type Status } from 'tapcut';

async function cut(pixels: Pixels, blob: { size: number; type: string; arrayBuffer(): Promise<ArrayBuffer> }) {
	const tapcut: Tapcut = await Tapcut.load({ model: new Uint8Array(4), wasm: 'tapcut.wasm', worker: false });
	const photo: Photo = await tapcut.photo(pixels);
	await tapcut.photo(blob);
	await photo.tap(1, 2, { positive: false });
	await photo.tap(1, 2);
	await photo.undo();
	await photo.reset();
	const mask: Uint8Array = await photo.mask(), alpha: Uint8Array = await photo.alpha({ feather: 2 });
	const edits: Edit[] = [{ filter: 'focus', amount: 4, depth: 0.5, where: 'outside' },
		{ filter: 'background', picture: pixels }, { filter: 'duotone', colours: [[1, 2, 3], [4, 5, 6]] }];
	const cutout = await photo.cutout({ edits, feather: 1 }), edited = await photo.edit(edits);
	const bytes: Uint8ClampedArray = cutout.data, width: number = edited.width;
	const filters: readonly Filter[] = tapcut.filters;
	await tapcut.photo(edited);
	await photo.close();
	tapcut.close();
	return [mask, alpha, bytes, width, filters];
}

async function refused(error: unknown, photo: Photo, tapcut: Tapcut): Promise<Status | undefined> {
	// @ts-expect-error: a tap has two coordinates
	await photo.tap(1);
	// @ts-expect-error: a filter has a name
	await photo.edit([{ amount: 1 }]);
	// @ts-expect-error: only three places
	await photo.edit([{ filter: 'focus', where: 'here' }]);
	// @ts-expect-error: it is not made by hand
	new Tapcut();
	// @ts-expect-error: pixels have a height
	await tapcut.photo({ width: 1, data: new Uint8Array(4) });
	// @ts-expect-error: results are promises
	const mask: Uint8Array = photo.mask();
	return error instanceof TapcutError && mask ? error.status : undefined;
}

export { cut, refused };
