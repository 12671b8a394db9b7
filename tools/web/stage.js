// The photo on the page: its layers, the taps' dots, the keyboard's cursor; gestures.js hears hands.
import { Gestures } from './gestures.js';

const $ = (id) => document.getElementById(id);
const frame = $('frame'), dots = $('dots'), cursor = $('cursor'), divider = $('divider');
const STEP = 1 / 40, SMALL_STEP = 1 / 400; // of the photo's width and height, for arrow keys

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class Stage {
	// onTap({ x, y, opposite }): in pixels of the photo; opposite: of what the toolbar says. onMove(words): where
	// the cursor is.
	constructor({ onTap, onMove }) {
		this.onTap = onTap;
		this.onMove = onMove;
		this.layers = Object.fromEntries(
			['photo', 'result', 'overlay'].map((name) => [name, $(name).getContext('bitmaprenderer')]));
		this.gestures = new Gestures({
			area: $('area'),
			frame,
			onTap: (x, y, opposite) => {
				cursor.hidden = true;
				this.tapAt(x, y, opposite);
			},
			onZoom: (zoom) => ($('zoom').textContent = zoom > 1.01 ? `${Math.round(100 * zoom)} %` : ''),
		});
		$('zoom').addEventListener('click', () => this.gestures.reset());
		addEventListener('resize', () => this.gestures.reset());
		// no focus ring for who does not need it
		frame.addEventListener('pointerdown', () => frame.classList.add('by-hand'));
		frame.addEventListener('keydown', (event) => this.key(event));
		frame.addEventListener('blur', () => (cursor.hidden = true));
		divider.addEventListener('input', () => this.split(divider.value / 1000));
		this.split(0.5);
	}

	open({ width, height, picture, name }) {
		Object.assign(this, { width, height, at: { x: 0.5, y: 0.5 } });
		frame.style.setProperty('--ratio', width / height);
		frame.setAttribute('aria-label', `${name}, ${width} by ${height} pixels`);
		this.layers.photo.transferFromImageBitmap(picture);
		this.show({ name: 'none' });
		this.compare(false);
		this.gestures.reset();
		this.setTaps([]);
	}

	// What the worker drew comes to the screen with the next frame.
	show({ name, picture }) {
		requestAnimationFrame(() => {
			if (name === 'none')
				for (const layer of ['result', 'overlay'])
					this.layers[layer].transferFromImageBitmap(null);
			else this.layers[name].transferFromImageBitmap(picture);
			$('result').hidden = name !== 'result';
			performance.mark('tapcut-shown');
		});
	}

	view(name) {
		frame.dataset.view = name;
	}

	compare(on) {
		frame.classList.toggle('comparing', on);
		divider.hidden = $('divider-line').hidden = !on;
		this.comparing = this.gestures.blocked = on;
	}

	split(share) {
		frame.style.setProperty('--split', `${100 * share}%`);
	}

	setTaps(taps, waiting = false) {
		// undone: it may be made again at once
		if (taps.length < dots.childElementCount) this.gestures.forgetTap();
		dots.replaceChildren(
			...taps.map((tap, i) => {
				const dot = document.createElement('i');
				const last = waiting && i === taps.length - 1;
				dot.className = `dot ${tap.positive ? 'add' : 'remove'}${last ? ' waiting' : ''}`;
				dot.style.left = `${(100 * (tap.x + 0.5)) / this.width}%`;
				dot.style.top = `${(100 * (tap.y + 0.5)) / this.height}%`;
				return dot;
			}),
		);
	}

	tapAt(x, y, opposite) {
		this.onTap({
			x: clamp(Math.floor(x * this.width), 0, this.width - 1),
			y: clamp(Math.floor(y * this.height), 0, this.height - 1),
			opposite,
		});
	}

	key(event) {
		frame.classList.remove('by-hand');
		const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
		if (this.comparing || event.target !== frame || event.ctrlKey || event.metaKey) return;
		const zooms = { '+': 1.25, '=': 1.25, '-': 0.8, 0: 0 };
		if (event.key in zooms) {
			if (zooms[event.key]) this.gestures.zoomBy(zooms[event.key]);
			else this.gestures.reset();
			event.preventDefault();
			return;
		}
		if (arrows[event.key]) {
			const step = event.shiftKey ? SMALL_STEP : STEP;
			this.at.x = clamp(this.at.x + step * arrows[event.key][0], 0, 1);
			this.at.y = clamp(this.at.y + step * arrows[event.key][1], 0, 1);
			this.showCursor();
		} else if (event.key === 'Enter' || event.key === ' ') {
			this.showCursor();
			this.tapAt(this.at.x, this.at.y, event.shiftKey);
		} else return;
		event.preventDefault();
	}

	showCursor() {
		cursor.hidden = false;
		cursor.style.left = `${100 * this.at.x}%`;
		cursor.style.top = `${100 * this.at.y}%`;
		this.onMove(
			`${Math.round(100 * this.at.x)} percent across, ${Math.round(100 * this.at.y)} percent down`);
	}
}
