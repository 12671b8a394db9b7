// What all pictures share: two canvases, scales, axes.
// --- plots ---------------------------------------------------------------------
const views = [];
class Plot {
	constructor(id, margins) {
		this.host = $(id);
		this.margin = margins;
		this.canvases = [0, 1].map(() => this.host.appendChild(document.createElement("canvas")));
		this.canvases[1].addEventListener("mousemove", e => this.move(e));
		this.canvases[1].addEventListener("mouseleave", () => point(null));
		this.canvases[1].addEventListener("click", e => this.click(e));
		views.push(this);
	}
	size() {
		const ratio = window.devicePixelRatio || 1;
		this.w = this.host.clientWidth;
		this.h = this.host.clientHeight;
		this.c = this.canvases.map(canvas => {
			canvas.width = this.w * ratio;
			canvas.height = this.h * ratio;
			const c = canvas.getContext("2d");
			c.setTransform(ratio, 0, 0, ratio, 0, 0);
			c.font = "12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif";
			return c;
		});
		const [t, r, b, l] = this.margin;
		this.box = { l, t, r: this.w - r, b: this.h - b };
	}
	draw() {
		this.size();
		this.base(this.c[0]);
		this.over();
	}
	over() {
		if (!this.c) return;
		const c = this.c[1];
		c.clearRect(0, 0, this.w, this.h);
		this.top(c);
	}
	top() {}
	at(e) {
		const r = this.host.getBoundingClientRect();
		return [e.clientX - r.left, e.clientY - r.top];
	}
	move(e) {
		const [x, y] = this.at(e);
		point(this.nearest(x, y), e);
	}
	click(e) {
		const [x, y] = this.at(e);
		pin(this.nearest(x, y));
	}
	nearest() {
		return null;
	}
	scale(low, high, log, a, b) {
		if (log) {
			low = Math.log(low);
			high = Math.log(high);
		}
		if (!(high > low)) {
			low -= 0.5;
			high = low + 1;
		}
		const f = x => a + (((log ? Math.log(x) : x) - low) / (high - low)) * (b - a);
		f.log = log;
		f.low = log ? Math.exp(low) : low;
		f.high = log ? Math.exp(high) : high;
		f.back = p => {
			const v = low + ((p - a) / (b - a)) * (high - low);
			return log ? Math.exp(v) : v;
		};
		return f;
	}
	axes(c, x, y, xText, yText, xLabel) {
		const { l, t, r, b } = this.box;
		c.strokeStyle = css("--grid");
		c.fillStyle = css("--soft");
		c.lineWidth = 1;
		c.textAlign = "right";
		c.textBaseline = "middle";
		for (const v of ticks(y.low, y.high, 5, y.log)) {
			const p = Math.round(y(v)) + 0.5;
			line(c, l, p, r, p);
			c.fillText(yText(v), l - 8, p);
		}
		c.textAlign = "center";
		c.textBaseline = "top";
		let end = -1e9;
		for (const v of ticks(x.low, x.high, Math.max(3, Math.floor((r - l) / 110)), x.log)) {
			const p = Math.round(x(v)) + 0.5,
				s = xText(v),
				w = c.measureText(s).width / 2 + 6;
			line(c, p, t, p, b);
			if (p - w > end) {
				c.fillText(s, Math.min(p, this.w - w), b + 7);
				end = p + w;
			}
		}
		c.strokeStyle = css("--line");
		line(c, l, b + 0.5, r, b + 0.5);
		c.textAlign = "right";
		c.fillStyle = css("--faint");
		c.fillText(xLabel, r, b + 23);
	}
}
function line(c, x0, y0, x1, y1) {
	c.beginPath();
	c.moveTo(x0, y0);
	c.lineTo(x1, y1);
	c.stroke();
}
function disc(c, x, y, r) {
	c.beginPath();
	c.arc(x, y, r, 0, 7);
	c.fill();
}
function ticks(low, high, count, log) {
	const out = [];
	if (log && high / low > 8) {
		const many = Math.log10(high / low) * 2 > count;
		for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
			for (const k of many ? [1] : [1, 3]) {
				const v = k * 10 ** e;
				if (v >= low * 0.999 && v <= high * 1.001) out.push(v);
			}
		if (out.length > 1) return out;
		out.length = 0;
	}
	const raw = (high - low) / count,
		p = 10 ** Math.floor(Math.log10(raw)),
		s = [1, 2, 5, 10].find(k => k * p >= raw) * p;
	for (let i = Math.ceil(low / s - 1e-9); i * s <= high + s * 1e-9; i++) out.push(+(i * s).toPrecision(12));
	return out;
}
function extent(values, pad = 0.04) {
	let low = Infinity,
		high = -Infinity;
	for (const v of values)
		if (v !== null && Number.isFinite(v)) {
			if (v < low) low = v;
			if (v > high) high = v;
		}
	if (low > high) return [0, 1];
	if (low === high) return [low - Math.abs(low) * 0.05 - 1e-9, high + Math.abs(high) * 0.05 + 1e-9];
	return [low - (high - low) * pad, high + (high - low) * pad];
}
const marked = () => [...state.pins, ...(state.hover && !state.pins.has(state.hover) ? [state.hover] : [])];
