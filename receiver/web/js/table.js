/** A table of what the API lists in pages: rows are read, shown, and more of them when asked. */
import { ApiError, getJson } from './api.js';
import { el, setText } from './dom.js';

export class Table {
  /**
   * @param {object} spec
   * @param {string} spec.resource of the API
   * @param {HTMLElement} spec.place
   * @param {string} spec.caption
   * @param {string} spec.empty said when there are none
   * @param {{title: string, cell: (row: any) => Node | string, numeric?: boolean}[]} spec.columns
   */
  constructor(spec) {
    this.spec = spec;
    this.next = null;
    this.body = el('tbody');
    this.note = el('p', { class: 'table-note' });
    this.more = el('button', { class: 'button', type: 'button', hidden: true }, 'Load more');
    this.more.addEventListener('click', () => this.#loadMore());
    const head = spec.columns.map(
      ({ title, numeric }) => el('th', { scope: 'col', class: numeric ? 'numeric' : null }, title));
    const table = el('table', {}, el('caption', {}, spec.caption),
      el('thead', {}, el('tr', {}, ...head)), this.body);
    // Focusable, because a narrow screen scrolls the table sideways and a keyboard must be able to.
    this.scroll = el('div', {
      class: 'table-scroll', tabindex: 0, role: 'region', 'aria-label': spec.caption,
    }, table);
    spec.place.append(this.scroll, this.note, this.more);
  }

  /** Reads the first page again. Further pages that were loaded stay away until asked for. */
  async refresh() {
    await this.#load({}, (rows) => this.body.replaceChildren(...rows));
  }

  /** Whether the user has gone beyond the first page: then a refresh would throw him back. */
  get extended() {
    return this.loadedMore === true;
  }

  async #loadMore() {
    const params = Object.fromEntries(new URL(this.next, document.baseURI).searchParams);
    this.loadedMore = true;
    await this.#load(params, (rows) => this.body.append(...rows));
  }

  async #load(params, put) {
    const { resource, columns, empty } = this.spec;
    try {
      const page = await getJson(resource, params);
      put(page[resource].map((row) => el('tr', {}, ...columns.map(
        ({ cell, numeric }) => el('td', { class: numeric ? 'numeric' : null }, cell(row))))));
      this.next = page.next;
      setText(this.note, this.body.childElementCount === 0 ? empty : '');
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.note, error.message);
    }
    this.more.hidden = this.next === null;
    this.scroll.hidden = this.body.childElementCount === 0;
  }
}
