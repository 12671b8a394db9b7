// The size of a photo from the first bytes of its file, so that a huge one is refused before it is decoded. null where
// the format is not known here: then the decoder decides.

export const HEAD_BYTES = 1 << 18; // a JPEG's size may come after an embedded preview

const be16 = (b, at) => (b[at] << 8) | b[at + 1];
const be32 = (b, at) => be16(b, at) * 65536 + be16(b, at + 2);
const le16 = (b, at) => b[at] | (b[at + 1] << 8);
const le24 = (b, at) => le16(b, at) + b[at + 2] * 65536;
const ascii = (b, at, text) => [...text].every((letter, i) => b[at + i] === letter.charCodeAt(0));

// Markers SOF0 to SOF15 hold the size; three of that range are other things (ITU T.81, table B.1).
function jpegSize(b) {
	for (let at = 2; at + 9 < b.length && b[at] === 0xff; ) {
		const marker = b[at + 1];
		if (marker === 0xff) {
			at++;
			continue;
		}
		if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
			return { width: be16(b, at + 7), height: be16(b, at + 5) };
		at += 2 + be16(b, at + 2);
	}
	return null;
}

function webpSize(b) {
	if (ascii(b, 12, 'VP8X')) return { width: 1 + le24(b, 24), height: 1 + le24(b, 27) };
	if (ascii(b, 12, 'VP8 ')) return { width: le16(b, 26) & 0x3fff, height: le16(b, 28) & 0x3fff };
	if (!ascii(b, 12, 'VP8L')) return null;
	return { width: 1 + (le16(b, 21) & 0x3fff), height: 1 + ((le24(b, 22) >> 6) & 0x3fff) };
}

export function photoSize(b) {
	if (b.length < 32) return null;
	if (b[0] === 0xff && b[1] === 0xd8) return jpegSize(b);
	if (ascii(b, 1, 'PNG') && ascii(b, 12, 'IHDR')) return { width: be32(b, 16), height: be32(b, 20) };
	if (ascii(b, 0, 'RIFF') && ascii(b, 8, 'WEBP')) return webpSize(b);
	if (ascii(b, 0, 'GIF8')) return { width: le16(b, 6), height: le16(b, 8) };
	if (ascii(b, 0, 'BM'))
		return { width: le16(b, 18) + le16(b, 20) * 65536,
			height: Math.abs((le16(b, 22) + le16(b, 24) * 65536) | 0) };
	return null;
}
