/**
 * A row of the list: made once, then bound to one entry after another as the list scrolls.
 */
import { el, icon, setText } from './dom.js';
import { criticalityLevel, sourceColor } from './entry.js';
import { getPref } from './prefs.js';
import { formatDuration, formatTime } from './time.js';

/** @returns {HTMLElement} an unbound row */
export function createRow() {
  const swatch = el('span', { class: 'swatch', 'aria-hidden': 'true' });
  const time = el('time', { class: 'cell-time' });
  const source = el('button', {
    class: 'cell-source', type: 'button', tabindex: -1, 'data-action': 'source', dir: 'auto',
  });
  const kind = el('span', { class: 'cell-kind' });
  const text = el('span', { class: 'cell-text', dir: 'auto' });
  const flags = el('span', { class: 'cell-flags' });
  const interval = el('span', { class: 'cell-interval' });
  const more = el('button', {
    class: 'cell-more', type: 'button', tabindex: -1, 'data-action': 'toggle',
    'aria-expanded': 'false', 'aria-label': 'Details',
  }, icon('chevron'));
  const line = el('div', { class: 'line' });
  line.append(swatch, time, source, kind, text, flags, interval, more);
  const row = el('article', { class: 'row', tabindex: -1 }, line);
  row.parts = { line, swatch, time, source, kind, text, flags, interval, more };
  return row;
}

/**
 * @param {HTMLElement} row
 * @param {import('./entry.js').Entry} entry
 */
export function bindRow(row, entry) {
  const { parts } = row;
  const notice = entry.kind === 'notice';
  row.classList.toggle('notice', notice);
  row.dataset.key = entry.key;
  setText(parts.text, entry.session ? '' : entry.text);
  if (notice) {
    for (const name of ['source', 'kind', 'flags', 'interval', 'time']) setText(parts[name], '');
    row.setAttribute('aria-label', entry.text);
    parts.text.title = entry.text;
    parts.more.hidden = true;
    return;
  }
  parts.text.title = '';
  parts.more.hidden = false;
  parts.swatch.style.background = entry.color || sourceColor(entry.source);
  setText(parts.source, entry.name);
  parts.source.title = `Only ${entry.source}`;
  bindKind(parts.kind, entry);
  if (entry.session) bindSession(parts.text, entry);
  bindFlags(parts.flags, entry);
  const interval = entry.intervalMs === null ? '' : formatDuration(entry.intervalMs);
  setText(parts.interval, interval);
  bindTime(row, entry);
  row.setAttribute('aria-label', labelOf(entry, interval));
}

/**
 * Only the time: it changes with the clock and with the way times are shown.
 * @param {HTMLElement} row
 * @param {import('./entry.js').Entry} entry
 */
export function bindTime(row, entry) {
  if (entry.kind === 'notice') return;
  const { time } = row.parts;
  setText(time, formatTime(entry.time, getPref('time')));
  if (time.dateTime !== entry.time) {
    time.dateTime = entry.time;
    time.title = entry.time;
  }
}

function bindKind(cell, entry) {
  if (entry.criticality === null) {
    cell.className = `cell-kind kind-${/^[a-z]+$/.test(entry.type) ? entry.type : 'other'}`;
    setText(cell, entry.type);
    cell.title = '';
    return;
  }
  const level = criticalityLevel(entry.criticality);
  cell.className = `cell-kind level-${level}`;
  setText(cell, `${entry.criticality} ${level}`);
  cell.title = `criticality ${entry.criticality}`;
}

/** @param {number} costCents */
export const formatCost = (costCents) => (costCents / 100).toFixed(2);

function bindSession(cell, entry) {
  const { energyKwh, durationS, costCents } = entry.session;
  cell.replaceChildren(
    el('span', { class: 'figure' }, `${energyKwh.toFixed(2)} kWh`),
    el('span', { class: 'figure' }, formatDuration(durationS * 1000)),
    el('span', { class: 'figure', title: `${costCents} cents` }, formatCost(costCents)),
    el('span', { class: 'session-id' }, entry.text),
  );
}

function bindFlags(cell, entry) {
  const flags = [];
  if (entry.late) {
    const title = 'Arrived after a later message of its source';
    flags.push(el('span', { class: 'flag flag-late', title }, 'late'));
  }
  if (entry.undeduped) {
    const title = 'Without an id of its producer: a redelivery cannot be told from a repeat';
    flags.push(el('span', { class: 'flag', title }, 'dedupe: none'));
  }
  if (flags.length > 0 || cell.childNodes.length > 0) cell.replaceChildren(...flags);
}

function labelOf(entry, interval) {
  const after = interval === '' ? '' : `, ${interval} after its previous`;
  const level = entry.criticality === null
    ? '' : `, criticality ${entry.criticality} ${criticalityLevel(entry.criticality)}`;
  return `${entry.name}: ${entry.text}${level}${after}${entry.late ? ', late' : ''}`;
}
