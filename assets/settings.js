// The settings of a page: texts by name, with undo and redo, kept in the page's address.

const MOST_UNDOS = 200;

export class Settings {
  /** @param {Record<string, string>} defaults all settings; those that differ from them stand in the address */
  constructor(defaults) {
    this.defaults = defaults;
    this.values = { ...defaults };
    this.past = [];
    this.future = [];
    this.kept = { ...defaults }; // the last state that undo can come back to
  }

  /** The query of an address for these values; commas and semicolons stay readable. */
  query(changes = {}) {
    return Object.entries({ ...this.values, ...changes })
      .filter(([key, value]) => value !== this.defaults[key])
      .map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll("%2C", ",").replaceAll("%3B", ";")}`)
      .join("&");
  }

  /** Take over values that the server has read from the address: the start of the history. */
  open(values) {
    this.values = { ...values };
    this.kept = { ...values };
  }

  /** Change while a control is being dragged: neither remembered nor written to the address. */
  move(changes) {
    Object.assign(this.values, changes);
  }

  /** Remember the current values as one step of the history. Returns false if nothing has changed. */
  keep() {
    if (Object.keys(this.values).every((key) => this.values[key] === this.kept[key])) return false;
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
    if (from.length === 0) return false;
    to.push(this.kept);
    this.kept = from.pop();
    this.revert();
    this.write();
    return true;
  }

  /** Back to the defaults; can be undone. */
  reset() {
    this.values = { ...this.defaults };
    return this.keep();
  }

  /** Put the values into the address, without a new entry in the browser's history. */
  write() {
    const query = this.query();
    history.replaceState(history.state, "", location.pathname + (query ? `?${query}` : "") + location.hash);
  }
}
