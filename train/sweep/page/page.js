// Pointing at trials, the head of the page, the filter bar, and the start.
// --- pointing ------------------------------------------------------------------
function overlay() {
	views.forEach(v => v.over());
	mark();
}
function point(t, e, quiet) {
	if (t !== state.hover) {
		state.hover = t;
		requestAnimationFrame(overlay);
	}
	const tip = $("tip");
	if (!t || !e || quiet) {
		tip.style.display = "none";
		return;
	}
	if (tip.trial !== t) {
		tip.trial = t;
		tip.replaceChildren(...describe(t));
	}
	tip.style.display = "block";
	const x = e.clientX + 16 + tip.offsetWidth > innerWidth ? e.clientX - tip.offsetWidth - 14 : e.clientX + 16;
	tip.style.left = Math.max(4, x) + "px";
	tip.style.top = Math.max(4, Math.min(innerHeight - tip.offsetHeight - 8, e.clientY + 12)) + "px";
}
function describe(t) {
	const head = document.createElement("b"),
		dl = document.createElement("dl");
	head.textContent =
		(D.kind === "runs" ? "" : "trial ") + t.label + (t.rank ? ", rank " + t.rank : "") + ", " + t.state;
	const add = (k, v) => {
		dl.appendChild(document.createElement("dt")).textContent = k;
		const dd = dl.appendChild(document.createElement("dd"));
		dd.textContent = v;
	};
	add(D.metric, metric(t.last) + (t.sd !== null ? " \u00b1 " + metric(t.sd) : ""));
	add("samples", compact(t.samples));
	D.keys.forEach((k, i) => add(k.key, number(t.v[i])));
	if (t.bytes !== null) add("bytes", bytes(t.bytes));
	if (t.ms !== null) add("ms per click", number(t.ms, 3));
	add("trained", duration(t.seconds));
	if (t.why) add("why", t.why);
	return [head, dl];
}
function pin(t) {
	if (!t) return;
	if (!state.pins.delete(t)) state.pins.add(t);
	drawBar();
	overlay();
}

// --- head, filter bar ----------------------------------------------------------
function chip(group, text, on, click, title) {
	const b = group.appendChild(document.createElement("button"));
	b.className = "chip" + (on ? " on" : "");
	b.textContent = text;
	b.onclick = click;
	if (title) b.title = title;
	return b;
}
function toggle(key, value) {
	const f = state.filters.get(key),
		set = new Set(f && f.set ? f.set : []);
	if (!set.delete(value)) set.add(value);
	if (set.size) state.filters.set(key, { set });
	else state.filters.delete(key);
	refilter();
}
let search = null;
function drawBar() {
	const bar = $("bar"),
		focus = document.activeElement === search,
		group = name => {
			const g = bar.appendChild(document.createElement("div"));
			g.className = "group";
			if (name) {
				const s = g.appendChild(document.createElement("span"));
				s.className = "name";
				s.textContent = name;
			}
			return g;
		};
	bar.replaceChildren();
	if (!search) {
		search = document.createElement("input");
		search.type = "search";
		search.placeholder = "filter: optim.lr<0.01 finished";
		search.setAttribute("aria-label", "filter");
		search.oninput = () => {
			state.text = search.value;
			refilter();
		};
	}
	bar.append(search);
	if (focus) search.focus();
	const states = [...new Set(T.map(t => t.state))];
	if (states.length > 1) {
		const g = group("state");
		states.forEach(s =>
			chip(
				g,
				s + " " + T.filter(t => t.state === s).length,
				state.filters.get("state")?.set?.has(s),
				() => toggle("state", s),
			),
		);
	}
	D.keys
		.filter(few)
		.slice(0, MOST_CHIPS)
		.forEach(k => {
			const g = group(k.key);
			k.values.forEach(v =>
				chip(g, v, state.filters.get(k.key)?.set?.has(String(v)), () =>
					toggle(k.key, String(v)),
				),
			);
		});
	for (const [key, f] of state.filters)
		if (f.range) {
			const s = f.text || number;
			chip(group(f.name || key), s(f.range[0]) + " to " + s(f.range[1]) + "  \u00d7", true, () => {
				state.filters.delete(key);
				refilter();
			});
		}
	if (state.pins.size) {
		const g = group("kept");
		[...state.pins].forEach(t => chip(g, t.label + "  \u00d7", true, () => pin(t)));
	}
	if (state.filters.size || state.text)
		chip(group(""), "show all", false, () => {
			state.filters.clear();
			state.text = search.value = "";
			refilter();
		});
}
function segment(id, options, get, set) {
	const host = $(id);
	if (options.length < 2) {
		host.remove();
		return;
	}
	const redraw = () =>
		host.replaceChildren(
			...options.map(([value, text]) => {
				const b = document.createElement("button");
				b.textContent = text;
				b.className = get() === value ? "on" : "";
				b.onclick = () => {
					set(value);
					redraw();
				};
				return b;
			}),
		);
	redraw();
}
function drawHead() {
	$("name").textContent = D.name;
	document.title = D.name + " \u00b7 tapcut";
	$("sub").textContent = D.about;
	$("verdict").textContent = D.verdict;
	$("verdict").classList.toggle("none", D.compromise === null);
	if (!D.verdict) $("verdict").remove();
	const cards = [],
		count = s => T.filter(t => t.state === s).length,
		best = T.find(t => t.id === D.best),
		bad = count("diverged") + count("failed");
	if (best)
		cards.push([
			metric(best.last),
			"best " + D.metric + ", " + (D.kind === "runs" ? "" : "trial ") + best.label,
		]);
	const pick = T.find(t => t.id === D.compromise);
	if (pick && pick.bytes !== null)
		cards.push([
			bytes(pick.bytes),
			"of the " + (D.kind === "runs" ? "best" : "best compromise, trial " + pick.label),
		]);
	cards.push([
		count("finished") + " / " + T.length,
		"finished" + (count("stopped") ? ", " + count("stopped") + " stopped early" : ""),
	]);
	if (bad) cards.push([bad, "without a result (diverged or failed)"]);
	if (count("running") + count("waiting"))
		cards.push([
			count("running") + count("waiting"),
			"still to do, " + count("running") + " of them running",
		]);
	cards.push([duration(T.reduce((s, t) => s + t.seconds, 0)), "of training, all trials together"]);
	const full = D.rungs.length > 1 ? T.length * D.rungs[D.rungs.length - 1] : 0,
		done = T.reduce((s, t) => s + t.samples, 0);
	if (full && !(count("running") + count("waiting")))
		cards.push([(100 * (1 - done / full)).toFixed(0) + " %", "of the samples saved by stopping early"]);
	cards.forEach(([v, s]) => {
		const c = $("cards").appendChild(document.createElement("div"));
		c.className = "card";
		c.appendChild(document.createElement("b")).textContent = v;
		c.appendChild(document.createElement("span")).textContent = s;
	});
	const order = T.filter(t => share.has(t)).sort((a, b) => share.get(a) - share.get(b));
	if (order.length) {
		$("low").textContent = "worst";
		$("high").textContent = "best";
	}
	$("curves-title").textContent = "Accuracy against samples";
	$("bytes-title").textContent = D.metric + " against bytes";
	$("ms-title").textContent = D.metric + " against milliseconds per click";
	$("bytes-note").textContent = $("ms-note").textContent =
		"ring: Pareto front" + (D.compromise === null ? "" : ", star: best compromise");
	$("footer").textContent =
		"IoUs and shares in per cent. " +
		(D.rungs.length > 1
			? "Only trials that came to the last rung are compared; pale points trained less. "
			: "") +
		"Milliseconds are those of the validations, by the clock of the machine that trained. Made by tapcut " +
		D.version +
		".";
}
function drawDecisions() {
	const host = $("decisions"),
		failed = T.filter(t => t.state === "diverged" || t.state === "failed"),
		groups = new Map();
	D.decisions.forEach(d => {
		if (!groups.has(d[0])) groups.set(d[0], []);
		groups.get(d[0]).push(d);
	});
	if (!groups.size && !failed.length) {
		$("decisions-panel").remove();
		return;
	}
	const block = (title, list) => {
		const d = host.appendChild(document.createElement("details")),
			lines = document.createElement("div");
		d.appendChild(document.createElement("summary")).textContent = title;
		lines.className = "lines";
		list.forEach(([name, text]) => {
			const row = lines.appendChild(document.createElement("div"));
			row.appendChild(document.createElement("b")).textContent = name;
			row.append(text);
		});
		d.append(lines);
	};
	groups.forEach((list, label) => {
		const on = list.filter(d => d[3] === true).length,
			off = list.filter(d => d[3] === false).length;
		block(
			label +
				(on + off
					? ": " + on + " went on, " + off + " stopped"
					: ": " + list.length + " trials chosen"),
			list.map(d => [
				d[1] === null ? "" : "trial " + d[1],
				(d[3] === true ? "goes on: " : d[3] === false ? "stops: " : "") + d[2],
			]),
		);
	});
	if (failed.length)
		block(
			failed.length + " without a result",
			failed.map(t => ["trial " + t.label, t.state + ": " + t.why]),
		);
}

// --- start ---------------------------------------------------------------------
function start() {
	readColours();
	rankColours();
	drawHead();
	drawDecisions();
	state.log = D.rungs.length > 2;
	const counts = D.rungs.map((_, r) => T.filter(t => t.r[r] !== undefined && t.r[r] !== null).length);
	new Curves("curves", [10, 18, 42, 62]);
	new Parallel("parallel", [50, 62, 14, 62]);
	makeEffects();
	new Scatter("bytes", t => t.bytes, bytes, "bytes of the weights", D.limits.bytes);
	new Scatter(
		"ms",
		t => t.ms,
		v => number(v, 3) + " ms",
		"milliseconds per click",
		D.limits.ms,
	);
	const redraw = () => views.forEach(v => v.draw());
	segment(
		"curve-kind",
		[
			["val", D.metric],
			["train", "training IoU"],
		],
		() => state.kind,
		v => {
			state.kind = v;
			views[0].draw();
		},
	);
	segment(
		"curve-scale",
		[
			[false, "linear"],
			[true, "log"],
		],
		() => state.log,
		v => {
			state.log = v;
			views[0].draw();
		},
	);
	segment(
		"rung",
		D.rungs.length > 1 ? D.rungs.map((_, r) => [r, "rung " + (r + 1) + " (" + counts[r] + ")"]) : [],
		() => state.rung,
		v => {
			state.rung = v;
			state.filters.delete("metric@");
			refilter();
		},
	);
	if (D.kind === "runs" && !D.keys.length) $("effects-panel").remove();
	refilter();
	let wait = 0;
	addEventListener("resize", () => {
		cancelAnimationFrame(wait);
		wait = requestAnimationFrame(redraw);
	});
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
		readColours();
		redraw();
		rows();
	});
}
start();
