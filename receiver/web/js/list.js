/**
 * A virtual list: of up to thousands of rows only those in sight (and a few around) are elements.
 * All rows have one height; the one that is open has its details below it, measured. The newest row
 * is at the top; DOM order is the visible order, for screen readers and selection.
 */
import { bindRow, bindTime, createRow } from './row.js';

const OVERSCAN = 8;
const NEAR_END_ROWS = 30;

export class List {
  /**
   * @param {object} parts
   * @param {HTMLElement} parts.scroller
   * @param {HTMLElement} parts.feed holds the rows
   * @param {HTMLElement} parts.above takes the height of the rows above
   * @param {HTMLElement} parts.below
   * @param {import('./backlog.js').Backlog} parts.backlog
   * @param {(entry: import('./entry.js').Entry) => HTMLElement} parts.createDetail
   * @param {() => void} parts.onNearEnd
   * @param {() => void} parts.onMove scrolled, selected or opened
   * @param {() => void} parts.onDraw after each drawing
   */
  constructor(parts) {
    Object.assign(this, parts);
    this.shown = new Map();
    this.spare = [];
    this.openKey = '';
    this.selectedKey = '';
    this.detail = null;
    this.detailHeight = 0;
    this.rowHeight = 40;
    this.frame = 0;
    this.scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    this.feed.addEventListener('click', (event) => this.#onClick(event));
    new ResizeObserver(() => this.#measure()).observe(this.scroller);
    this.detailObserver = new ResizeObserver(() => this.#measureDetail());
  }

  /** Whether the newest row is in sight and nothing holds the list. */
  get following() {
    return this.scroller.scrollTop < this.rowHeight && !this.openKey && !this.selectedKey;
  }

  /** Draws in the next frame; any number of calls before it cost one drawing. */
  invalidate() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.#draw());
  }

  /** To the newest row, with nothing selected or open. */
  toTop() {
    this.close();
    this.select(-1);
    this.scroller.scrollTop = 0;
    this.invalidate();
  }

  /** Writes the times again: the clock went on, or they are shown in another way. */
  refreshTimes() {
    for (const [key, row] of this.shown) {
      const index = this.backlog.indexOf(key);
      if (index >= 0) bindTime(row, this.backlog.at(index));
    }
  }

  /** Writes all rows in sight again: a source's colour became known. */
  refresh() {
    for (const [key, row] of this.shown) {
      const index = this.backlog.indexOf(key);
      if (index >= 0) bindRow(row, this.backlog.at(index));
    }
  }

  /** @param {number} step down when positive */
  move(step) {
    const at = this.backlog.indexOf(this.selectedKey);
    const from = at < 0 ? Math.floor(this.scroller.scrollTop / this.rowHeight) - 1 : at;
    this.select(Math.min(Math.max(from + step, 0), this.backlog.count - 1));
  }

  /** @param {number} index -1 for none */
  select(index) {
    const entry = index < 0 ? null : this.backlog.at(index);
    this.#mark(this.selectedKey, false);
    this.selectedKey = entry?.key ?? '';
    this.onMove();
    if (!entry) return;
    this.#scrollTo(index);
    this.#draw();
    this.#mark(entry.key, true);
    this.shown.get(entry.key)?.focus({ preventScroll: true });
  }

  /** Opens or closes the selected row's details. */
  toggleSelected() {
    if (this.selectedKey) this.toggle(this.selectedKey);
  }

  /** @param {string} key */
  toggle(key) {
    const open = this.openKey !== key;
    this.close();
    const index = this.backlog.indexOf(key);
    if (!open || index < 0 || this.backlog.at(index).kind !== 'event') return;
    this.openKey = key;
    this.detail = this.createDetail(this.backlog.at(index));
    this.detailObserver.observe(this.detail);
    this.#attachDetail(this.shown.get(key));
    this.onMove();
  }

  close() {
    if (!this.openKey) return;
    const row = this.shown.get(this.openKey);
    row?.parts.more.setAttribute('aria-expanded', 'false');
    row?.classList.remove('open');
    this.detailObserver.unobserve(this.detail);
    this.detail.remove();
    Object.assign(this, { openKey: '', detail: null, detailHeight: 0 });
    this.onMove();
    this.invalidate();
  }

  #attachDetail(row) {
    if (!row) return;
    row.append(this.detail);
    row.classList.add('open');
    row.parts.more.setAttribute('aria-expanded', 'true');
  }

  #mark(key, on) {
    const row = this.shown.get(key);
    row?.classList.toggle('selected', on);
    if (row) row.tabIndex = on ? 0 : -1;
  }

  #onScroll() {
    this.onMove();
    this.invalidate();
  }

  #onClick(event) {
    const row = event.target.closest('.row');
    // A click that ends a selection of text, or one into the details, is not meant for the row.
    if (!row || !event.target.closest('.line') || getSelection().type === 'Range') return;
    if (event.target.closest('[data-action="source"]')) return;
    this.toggle(row.dataset.key);
    // The keyboard goes on from the row that the mouse opened.
    this.select(this.openKey ? this.backlog.indexOf(this.openKey) : -1);
  }

  #measure() {
    const line = this.feed.querySelector('.line');
    if (line && line.offsetHeight > 0) this.rowHeight = line.offsetHeight;
    this.invalidate();
  }

  #measureDetail() {
    const height = this.detail?.isConnected ? this.detail.offsetHeight : 0;
    if (height === 0 || height === this.detailHeight) return;
    this.detailHeight = height;
    this.invalidate();
  }

  // The pixels above row `index`.
  #offset(index) {
    const open = this.openKey ? this.backlog.indexOf(this.openKey) : -1;
    return index * this.rowHeight + (open >= 0 && open < index ? this.detailHeight : 0);
  }

  #scrollTo(index) {
    const top = this.#offset(index);
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    const bottom = this.#offset(index + 1) + this.rowHeight;
    if (bottom > scrollTop + clientHeight) this.scroller.scrollTop = bottom - clientHeight;
  }

  #range() {
    const { count } = this.backlog;
    const { scrollTop, clientHeight } = this.scroller;
    const rows = Math.ceil(clientHeight / this.rowHeight);
    // An open row above shifts all by its details; starting earlier by as much is simple and cheap.
    const first = Math.floor((scrollTop - this.detailHeight) / this.rowHeight) - OVERSCAN;
    const last = Math.floor(scrollTop / this.rowHeight) + rows + OVERSCAN;
    return { first: Math.max(0, Math.min(first, count)), last: Math.min(last, count) };
  }

  #draw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.backlog.trim();
    const { first, last } = this.#range();
    this.#dropRows(first, last);
    let place = this.feed.firstChild;
    for (let index = first; index < last; index += 1) {
      const entry = this.backlog.at(index);
      const row = this.shown.get(entry.key) ?? this.#showRow(entry);
      if (row === place) place = place.nextSibling;
      else this.feed.insertBefore(row, place);
      row.setAttribute('aria-posinset', index + 1);
    }
    this.above.style.height = `${this.#offset(first)}px`;
    this.below.style.height = `${this.#offset(this.backlog.count) - this.#offset(last)}px`;
    if (this.backlog.more && last > this.backlog.count - NEAR_END_ROWS) this.onNearEnd();
    if (first === 0 && last > 0 && this.rowHeight !== this.#lineHeight()) this.#measure();
    this.onDraw();
  }

  #lineHeight() {
    return this.feed.firstElementChild.parts.line.offsetHeight || this.rowHeight;
  }

  #dropRows(first, last) {
    const keep = new Set();
    for (let index = first; index < last; index += 1) keep.add(this.backlog.at(index).key);
    for (const [key, row] of this.shown) {
      if (keep.has(key)) continue;
      this.shown.delete(key);
      if (key === this.openKey) this.detail.remove();
      row.remove();
      this.spare.push(row);
    }
  }

  #showRow(entry) {
    const row = this.spare.pop() ?? createRow();
    const selected = entry.key === this.selectedKey;
    row.classList.toggle('selected', selected);
    row.tabIndex = selected ? 0 : -1;
    row.classList.remove('open');
    row.parts.more.setAttribute('aria-expanded', 'false');
    bindRow(row, entry);
    this.shown.set(entry.key, row);
    if (entry.key === this.openKey) this.#attachDetail(row);
    return row;
  }
}
