// The settings of a page: texts by name, with undo and redo, kept in the page's address.

const MOST_UNDOS = 200;

export class Settings {
  /**
   * @param {Record<string, string>} defaults all settings; those that differ from them stand in the address
   * @param {Record<string, string>} marks what is looked at, which stands in the address too but needs no undo
   */
  constructor(defaults, marks = {}) {
    this.defaults = defaults;
    this.values = { ...defaults };
    this.noMarks = marks;
    this.marks = { ...marks };
    this.past = [];
    this.future = [];
    this.kept = { ...defaults }; // the last state that undo can come back to
    this.refused = null; // what `wait` was given, until `open`
  }

  /** The query of an address for these values; commas, semicolons and colons stay readable. */
  query(changes = {}) {
    return write({ ...this.values, ...changes }, this.defaults);
  }

  /** The query of an address that shows all of this. */
  get address() {
    return [this.query(), write(this.marks, this.noMarks)].filter(Boolean).join("&");
  }

  /**
   * The server reads an address. Until `open` nothing changes and nothing is written over it: what a hand does in the
   * meantime was meant for the state before. `refused` is called instead, each time.
   */
  wait(refused) {
    this.refused = refused;
  }

  #waits() {
    this.refused?.();
    return this.refused !== null;
  }

  /** Take over values that the server has read from the address: the start of the history. */
  open(values, marks = {}) {
    this.values = { ...values };
    this.kept = { ...values };
    this.marks = { ...this.noMarks, ...marks };
    this.past = [];
    this.future = [];
    this.refused = null;
    this.#forget(); // what is still to be written is of the state before
  }

  /** Remember what is looked at, in the address alone. A browser allows few changes of it a second: soon is enough. */
  note(changes) {
    Object.assign(this.marks, changes);
    this.#forget();
    this.soon = setTimeout(() => this.write(), 200);
  }

  /** Write at once what `note` has put off: the address is about to become another one. */
  flush() {
    if (this.soon) this.write();
  }

  #forget() {
    clearTimeout(this.soon);
    this.soon = null;
  }

  /** Change while a control is dragged, neither remembered nor written to the address. Returns whether it may. */
  move(changes) {
    if (this.#waits()) return false;
    Object.assign(this.values, changes);
    return true;
  }

  /** Remember the current values as one step of the history. Returns false if nothing has changed. */
  keep() {
    if (this.#waits() || Object.keys(this.values).every((key) => this.values[key] === this.kept[key])) return false;
    this.past.push(this.kept);
    if (this.past.length > MOST_UNDOS) this.past.shift();
    this.future = [];
    this.kept = { ...this.values };
    this.write();
    return true;
  }

  /** Forget changes since the last `keep`. */
  revert() {
    this.values = { ...this.kept };
  }

  /** Take back the last `keep` as if it had not been: for values that the server refuses. */
  refuse() {
    this.kept = this.past.pop() ?? { ...this.defaults };
    this.revert();
    this.write();
  }

  undo() {
    return this.#travel(this.past, this.future);
  }

  redo() {
    return this.#travel(this.future, this.past);
  }

  #travel(from, to) {
    if (this.#waits() || from.length === 0) return false;
    to.push(this.kept);
    this.kept = from.pop();
    this.revert();
    this.write();
    return true;
  }

  /** Back to the defaults; can be undone. */
  reset() {
    return this.move(this.defaults) && this.keep();
  }

  /** Put the values into the address, without a new entry in the browser's history. */
  write() {
    this.#forget();
    if (this.refused) return;
    const query = this.address;
    history.replaceState(history.state, "", location.pathname + (query ? `?${query}` : "") + location.hash);
  }
}

/** Those of `values` that differ from `defaults`, as the query of an address. */
function write(values, defaults) {
  return Object.entries(values)
    .filter(([key, value]) => value !== defaults[key])
    .map(([key, value]) => `${key}=${encodeURIComponent(value).replace(/%2C|%3B|%3A/g, decodeURIComponent)}`)
    .join("&");
}
