// --- scatter: accuracy against bytes or milliseconds ---------------------------
class Scatter extends Plot {
	constructor(id, of, text, label, limit) {
		super(id, [14, 18, 42, 62]);
		Object.assign(this, { of, text, label, limit });
	}
	base(c) {
		const b = this.box,
			own = T.filter(t => this.of(t) !== null && t.last !== null),
			values = own.map(this.of);
		let [x0, x1] = extent(values, 0.06);
		if (this.limit !== null) {
			x0 = Math.min(x0, this.limit * 0.97);
			x1 = Math.max(x1, this.limit * 1.03);
		}
		const x = this.scale(x0, x1, false, b.l, b.r),
			y = this.scale(
				...extent(
					own.flatMap(t => [t.last - (t.sd || 0), t.last + (t.sd || 0)]),
					0.06,
				),
				false,
				b.b,
				b.t,
			);
		c.clearRect(0, 0, this.w, this.h);
		if (this.limit !== null) {
			const p = Math.max(b.l, Math.min(b.r, x(this.limit)));
			c.fillStyle = css("--warn-soft");
			c.fillRect(p, b.t, b.r - p, b.b - b.t);
		}
		this.axes(c, x, y, this.text, metric, this.label);
		if (this.limit !== null) {
			c.strokeStyle = css("--warn");
			c.setLineDash([5, 4]);
			line(c, x(this.limit), b.t, x(this.limit), b.b);
			c.setLineDash([]);
			c.fillStyle = css("--warn");
			c.textAlign = x(this.limit) > this.w - 90 ? "right" : "left";
			c.textBaseline = "top";
			c.fillText(
				"limit " + this.text(this.limit),
				x(this.limit) + (x(this.limit) > this.w - 90 ? -6 : 6),
				b.t + 2,
			);
		}
		this.points = new Map(own.map(t => [t, [x(this.of(t)), y(t.last)]]));
		this.front(
			c,
			own.filter(t => t.compared),
		);
		for (const t of own) {
			const [px, py] = this.points.get(t),
				on = activeSet.has(t);
			c.globalAlpha = !on ? 0.08 : t.compared ? 0.9 : 0.28;
			c.fillStyle = c.strokeStyle = colour(t);
			if (on && t.sd) {
				c.lineWidth = 1;
				line(c, px, y(t.last - t.sd), px, y(t.last + t.sd));
			}
			disc(c, px, py, t.compared ? 4.5 : 3);
			if (on && t.front) {
				c.lineWidth = 1.5;
				c.strokeStyle = css("--ink");
				c.beginPath();
				c.arc(px, py, 6.5, 0, 7);
				c.stroke();
			}
		}
		c.globalAlpha = 1;
		const best = T.find(t => t.id === D.compromise && this.points.has(t));
		if (best) this.star(c, ...this.points.get(best));
	}
	front(c, list) {
		const better = (p, q) => (D.maximize ? p > q : p < q),
			order = [...list].sort(
				(p, q) => this.of(p) - this.of(q) || (D.maximize ? q.last - p.last : p.last - q.last),
			);
		let best = null;
		c.strokeStyle = css("--soft");
		c.lineWidth = 1.2;
		c.setLineDash([2, 3]);
		c.beginPath();
		for (const t of order) {
			if (best !== null && !better(t.last, best)) continue;
			const [px, py] = this.points.get(t);
			if (best === null) c.moveTo(px, py);
			else {
				c.lineTo(px, this.prev);
				c.lineTo(px, py);
			}
			best = t.last;
			this.prev = py;
		}
		if (best !== null) c.lineTo(this.box.r, this.prev);
		c.stroke();
		c.setLineDash([]);
	}
	star(c, x, y) {
		c.beginPath();
		for (let i = 0; i < 10; i++) {
			const r = i % 2 ? 4.6 : 11,
				a = Math.PI * (i / 5 - 0.5);
			c.lineTo(x + r * Math.cos(a), y + r * Math.sin(a));
		}
		c.closePath();
		c.fillStyle = css("--accent");
		c.strokeStyle = css("--card");
		c.lineWidth = 2;
		c.stroke();
		c.fill();
	}
	top(c) {
		for (const t of marked()) {
			const p = this.points.get(t);
			if (!p) continue;
			c.fillStyle = css("--card");
			disc(c, p[0], p[1], 9);
			c.fillStyle = colour(t);
			disc(c, p[0], p[1], 7);
			c.fillStyle = css("--ink");
			c.textAlign = p[0] > this.w - 80 ? "right" : "left";
			c.textBaseline = "bottom";
			c.font = "600 12px system-ui, sans-serif";
			c.fillText(t.label, p[0] + (p[0] > this.w - 80 ? -11 : 11), p[1] - 5);
		}
	}
	nearest(x, y) {
		let best = null,
			least = 16 * 16;
		for (const t of active) {
			const p = this.points.get(t);
			if (!p) continue;
			const d = (p[0] - x) ** 2 + (p[1] - y) ** 2;
			if (d < least) {
				least = d;
				best = t;
			}
		}
		return best;
	}
}
