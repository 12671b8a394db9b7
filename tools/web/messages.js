// What the page says: for the eye (toasts) and for the ear (a live region).

const $ = (id) => document.getElementById(id);
const SECONDS = { error: 12, info: 7 };

function icon(name) {
	const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
	const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
	svg.setAttribute('class', 'icon');
	svg.setAttribute('aria-hidden', 'true');
	use.setAttribute('href', `#i-${name}`);
	svg.append(use);
	return svg;
}

// kind: 'error' or 'info'.
export function toast(kind, words) {
	const box = document.createElement('div'), text = document.createElement('p'),
		close = document.createElement('button');
	box.className = `toast ${kind}`;
	box.setAttribute('role', kind === 'error' ? 'alert' : 'status');
	text.textContent = words;
	close.className = 'round';
	close.type = 'button';
	close.setAttribute('aria-label', 'Dismiss');
	close.append(icon('clear'));
	close.addEventListener('click', () => box.remove());
	box.append(icon(kind === 'error' ? 'warning' : 'info'), text, close);
	$('toasts').replaceChildren(box);
	setTimeout(() => box.remove(), 1000 * SECONDS[kind]);
}

export function dismiss() {
	$('toasts').replaceChildren();
}

export function say(words) {
	$('live').textContent = words;
}

// share: 0 to 1, true: for as long as it takes, null: done.
export function showProgress(share, label) {
	const bar = $('progress');
	bar.hidden = share === null;
	bar.classList.toggle('endless', share === true);
	if (label) bar.setAttribute('aria-label', label);
	if (typeof share === 'number') {
		bar.style.setProperty('--done', `${100 * share}%`);
		bar.setAttribute('aria-valuenow', Math.round(100 * share));
	} else bar.removeAttribute('aria-valuenow');
}
