// The controls beside the photo: background, edge, focus, filter. What they are set to is one object, `settings`.

const $ = (id) => document.getElementById(id);
const chosen = (name) => document.querySelector(`input[name="${name}"]:checked`).value;
const choose = (name, value) => (document.querySelector(`input[name="${name}"][value="${value}"]`).checked = true);

const rgbOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

const BLUR_MOST = 0.03; // of the photo's long side, at 100 %
const OWN_CONTROLS = ['focus', 'background']; // filters that are not in the list of filters
const FIRST = ['colour_pop', 'black_and_white', 'sepia', 'vignette', 'duotone', 'warmth', 'exposure', 'contrast',
	'saturation'];

const rank = ({ name }) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);

export class Panel {
	// onChange(): read `settings` anew.
	constructor({ onChange }) {
		this.onChange = onChange;
		this.filters = [];
		for (const slider of $('panel').querySelectorAll('input[type="range"]')) {
			slider.addEventListener('input', () => this.slid(slider));
			showValue(slider);
		}
		for (const radio of $('panel').querySelectorAll('input[type="radio"]'))
			radio.addEventListener('change', () => this.onChange());
		$('own-colour').addEventListener('input', () => {
			choose('background', 'own');
			this.onChange();
		});
		$('own-colour').addEventListener('click', () => choose('background', 'own') && this.onChange());
		for (const tab of $('tabs').children) tab.addEventListener('click', () => this.toggle(tab));
		$('tabs').addEventListener('keydown', moveTab);
	}

	// On a phone held upright a section covers part of the photo: its tab opens and closes it.
	toggle(tab) {
		const shown = tab.getAttribute('aria-selected') === 'true' && $('panel').classList.contains('open');
		$('panel').classList.toggle('open', !shown);
		showTab(tab);
	}

	close() {
		$('panel').classList.remove('open');
	}

	// Blur and most filters need the photo behind the object.
	slid(slider) {
		showValue(slider);
		if (slider.id === 'blur' && slider.value > 0) this.wantPhoto();
		this.onChange();
	}

	wantPhoto() {
		if (chosen('background') === 'transparent') choose('background', 'photo');
	}

	// filters: [{ name, label, help, min, max, initial, where }] of the engine.
	setFilters(filters) {
		this.blurMost = filters.find((filter) => filter.name === 'focus').max;
		this.filters = filters.filter(({ name }) => !OWN_CONTROLS.includes(name))
			.sort((a, b) => rank(a) - rank(b));
		const none = { name: 'none', label: 'None', help: 'Colours as they are' };
		const buttons = [none, ...this.filters].map((filter, i) => this.filterButton(filter, i === 0));
		$('filters').replaceChildren(...buttons);
		this.showStrength();
	}

	filterButton(filter, checked) {
		const label = document.createElement('label'), input = document.createElement('input');
		const picture = document.createElement('canvas'), text = document.createElement('span');
		Object.assign(input, { type: 'radio', name: 'filter', value: filter.name, checked });
		input.addEventListener('change', () => {
			if (filter.where) choose('where', filter.where);
			if (filter.where && filter.where !== 'inside') this.wantPhoto();
			const initial = filter.name === 'none' ? 100 : Math.round((100 * filter.initial) / filter.max);
			$('strength').value = initial;
			showValue($('strength'));
			this.showStrength();
			this.onChange();
		});
		picture.dataset.filter = filter.name;
		text.textContent = filter.label;
		label.title = filter.help;
		label.append(input, picture, text);
		return label;
	}

	// pictures: { name: ImageBitmap }
	setThumbnails(pictures) {
		for (const canvas of $('filters').querySelectorAll('canvas')) {
			const picture = pictures[canvas.dataset.filter];
			if (!picture) continue;
			canvas.width = picture.width;
			canvas.height = picture.height;
			canvas.getContext('bitmaprenderer').transferFromImageBitmap(picture);
		}
	}

	showStrength() {
		const filter = this.filters.find((f) => f.name === chosen('filter'));
		$('strength-row').hidden = $('where').hidden = !filter;
		if (filter) {
			$('strength').min = filter.min < 0 ? -100 : 0;
			showValue($('strength'));
		}
	}

	// What the worker is told; `longest`: the photo's longer side in pixels.
	settings(longest) {
		const background = chosen('background');
		const edits = [], filter = this.filters.find((f) => f.name === chosen('filter'));
		const blur = Math.min(this.blurMost, ($('blur').value / 100) * BLUR_MOST * longest);
		if (blur > 0) edits.push({ name: 'focus', amount: blur, where: 'outside' });
		if (filter) {
			const share = $('strength').value / 100,
				amount = share < 0 ? -share * filter.min : share * filter.max;
			edits.push({ name: filter.name, amount, where: chosen('where') });
		}
		const colour = background === 'own' ? $('own-colour').value : background;
		return {
			feather: Number($('feather').value),
			background: colour.startsWith('#') ? { kind: 'colour', colour: rgbOf(colour) }
				: { kind: background },
			edits,
		};
	}
}

function showValue(slider) {
	const { min, max, value } = slider;
	slider.style.setProperty('--at', `${(100 * (value - min)) / (max - min)}%`);
	slider.parentElement.querySelector('output').textContent = value + (slider.dataset.unit ?? '');
	slider.setAttribute('aria-valuetext', value + (slider.dataset.unit ?? ''));
}

// On a narrow page one section shows at a time.
function showTab(tab) {
	for (const other of $('tabs').children) {
		const active = other === tab;
		other.setAttribute('aria-selected', active);
		other.tabIndex = active ? 0 : -1;
		$(other.getAttribute('aria-controls')).toggleAttribute('data-active', active);
	}
}

function moveTab(event) {
	const tabs = [...$('tabs').children], step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
	if (!step) return;
	const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
	showTab(next);
	next.focus();
}
