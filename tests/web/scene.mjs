// A photo that any language makes alike: integers only. A ball on a chequered ground, with some grain. RGB rows.
export function scene(width, height) {
	const rgb = new Uint8Array(3 * width * height), radius = Math.floor(Math.min(width, height) / 4);
	const cx = Math.floor(width / 2), cy = Math.floor(height / 2);
	for (let y = 0; y < height; y++)
		for (let x = 0; x < width; x++) {
			const at = 3 * (y * width + x), dx = x - cx, dy = y - cy, far = dx * dx + dy * dy;
			const grain = (x * 31 + y * 17 + ((x * y) % 13)) % 11;
			const tile = (Math.floor(x / 40) + Math.floor(y / 40)) % 2;
			const ball = far < radius * radius, light = Math.floor((60 * far) / (radius * radius + 1));
			rgb[at] = ball ? 220 - light + grain : 70 + 40 * tile + grain;
			rgb[at + 1] = ball ? 90 - Math.floor(light / 2) + grain : 110 + 30 * tile + grain;
			rgb[at + 2] = ball ? 40 + grain : 120 + 20 * tile + grain;
		}
	return rgb;
}

export const TAPS = [
	{ x: 320, y: 240, positive: true },
	{ x: 60, y: 60, positive: false },
	{ x: 380, y: 200, positive: true },
];
