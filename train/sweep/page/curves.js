// --- curves --------------------------------------------------------------------
class Curves extends Plot {
	base(c) {
		const lines = t => (state.kind === "val" ? t.c : t.t),
			b = this.box;
		const xs = [],
			ys = [];
		T.forEach(t =>
			lines(t).forEach(l =>
				l.forEach(p => {
					xs.push(p[0]);
					if (p[1] !== null) ys.push(p[1]);
				}),
			),
		);
		let [x0, x1] = extent(xs, 0);
		if (!state.log) x0 = 0;
		else x0 = Math.max(1, x0);
		const x = this.scale(x0, x1 * (state.log ? 1.05 : 1.01), state.log, b.l, b.r),
			[y0, y1] = extent(ys),
			y = this.scale(y0, y1, false, b.b, b.t);
		const text = state.kind === "val" ? metric : v => (100 * v).toFixed(0) + " %";
		c.clearRect(0, 0, this.w, this.h);
		this.axes(c, x, y, compact, text, "samples");
		if (D.rungs.length > 1) {
			c.setLineDash([4, 4]);
			c.strokeStyle = css("--faint");
			D.rungs.forEach(s => line(c, x(s), b.t, x(s), b.b));
			c.setLineDash([]);
		}
		this.paths = new Map();
		for (const t of T)
			this.paths.set(
				t,
				lines(t).map(l =>
					l
						.filter(p => p[1] !== null && (!state.log || p[0] > 0))
						.map(p => [x(p[0]), y(p[1])]),
				),
			);
		const many = T.length > 150;
		c.lineWidth = many ? 1 : 1.6;
		c.lineJoin = "round";
		c.globalAlpha = 0.1;
		T.forEach(t => {
			if (!activeSet.has(t)) this.stroke(c, t, css("--faint"), 0);
		});
		c.globalAlpha = many ? 0.45 : 0.85;
		[...active]
			.sort((p, q) => (share.get(p) ?? -1) - (share.get(q) ?? -1))
			.forEach(t => this.stroke(c, t, colour(t), many ? 1.6 : 2.6));
		c.globalAlpha = 1;
	}
	stroke(c, t, style, dots) {
		c.strokeStyle = c.fillStyle = style;
		for (const l of this.paths.get(t)) {
			c.beginPath();
			l.forEach((p, i) => (i ? c.lineTo(p[0], p[1]) : c.moveTo(p[0], p[1])));
			c.stroke();
			if (dots && (state.kind === "val" || l.length === 1))
				l.forEach(p => disc(c, p[0], p[1], dots));
		}
	}
	top(c) {
		for (const t of marked()) {
			c.lineWidth = 6;
			c.lineJoin = "round";
			this.stroke(c, t, css("--card"), 6);
			c.lineWidth = 3;
			this.stroke(c, t, colour(t), 4.5);
			const l = this.paths.get(t)[0],
				p = l && l[l.length - 1];
			if (p) {
				c.fillStyle = css("--ink");
				c.font = "600 12px system-ui, sans-serif";
				c.textAlign = p[0] > this.w - 70 ? "right" : "left";
				c.textBaseline = "bottom";
				c.fillText(t.label, p[0] + (p[0] > this.w - 70 ? -8 : 8), p[1] - 6);
			}
		}
	}
	nearest(x, y) {
		let best = null,
			least = 18 * 18;
		for (const t of active)
			for (const l of this.paths.get(t))
				for (let i = 0; i < l.length; i++) {
					const [ax, ay] = l[Math.max(0, i - 1)],
						[bx, by] = l[i],
						dx = bx - ax,
						dy = by - ay;
					const f = Math.max(
						0,
						Math.min(
							1,
							((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1),
						),
					);
					const d = (ax + f * dx - x) ** 2 + (ay + f * dy - y) ** 2;
					if (d < least) {
						least = d;
						best = t;
					}
				}
		return best;
	}
}
