// What hands do on the photo: a tap, a long press, a drag that moves the enlarged photo, two fingers or the wheel that
// enlarge it. Nothing here knows what a tap is for.

const TAP_REACH = 9, PRESS_MS = 480; // pixels that a finger may stray; how long it must stay
const DOUBLE_MS = 350, DOUBLE_REACH = 24; // a second tap so soon and so near is the same one, made twice
export const MOST_ZOOM = 8;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export class Gestures {
	// area: where hands are watched; frame: what is enlarged inside it, centred. onTap(x, y, opposite): of the
	// frame, 0 to 1; opposite: a long press, the right button, or with Alt. onZoom(zoom).
	constructor({ area, frame, onTap, onZoom }) {
		Object.assign(this, { area, frame, onTap, onZoom });
		this.hands = new Map(); // pointerId: { x, y }
		this.last = { time: -Infinity, x: 0, y: 0 };
		this.reset();
		frame.addEventListener('pointerdown', (event) => this.down(event));
		frame.addEventListener('pointermove', (event) => this.move(event));
		frame.addEventListener('pointerup', (event) => this.up(event));
		frame.addEventListener('pointercancel', (event) => this.drop(event));
		frame.addEventListener('contextmenu', (event) => event.preventDefault()); // the button itself was heard
		area.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
	}

	reset() {
		this.show(1, 0, 0);
	}

	// The next tap is not the second half of a double one.
	forgetTap() {
		this.last.time = -Infinity;
	}

	// zoom: 1 is all of the photo; x, y: how far its centre is from the area's.
	show(zoom, x, y) {
		this.zoom = clamp(zoom, 1, MOST_ZOOM);
		const { offsetWidth: w, offsetHeight: h } = this.frame;
		const { clientWidth: aw, clientHeight: ah } = this.area;
		const mostX = Math.max(0, (w * this.zoom - Math.max(aw, w)) / 2),
			mostY = Math.max(0, (h * this.zoom - Math.max(ah, h)) / 2);
		this.x = this.zoom === 1 ? 0 : clamp(x, -mostX, mostX);
		this.y = this.zoom === 1 ? 0 : clamp(y, -mostY, mostY);
		this.frame.style.setProperty('--zoom', this.zoom);
		this.frame.style.setProperty('--x', `${this.x}px`);
		this.frame.style.setProperty('--y', `${this.y}px`);
		this.onZoom(this.zoom);
	}

	// What is under (x, y), in the window's pixels, stays there.
	zoomAt(zoom, x, y) {
		const box = this.area.getBoundingClientRect();
		const fromX = x - box.left - box.width / 2, fromY = y - box.top - box.height / 2;
		const next = clamp(zoom, 1, MOST_ZOOM), grown = next / this.zoom;
		this.show(next, fromX + (this.x - fromX) * grown, fromY + (this.y - fromY) * grown);
	}

	zoomBy(factor) {
		const box = this.area.getBoundingClientRect();
		this.zoomAt(this.zoom * factor, box.left + box.width / 2, box.top + box.height / 2);
	}

	wheel(event) {
		event.preventDefault();
		const pixels = event.deltaY * (event.deltaMode ? 20 : 1);
		this.zoomAt(this.zoom * Math.exp(-clamp(pixels, -120, 120) / 300), event.clientX, event.clientY);
	}

	down(event) {
		if (event.button === 1 || this.blocked) return;
		this.frame.setPointerCapture?.(event.pointerId);
		this.hands.set(event.pointerId, { x: event.clientX, y: event.clientY });
		clearTimeout(this.timer);
		if (this.hands.size > 1) {
			this.began = null; // two hands never tap
			this.pinch = this.span();
			return;
		}
		const opposite = event.button === 2 || event.altKey || (event.button === 0 && event.ctrlKey);
		this.began = { x: event.clientX, y: event.clientY, opposite, dragged: false };
		if (event.pointerType !== 'mouse' && !opposite)
			this.timer = setTimeout(() => {
				if (!this.began || this.began.dragged) return;
				const { x, y } = this.began;
				this.began = null;
				navigator.vibrate?.(12);
				this.tap(x, y, true);
			}, PRESS_MS);
	}

	span() {
		const [a, b] = [...this.hands.values()];
		return { distance: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
	}

	move(event) {
		const hand = this.hands.get(event.pointerId);
		if (!hand) return;
		const dx = event.clientX - hand.x, dy = event.clientY - hand.y;
		Object.assign(hand, { x: event.clientX, y: event.clientY });
		if (this.hands.size === 2) {
			const now = this.span(), before = this.pinch;
			this.pinch = now;
			this.show(this.zoom, this.x + now.x - before.x, this.y + now.y - before.y);
			if (before.distance > 0)
				this.zoomAt((this.zoom * now.distance) / before.distance, now.x, now.y);
		} else if (this.began) {
			const { x, y } = this.began;
			this.began.dragged ||= Math.hypot(event.clientX - x, event.clientY - y) > TAP_REACH;
			if (this.began.dragged) {
				clearTimeout(this.timer);
				if (this.zoom > 1) this.show(this.zoom, this.x + dx, this.y + dy);
			}
		}
	}

	up(event) {
		const began = this.hands.size === 1 ? this.began : null;
		this.drop(event);
		if (began && !began.dragged) this.tap(began.x, began.y, began.opposite);
	}

	drop(event) {
		clearTimeout(this.timer);
		this.hands.delete(event.pointerId);
		this.began = null;
	}

	tap(x, y, opposite) {
		const time = performance.now(), last = this.last;
		this.last = { time, x, y };
		if (time - last.time < DOUBLE_MS && Math.hypot(x - last.x, y - last.y) < DOUBLE_REACH) return;
		const box = this.frame.getBoundingClientRect();
		this.onTap((x - box.left) / box.width, (y - box.top) / box.height, opposite);
	}
}
