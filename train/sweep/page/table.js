// --- table ---------------------------------------------------------------------
const ROW = 32;
const columns = [
	{
		name: "trial",
		key: "id",
		left: true,
		of: t => t.id,
		show: (td, t) => {
			const i = td.appendChild(document.createElement("i"));
			i.className = "dot";
			i.style.background = colour(t);
			td.append(t.label);
		},
	},
	{ name: "rank", key: "rank", of: t => t.rank || null },
	{
		name: "state",
		key: "state",
		left: true,
		of: t => t.state,
		show: (td, t) => tag(td, t.state, t.state, t.why),
	},
	{
		name: D.metric,
		key: "metric",
		of: t => t.last,
		show: (td, t) => {
			td.textContent =
				metric(t.last) +
				(t.sd !== null
					? " \u00b1 " + (percent(D.metric) ? (100 * t.sd).toFixed(1) : t.sd.toFixed(2))
					: "");
		},
	},
	{ name: "samples", key: "samples", of: t => t.samples, text: compact },
	...D.keys.map((k, i) => ({ name: k.key, key: "k" + i, of: t => t.v[i], left: k.type === "choice" })),
	...D.metrics
		.map((m, i) => ({
			name: m === "ms_per_click" ? "ms" : m,
			key: "m" + i,
			of: t => t.m[i],
			text: v => (v === null ? "\u2013" : percent(m) ? (100 * v).toFixed(1) : number(v, 3)),
		}))
		.filter((_, i) => i !== M && T.some(t => t.m[i] !== null)),
	{ name: "bytes", key: "bytes", of: t => t.bytes, text: bytes },
	{ name: "time", key: "seconds", of: t => t.seconds, text: duration },
	{
		name: "",
		key: "notes",
		left: true,
		of: t => (t.id === D.compromise) * 4 + t.front * 2 + !t.apart,
		show: (td, t) => {
			if (t.id === D.compromise) tag(td, "best", "running");
			if (t.front) tag(td, "front", "");
			if (t.compared && !t.ok) tag(td, "over the limit", "warn");
			if (t.compared && !t.apart && t.id !== D.best)
				tag(
					td,
					"not told apart from the best",
					"",
					"they differ by no more than " + number(D.least, 2),
				);
		},
	},
];
function tag(td, text, kind, title) {
	const s = td.appendChild(document.createElement("span"));
	s.className = "tag " + kind;
	s.textContent = text;
	if (title) s.title = title;
	td.append(" ");
}
let sorted = [];
function drawTable() {
	const col = columns.find(c => c.key === state.sort),
		order = (a, b) =>
			typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
	sorted = [...active].sort((a, b) => {
		const x = col.of(a),
			y = col.of(b);
		if (x === null || y === null) return (x === null) - (y === null) || a.id - b.id;
		return (state.down ? -1 : 1) * order(x, y) || a.id - b.id;
	});
	$("table-title").textContent =
		(D.kind === "runs" ? "Runs" : "Trials") +
		(active.length < T.length ? ", " + active.length + " of " + T.length : ", " + T.length);
	const host = $("table");
	if (!host.firstChild) {
		const table = host.appendChild(document.createElement("table")),
			tr = table
				.appendChild(document.createElement("thead"))
				.appendChild(document.createElement("tr"));
		columns.forEach(c => {
			const th = tr.appendChild(document.createElement("th"));
			th.textContent = c.name;
			th.className = c.left ? "l" : "";
			th.dataset.key = c.key;
			th.onclick = () => {
				if (state.sort === c.key) state.down = !state.down;
				else {
					state.sort = c.key;
					state.down = false;
				}
				host.scrollTop = 0;
				drawTable();
			};
		});
		table.appendChild(document.createElement("tbody"));
		host.addEventListener("scroll", rows);
	}
	host.querySelectorAll("th").forEach(th => {
		const on = th.dataset.key === state.sort,
			c = columns.find(x => x.key === th.dataset.key);
		th.classList.toggle("sorted", on);
		th.textContent = c.name + (on ? (state.down ? " \u2193" : " \u2191") : "");
	});
	rows();
}
// Only the rows in sight are there, so that a thousand are no more than twenty.
function rows() {
	const host = $("table"),
		body = host.querySelector("tbody"),
		first = Math.max(0, Math.floor(host.scrollTop / ROW) - 8),
		end = Math.min(sorted.length, first + 40);
	const space = h => {
		const tr = document.createElement("tr");
		tr.style.height = h + "px";
		return tr;
	};
	body.replaceChildren(
		space(first * ROW),
		...sorted.slice(first, end).map(t => {
			const tr = document.createElement("tr");
			tr.className = "row";
			tr.trial = t;
			for (const c of columns) {
				const td = tr.appendChild(document.createElement("td"));
				td.className = c.left ? "l" : "";
				if (c.show) c.show(td, t);
				else td.textContent = c.text ? c.text(c.of(t)) : number(c.of(t));
			}
			tr.onmouseenter = e => point(t, e, true);
			tr.onmouseleave = () => point(null);
			tr.onclick = () => pin(t);
			return tr;
		}),
		space((sorted.length - end) * ROW),
	);
	mark();
}
function mark() {
	$("table")
		.querySelectorAll("tr.row")
		.forEach(tr => {
			tr.classList.toggle("hover", tr.trial === state.hover);
			tr.classList.toggle("pin", state.pins.has(tr.trial));
		});
}
