// --- parallel coordinates ------------------------------------------------------
class Parallel extends Plot {
	constructor(id, margins) {
		super(id, margins);
		const top = this.canvases[1];
		top.addEventListener("mousedown", e => {
			const [x, y] = this.at(e),
				a = this.axisAt(x);
			if (a) this.drag = { a, from: y, to: y };
		});
		addEventListener("mousemove", e => {
			if (this.drag) {
				this.drag.to = this.at(e)[1];
				this.over();
			}
		});
		addEventListener("mouseup", () => this.release());
		top.addEventListener("dblclick", e => {
			const a = this.axisAt(this.at(e)[0]);
			if (a && state.filters.delete(a.key)) refilter();
		});
	}
	axisAt(x) {
		return this.list.find(a => Math.abs(a.x - x) < 14);
	}
	axesList() {
		let list = D.keys.map((k, i) => ({
			key: k.key,
			name: k.key,
			log: k.log,
			choices: k.type === "choice" ? k.values : null,
			of: t => t.v[i],
			share: D.keys.length > MOST_AXES ? explained(i, measured()) : 0,
		}));
		if (list.length > MOST_AXES)
			list = list.sort((a, b) => (b.share ?? -1) - (a.share ?? -1)).slice(0, MOST_AXES);
		if (T.some(t => t.bytes !== null))
			list.push({ key: "bytes", name: "bytes", of: t => t.bytes, text: bytes });
		if (T.some(t => t.ms !== null)) list.push({ key: "ms", name: "ms per click", of: t => t.ms });
		list.push({
			key: "metric@",
			name: D.metric,
			of: t => t.r[state.rung] ?? null,
			text: metric,
			last: true,
		});
		return list;
	}
	base(c) {
		const b = this.box;
		this.list = this.axesList();
		c.clearRect(0, 0, this.w, this.h);
		this.list.forEach((a, i) => {
			a.x = Math.round(b.l + ((b.r - b.l) * i) / Math.max(1, this.list.length - 1)) + 0.5;
			if (a.choices) {
				const n = a.choices.length;
				a.y = v => {
					const k = a.choices.indexOf(String(v));
					return k < 0 ? null : b.b - ((b.b - b.t) * (k + 0.5)) / n;
				};
			} else {
				const s = this.scale(...extent(T.map(a.of), 0), a.log, b.b, b.t);
				a.s = s;
				a.y = v => (v === null || v === undefined ? null : s(v));
			}
		});
		this.paths = new Map();
		for (const t of T)
			this.paths.set(
				t,
				this.list
					.map(a => {
						const y = a.y(a.of(t));
						return y === null ? null : [a.x, y];
					})
					.filter(Boolean),
			);
		const many = T.length > 150;
		c.lineWidth = many ? 1 : 1.5;
		c.globalAlpha = 0.09;
		T.forEach(t => {
			if (!activeSet.has(t)) this.stroke(c, t, css("--faint"));
		});
		c.globalAlpha = many ? 0.35 : 0.75;
		[...active]
			.sort((p, q) => (share.get(p) ?? -1) - (share.get(q) ?? -1))
			.forEach(t => this.stroke(c, t, colour(t)));
		c.globalAlpha = 1;
		c.font = "600 12px system-ui, sans-serif";
		const apart = (b.r - b.l) / Math.max(1, this.list.length - 1);
		const crowded = this.list.some(a => c.measureText(a.name).width > apart - 12);
		this.list.forEach((a, i) => this.axis(c, a, crowded && i % 2 ? 15 : 0));
	}
	axis(c, a, raised) {
		const b = this.box,
			text = a.text || number;
		c.strokeStyle = css("--soft");
		c.lineWidth = 1;
		line(c, a.x, b.t, a.x, b.b);
		c.textAlign = "center";
		c.textBaseline = "bottom";
		c.fillStyle = css("--ink");
		c.font = "600 12px system-ui, sans-serif";
		const edge = a.x < 60 ? "left" : a.x > this.w - 60 ? "right" : "center";
		c.textAlign = edge;
		c.fillText(a.name, edge === "left" ? 4 : edge === "right" ? this.w - 4 : a.x, b.t - 12 - raised);
		c.font = "11px system-ui, sans-serif";
		c.textAlign = a.last ? "left" : "right";
		c.textBaseline = "middle";
		const marks = a.choices
			? a.choices.map(v => [a.y(v), shorten(v, 16)])
			: ticks(a.s.low, a.s.high, 5, a.log).map(v => [a.s(v), text(v)]);
		for (const [y, s] of marks) {
			const x = a.last ? a.x + 7 : a.x - 7,
				w = c.measureText(s).width;
			c.globalAlpha = 0.75;
			c.fillStyle = css("--card");
			c.fillRect(a.last ? x - 1 : x - w - 1, y - 7, w + 2, 14);
			c.globalAlpha = 1;
			c.fillStyle = css("--soft");
			c.fillText(s, x, y);
			line(c, a.x - 3, y, a.x + 3, y);
		}
	}
	stroke(c, t, style) {
		const l = this.paths.get(t);
		c.strokeStyle = style;
		c.beginPath();
		l.forEach((p, i) => {
			if (!i) return c.moveTo(p[0], p[1]);
			const q = l[i - 1],
				m = (p[0] + q[0]) / 2;
			c.bezierCurveTo(m, q[1], m, p[1], p[0], p[1]);
		});
		c.stroke();
	}
	top(c) {
		const b = this.box;
		for (const t of marked()) {
			c.lineWidth = 5;
			this.stroke(c, t, css("--card"));
			c.lineWidth = 2.6;
			this.stroke(c, t, colour(t));
		}
		const brush = (x, y0, y1) => {
			c.fillStyle = css("--accent");
			c.globalAlpha = 0.22;
			c.fillRect(x - 9, Math.min(y0, y1), 18, Math.abs(y1 - y0));
			c.globalAlpha = 1;
			c.strokeStyle = css("--accent");
			c.lineWidth = 1.5;
			c.strokeRect(x - 9, Math.min(y0, y1), 18, Math.abs(y1 - y0));
		};
		for (const a of this.list) {
			const f = state.filters.get(a.key);
			if (f && f.range && a.s) brush(a.x, a.s(f.range[0]), a.s(f.range[1]));
			if (f && f.set && a.choices)
				for (const v of f.set) {
					const y = a.y(v),
						h = (b.b - b.t) / a.choices.length / 2;
					if (y !== null) brush(a.x, y - h, y + h);
				}
		}
		if (this.drag)
			brush(
				this.drag.a.x,
				Math.max(b.t, Math.min(b.b, this.drag.from)),
				Math.max(b.t, Math.min(b.b, this.drag.to)),
			);
	}
	release() {
		const d = this.drag;
		this.drag = null;
		if (!d || Math.abs(d.to - d.from) < 4) return this.over();
		const lo = Math.min(d.from, d.to),
			hi = Math.max(d.from, d.to),
			a = d.a;
		if (a.choices)
			state.filters.set(a.key, {
				set: new Set(a.choices.filter(v => a.y(v) >= lo && a.y(v) <= hi)),
			});
		else
			state.filters.set(a.key, {
				range: [a.s.back(hi), a.s.back(lo)].sort((p, q) => p - q),
				name: a.name,
				text: a.text,
			});
		this.dragged = true;
		refilter();
	}
	click(e) {
		if (this.dragged) {
			this.dragged = false;
			return;
		}
		super.click(e);
	}
	move(e) {
		if (!this.drag) super.move(e);
		this.canvases[1].style.cursor = this.axisAt(this.at(e)[0]) ? "ns-resize" : "default";
	}
	nearest(x, y) {
		let best = null,
			least = 9;
		for (const t of active) {
			const l = this.paths.get(t);
			for (let i = 1; i < l.length; i++) {
				if (x < l[i - 1][0] || x > l[i][0]) continue;
				const f = (x - l[i - 1][0]) / (l[i][0] - l[i - 1][0]),
					s = f * f * (3 - 2 * f),
					d = Math.abs(l[i - 1][1] + s * (l[i][1] - l[i - 1][1]) - y);
				if (d < least) {
					least = d;
					best = t;
				}
			}
		}
		return best;
	}
}
const shorten = (v, n) => {
	const s = String(v);
	return s.length > n ? s.slice(0, n - 1) + "\u2026" : s;
};
