"use strict";
// The page of a sweep or of several runs, in several files that page.c puts one behind the other into one script. All
// that it shows is in the data above the script; nothing is loaded. Every picture is two canvases: one with all trials,
// drawn when the filter, the size or the colours change, and one above it with the trials that are pointed at.
const D = JSON.parse(document.getElementById("data").textContent),
	T = D.trials,
	M = D.metrics.indexOf(D.metric);
const $ = id => document.getElementById(id),
	css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const percent = m => /iou/.test(m),
	what = m =>
		({ miou: "mean IoU", biou: "boundary IoU", noc8: "NoC@85", noc9: "NoC@90", nof9: "never 90 %" })[
			m.slice(0, 4)
		] + (/iou/.test(m) ? ", " + m.slice(4) + (m.slice(4) === "1" ? " click" : " clicks") : "");
const state = {
	hover: null,
	pins: new Set(),
	filters: new Map(),
	text: "",
	kind: "val",
	log: false,
	rung: 0,
	sort: "rank",
	down: false,
};
T.forEach(t => {
	t.last = t.r.length ? t.r[t.r.length - 1] : null;
});

// --- numbers -------------------------------------------------------------------
function number(x, digits = 4) {
	if (x === null || x === undefined || Number.isNaN(x)) return "\u2013";
	if (typeof x !== "number") return String(x);
	if (x === 0) return "0";
	const a = Math.abs(x);
	if (a >= 1e6 || a < 1e-4) return x.toExponential(Math.max(0, digits - 2)).replace(/\.?0+e/, "e");
	return a >= 1000 ? Math.round(x).toLocaleString("en") : String(+x.toPrecision(digits));
}
const metric = x =>
	x === null || x === undefined ? "\u2013" : percent(D.metric) ? (100 * x).toFixed(1) + " %" : x.toFixed(2);
const bytes = x => (x === null ? "\u2013" : x >= 1e6 ? (x / 1e6).toFixed(2) + " MB" : (x / 1e3).toFixed(0) + " kB");
function duration(s) {
	if (s < 90) return s.toFixed(s < 10 ? 1 : 0) + " s";
	if (s < 5400) return (s / 60).toFixed(0) + " min";
	return (s / 3600).toFixed(1) + " h";
}
const MOST_CHIPS = 8, // keys that the filter bar offers
	MOST_AXES = 12; // of the parallel coordinates: the keys that explain most come first
const few = key => key.values.length > 0 && key.values.length <= 6; // those of a range are too many to list
const compact = x =>
	x >= 1e6
		? +(x / 1e6).toPrecision(3) + " M"
		: x >= 1e3
			? +(x / 1e3).toPrecision(3) + " k"
			: String(Math.round(x));

// --- colours: by rank of the metric, so that one outlier does not grey out the rest ---
let palette = [];
const share = new Map();
function readColours() {
	const stops = [0, 1, 2, 3, 4]
		.map(i => css("--c" + i))
		.map(c => [1, 3, 5].map(i => parseInt(c.slice(i, i + 2), 16)));
	palette = Array.from({ length: 64 }, (_, i) => {
		const x = (i / 63) * 4,
			k = Math.min(3, Math.floor(x)),
			f = x - k;
		return "rgb(" + stops[k].map((a, j) => Math.round(a + f * (stops[k + 1][j] - a))).join(",") + ")";
	});
}
function rankColours() {
	const order = T.filter(t => t.last !== null).sort(
		(a, b) => a.r.length - b.r.length || (D.maximize ? a.last - b.last : b.last - a.last),
	);
	share.clear();
	order.forEach((t, i) => share.set(t, order.length > 1 ? i / (order.length - 1) : 1));
}
const colour = t => (share.has(t) ? palette[Math.round(share.get(t) * 63)] : css("--faint"));

// --- filter --------------------------------------------------------------------
function valueOf(t, key) {
	const k = D.keys.findIndex(x => x.key === key);
	if (k >= 0) return t.v[k];
	if (key === "trial") return t.id;
	if (key === "state") return t.state;
	if (key === "bytes") return t.bytes;
	if (key === "ms") return t.ms;
	if (key === "metric" || key === D.metric) return t.last;
	const m = D.metrics.indexOf(key);
	return m >= 0 ? t.m[m] : undefined;
}
function matches(t, text) {
	return text
		.split(/\s+/)
		.filter(Boolean)
		.every(word => {
			const m = /^([\w.]+)(<=|>=|=|<|>)(.+)$/.exec(word);
			if (!m)
				return (
					t.label.includes(word) ||
					t.state.includes(word) ||
					t.v.some(v => String(v).includes(word))
				);
			const v = valueOf(t, m[1]),
				w = Number.isNaN(+m[3]) ? m[3] : +m[3];
			if (v === undefined || v === null) return false;
			return m[2] === "="
				? String(v) === String(w)
				: m[2] === "<"
					? v < w
					: m[2] === ">"
						? v > w
						: m[2] === "<="
							? v <= w
							: v >= w;
		});
}
function passes(t) {
	for (const [key, f] of state.filters) {
		const v = key === "metric@" ? (t.r[state.rung] ?? null) : valueOf(t, key);
		if (
			f.range
				? v === null || v === undefined || v < f.range[0] || v > f.range[1]
				: !f.set.has(String(v))
		)
			return false;
	}
	return !state.text || matches(t, state.text);
}
let active = T,
	activeSet = new Set(T);
function refilter() {
	active = T.filter(passes);
	activeSet = new Set(active);
	drawBar();
	drawTable();
	drawEffects();
	views.forEach(v => v.draw());
	overlay();
}
