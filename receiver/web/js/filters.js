/** The filter's controls: they show the route's filter and change it. */
import { getJson } from './api.js';
import { byId, el } from './dom.js';
import { learnColor, shortSource } from './entry.js';
import { FILTER_NAMES } from './route.js';
import { localToRfc3339, rfc3339ToLocal } from './time.js';

const TYPING_MS = 350;
const SUGGESTIONS_MAX = 200;

const toControl = (name, value) => (
  name === 'since' || name === 'until' ? rfc3339ToLocal(value) : value);
const toFilter = (name, value) => (
  name === 'since' || name === 'until' ? localToRfc3339(value) : value.trim());

export class Filters {
  /** @param {import('./route.js').Route} route */
  constructor(route) {
    this.route = route;
    this.controls = Object.fromEntries(
      FILTER_NAMES.map((name) => [name, byId(`filter-${name}`)]));
    this.timer = 0;
    // One step of the back button for one visit to a control, not for each letter typed in it.
    this.stepTaken = false;
    this.committing = false;
    for (const [name, control] of Object.entries(this.controls)) {
      control.addEventListener('focus', () => { this.stepTaken = false; });
      control.addEventListener('input', () => this.#onInput(name));
      control.addEventListener('change', () => this.#commit(name));
    }
    byId('filters').addEventListener('submit', (event) => event.preventDefault());
    byId('filter-clear').addEventListener('click', () => route.clear());
    byId('filter-source').addEventListener('focus', () => this.#suggestSources());
    for (const button of document.querySelectorAll('[data-last-minutes]')) {
      button.addEventListener('click', () => this.#setLast(Number(button.dataset.lastMinutes)));
    }
  }

  /** Shows the route's filter. */
  show() {
    const { filter, view, filtered } = this.route;
    // The control that is being typed in knows better than the address, which lags behind it; but
    // not when the change came from elsewhere, such as the back button.
    const typedIn = this.committing ? document.activeElement : null;
    if (!this.committing) clearTimeout(this.timer);
    for (const [name, control] of Object.entries(this.controls)) {
      const value = toControl(name, filter[name]);
      if (control !== typedIn && control.value !== value) control.value = value;
      control.closest('.field').hidden = !view.feed || this.#isFixed(name, view);
    }
    this.#showTimes(filter);
    byId('filter-clear').hidden = !filtered;
    const active = FILTER_NAMES.filter((name) => name !== 'q' && filter[name] !== '').length;
    byId('filter-count').textContent = active > 0 ? String(active) : '';
  }

  focusSearch() {
    this.controls.q.focus();
    this.controls.q.select();
  }

  #isFixed(name, view) {
    if (name === 'criticality_gt') return view.name === 'sessions';
    return name in view.fixed;
  }

  #showTimes({ since, until }) {
    const text = (value) => rfc3339ToLocal(value).replace('T', ' ');
    let label = 'Any time';
    if (since && until) label = `${text(since)} to ${text(until)}`;
    else if (since) label = `Since ${text(since)}`;
    else if (until) label = `Until ${text(until)}`;
    byId('filter-times-label').textContent = label;
  }

  #onInput(name) {
    clearTimeout(this.timer);
    // Half a name matches nothing: these are taken when chosen from the list, or by Enter.
    const { list, value } = this.controls[name];
    if (list && value !== '' && ![...list.options].some((each) => each.value === value)) return;
    this.timer = setTimeout(() => this.#commit(name), TYPING_MS);
  }

  #commit(name) {
    clearTimeout(this.timer);
    const control = this.controls[name];
    if (!control.validity.valid) return;
    const value = toFilter(name, control.value);
    if (value === this.route.filter[name]) return;
    this.committing = true;
    this.route.go({ filter: { [name]: value } }, { replace: this.stepTaken });
    this.committing = false;
    this.stepTaken = control === document.activeElement;
  }

  #setLast(minutes) {
    const since = new Date(Date.now() - minutes * 60000).toISOString().replace(/\.\d+Z$/, 'Z');
    this.route.go({ filter: { since, until: '' } });
    byId('times').hidePopover();
  }

  async #suggestSources() {
    const { sources } = await getJson('sources', { limit: SUGGESTIONS_MAX });
    for (const each of sources) learnColor(each.source, each.color);
    byId('source-names').replaceChildren(
      ...sources.map((each) => el('option', { value: shortSource(each.source) })));
  }
}
