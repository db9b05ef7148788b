/** Keyboard shortcuts: one table for what they do and for the help that lists them. */
import { byId, el } from './dom.js';
import { getPref } from './prefs.js';
import { VIEWS } from './route.js';

const SEQUENCE_MS = 1500;
const KEY_NAMES = { ' ': 'space', ArrowDown: '↓', ArrowUp: '↑' };

const isTyping = (target) => target.closest('input, textarea, select, [contenteditable]') !== null;
// In the details these keys scroll the event's text, as anywhere on the web.
const isScrolling = (key, target) => (
  [' ', 'Home', 'ArrowUp', 'ArrowDown'].includes(key) && target.closest('.detail') !== null);
// Enter and space press a button or follow a link that has the focus.
const isPressable = (target) => target.closest('button, a, summary') !== null;

export class Keyboard {
  /** @param {{keys: string[], label: string, run: () => void}[]} shortcuts */
  constructor(shortcuts) {
    this.shortcuts = shortcuts;
    this.prefixUntil = 0;
    document.addEventListener('keydown', (event) => this.#onKey(event));
    byId('help-keys').replaceChildren(...this.#rows());
  }

  #rows() {
    const views = VIEWS.map((view, i) => [`${i + 1}`, `g ${view.key}`]);
    const lines = [
      ...this.shortcuts.map(({ keys, label }) => [keys, label]),
      ...VIEWS.map((view, i) => [views[i], view.title]),
    ];
    return lines.flatMap(([keys, label]) => [
      el('dt', {}, ...keys.map((key) => el('kbd', {}, KEY_NAMES[key] ?? key))),
      el('dd', {}, label),
    ]);
  }

  /** @param {(view: string) => void} showView */
  onView(showView) {
    this.showView = showView;
  }

  #onKey(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (getPref('shortcuts') === 'off' && key !== 'Escape') return;
    if (document.querySelector('dialog[open]')) return;
    if (isTyping(target)) {
      if (key === 'Escape') target.blur();
      return;
    }
    if (isScrolling(key, target)) return;
    if ((key === ' ' || key === 'Enter') && isPressable(target)) return;
    if (this.#runView(key) || this.#run(key)) event.preventDefault();
  }

  #runView(key) {
    const prefixed = performance.now() < this.prefixUntil;
    this.prefixUntil = key === 'g' && !prefixed ? performance.now() + SEQUENCE_MS : 0;
    const view = prefixed ? VIEWS.find((each) => each.key === key) : VIEWS[Number(key) - 1];
    if (view) this.showView(view.name);
    return view !== undefined || key === 'g';
  }

  #run(key) {
    const shortcut = this.shortcuts.find(({ keys }) => keys.includes(key));
    shortcut?.run();
    return shortcut !== undefined;
  }
}
