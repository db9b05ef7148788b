/**
 * The rows of the list: a bounded window on the journal without a hole in it. While the list is
 * held (paused, or the user reads further down) what arrives waits outside and is counted.
 */
export class Backlog {
  /** @param {number} capacity in rows */
  constructor(capacity) {
    this.capacity = capacity;
    this.reset([], false);
    this.held = false;
  }

  /**
   * @param {import('./entry.js').Entry[]} entries oldest first
   * @param {boolean} more older ones can be loaded
   */
  reset(entries, more) {
    this.rows = entries;
    this.waiting = [];
    this.missed = 0;
    this.more = more;
    // The newest rows were given up for older ones: only a fresh read makes the list whole again.
    this.detached = false;
  }

  get count() {
    return this.rows.length;
  }

  /** @param {number} index 0 is the newest */
  at(index) {
    return this.rows[this.rows.length - 1 - index];
  }

  /** @param {string} key */
  indexOf(key) {
    const index = this.rows.findLastIndex((entry) => entry.key === key);
    return index < 0 ? -1 : this.rows.length - 1 - index;
  }

  /** @param {import('./entry.js').Entry} entry newer than all before */
  push(entry) {
    const target = this.held || this.detached ? this.waiting : this.rows;
    target.push(entry);
    if (target === this.waiting) this.missed += 1;
    // Cutting at each push would move all rows each time; a frame cuts once by trim().
    if (target.length >= 2 * this.capacity) this.#cut(target);
  }

  /** Brings the rows down to the capacity; called once a frame. */
  trim() {
    if (this.rows.length > this.capacity) this.#cut(this.rows);
  }

  #cut(target) {
    target.splice(0, target.length - this.capacity);
    if (target === this.rows) this.more = true;
  }

  /** Lets what waited into the list. */
  release() {
    this.held = false;
    if (this.detached) return;
    // More came than could wait: the rows before are no longer next to them.
    if (this.missed > this.waiting.length) {
      this.rows = this.waiting;
      this.more = true;
    } else {
      this.rows.push(...this.waiting);
    }
    this.waiting = [];
    this.missed = 0;
    this.trim();
  }

  /**
   * @param {import('./entry.js').Entry[]} entries oldest first, all older than the rows
   * @param {boolean} more
   */
  addOlder(entries, more) {
    this.rows = entries.concat(this.rows);
    this.more = more;
    if (this.rows.length <= this.capacity) return;
    this.missed += this.rows.length - this.capacity;
    this.rows.length = this.capacity;
    this.waiting = [];
    this.detached = true;
  }
}
