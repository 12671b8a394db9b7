// The taps and what undo and redo make of them. A step is a whole list of taps, so that "clear" can be undone as well.

export class History {
	constructor() {
		this.clear();
	}

	clear() {
		this.steps = [[]];
		this.at = 0;
	}

	get taps() {
		return this.steps[this.at];
	}

	get canUndo() {
		return this.at > 0;
	}

	get canRedo() {
		return this.at < this.steps.length - 1;
	}

	push(taps) {
		this.steps = [...this.steps.slice(0, this.at + 1), taps];
		this.at++;
	}

	undo() {
		if (this.canUndo) this.at--;
	}

	redo() {
		if (this.canRedo) this.at++;
	}

	// A step that turned out to be impossible.
	forget(taps) {
		const index = this.steps.indexOf(taps);
		if (index < 1) return;
		this.steps = this.steps.slice(0, index);
		this.at = Math.min(this.at, index - 1);
	}
}
