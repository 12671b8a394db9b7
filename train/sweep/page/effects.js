// --- effects -------------------------------------------------------------------
// The share of the variance that the groups of one key explain: correlation ratio, adjusted for the number of groups.
function groupsOf(k, list) {
	const key = D.keys[k];
	if (key.type === "choice" || new Set(list.map(t => t.v[k])).size <= 6) {
		const map = new Map();
		list.forEach(t => {
			const v = String(t.v[k]);
			if (!map.has(v)) map.set(v, []);
			map.get(v).push(t);
		});
		return [...map.values()];
	}
	const order = [...list].sort((a, b) => a.v[k] - b.v[k]),
		n = Math.max(2, Math.min(6, Math.floor(order.length / 4))),
		out = [];
	for (let i = 0; i < n; i++)
		out.push(order.slice(Math.floor((i * order.length) / n), Math.floor(((i + 1) * order.length) / n)));
	return out.filter(g => g.length);
}
const at = t => t.r[state.rung],
	mean = list => list.reduce((s, t) => s + at(t), 0) / list.length;
function explained(k, list) {
	const groups = groupsOf(k, list),
		n = list.length,
		all = mean(list);
	if (n <= groups.length + 1 || groups.length < 2) return null;
	let within = 0,
		total = 0;
	groups.forEach(g => {
		const m = mean(g);
		g.forEach(t => {
			within += (at(t) - m) ** 2;
			total += (at(t) - all) ** 2;
		});
	});
	return total > 0 ? Math.max(0, 1 - ((within / total) * (n - 1)) / (n - groups.length)) : null;
}
class Effect extends Plot {
	constructor(id, k) {
		super(id, [8, 8, 24, 46]);
		this.k = k;
	}
	base(c) {
		const k = this.k,
			key = D.keys[k],
			list = active.filter(t => at(t) !== null && at(t) !== undefined),
			b = this.box;
		c.clearRect(0, 0, this.w, this.h);
		const y = this.scale(...extent(T.map(at).filter(v => v !== undefined)), false, b.b, b.t);
		const choice = key.type === "choice",
			n = key.values.length;
		const x = choice
			? v => b.l + ((b.r - b.l) * (key.values.indexOf(String(v)) + 0.5)) / n
			: this.scale(
					...extent(
						T.map(t => t.v[k]),
						0,
					),
					key.log,
					b.l + 6,
					b.r - 6,
				);
		c.strokeStyle = css("--grid");
		c.fillStyle = css("--faint");
		c.font = "10.5px system-ui, sans-serif";
		c.textAlign = "right";
		c.textBaseline = "middle";
		c.lineWidth = 1;
		ticks(y.low, y.high, 4).forEach(v => {
			const p = Math.round(y(v)) + 0.5;
			line(c, b.l, p, b.r, p);
			c.fillText(metric(v), b.l - 6, p);
		});
		c.textAlign = "center";
		c.textBaseline = "top";
		const marks = choice
			? key.values.map(v => [x(v), shorten(v, Math.max(4, Math.floor((b.r - b.l) / n / 6)))])
			: ticks(x.low, x.high, 4, key.log).map(v => [x(v), number(v, 2)]);
		marks.forEach(([p, s]) => c.fillText(s, Math.max(b.l + 8, Math.min(b.r - 8, p)), b.b + 6));
		this.points = new Map(
			list.map(t => [
				t,
				[
					x(t.v[k]) +
						(choice
							? ((((t.id * 7919) % 17) - 8) / 17) *
								Math.min(30, ((b.r - b.l) / n) * 0.6)
							: 0),
					y(at(t)),
				],
			]),
		);
		c.globalAlpha = list.length > 150 ? 0.35 : 0.7;
		this.points.forEach((p, t) => {
			c.fillStyle = colour(t);
			disc(c, p[0], p[1], list.length > 150 ? 1.8 : 2.6);
		});
		c.globalAlpha = 1;
		c.strokeStyle = css("--ink");
		c.lineWidth = 2;
		c.lineJoin = "round";
		c.beginPath();
		const groups = groupsOf(k, list).sort((p, q) => x(p[0].v[k]) - x(q[0].v[k]));
		groups.forEach((g, i) => {
			const m = y(mean(g)),
				middle = choice ? x(g[0].v[k]) : g.reduce((s, t) => s + x(t.v[k]), 0) / g.length,
				half = Math.min(20, ((b.r - b.l) / n) * 0.35);
			if (choice) {
				c.moveTo(middle - half, m);
				c.lineTo(middle + half, m);
			} else if (i) c.lineTo(middle, m);
			else c.moveTo(middle, m);
		});
		c.stroke();
	}
	top(c) {
		for (const t of marked()) {
			const p = this.points.get(t);
			if (p) {
				c.fillStyle = css("--card");
				disc(c, p[0], p[1], 7);
				c.fillStyle = colour(t);
				disc(c, p[0], p[1], 5);
			}
		}
	}
	nearest(x, y) {
		let best = null,
			least = 100;
		this.points.forEach((p, t) => {
			const d = (p[0] - x) ** 2 + (p[1] - y) ** 2;
			if (d < least) {
				least = d;
				best = t;
			}
		});
		return best;
	}
}
function makeEffects() {
	D.keys.forEach((key, k) => {
		const box = $("effects").appendChild(document.createElement("div"));
		box.className = "effect";
		const head = box.appendChild(document.createElement("div"));
		head.className = "k";
		head.append(key.key);
		head.appendChild(document.createElement("span")).id = "share-" + k;
		const meter = box.appendChild(document.createElement("div"));
		meter.className = "meter";
		meter.appendChild(document.createElement("i")).id = "meter-" + k;
		const plot = box.appendChild(document.createElement("div"));
		plot.className = "plot";
		plot.id = "effect-" + k;
		plot.style.height = "130px";
		box.id = "box-" + k;
		new Effect("effect-" + k, k);
	});
}
const measured = () => T.filter(t => at(t) !== null && at(t) !== undefined);
function drawEffects() {
	const list = active.filter(t => at(t) !== null && at(t) !== undefined),
		order = D.keys.map((_, k) => [k, explained(k, list)]);
	order.sort((a, b) => (b[1] ?? -1) - (a[1] ?? -1)).forEach(([k, e], i) => {
		$("share-" + k).textContent =
			e === null ? "too few trials" : "explains " + (100 * e).toFixed(0) + " %";
		$("meter-" + k).style.width = 100 * (e || 0) + "%";
		$("box-" + k).style.order = i;
		$("box-" + k).style.display = i < MOST_AXES ? "" : "none";
	});
	$("effects-note").textContent =
		"share of the variance of " +
		D.metric +
		" that each key explains by itself, in " +
		list.length +
		" trials" +
		(D.rungs.length > 1 ? " at the end of rung " + (state.rung + 1) : "");
}
