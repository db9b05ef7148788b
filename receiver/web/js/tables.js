/** The views that are tables: sources, and incidents with the quarantine. */
import { byId, el } from './dom.js';
import { learnColor, shortSource, shortType, sourceColor } from './entry.js';
import { getPref } from './prefs.js';
import { Table } from './table.js';
import { formatTime } from './time.js';

const REFRESH_MS = 5000;
const count = new Intl.NumberFormat('en');

function timeNode(rfc3339) {
  if (rfc3339 === null) return '';
  return el('time', { datetime: rfc3339, title: rfc3339 }, formatTime(rfc3339, getPref('time')));
}

function sourceNode(row) {
  if (row.source === null) return '';
  learnColor(row.source, row.color);
  const swatch = el('span', { class: 'swatch', 'aria-hidden': 'true' });
  swatch.style.background = sourceColor(row.source);
  const button = el('button', {
    class: 'link', type: 'button', 'data-action': 'source', title: `Only ${row.source}`, dir: 'auto',
  }, shortSource(row.source));
  button.dataset.source = shortSource(row.source);
  return el('span', { class: 'source' }, swatch, button);
}

const number = (name) => (row) => (row[name] === null ? '' : count.format(row[name]));
const badNumber = (name) => (row) => (
  row[name] > 0 ? el('strong', { class: 'bad' }, count.format(row[name])) : '0');

const SOURCES = {
  resource: 'sources',
  caption: 'Sources',
  empty: 'No source has sent a message yet.',
  columns: [
    { title: 'Source', cell: sourceNode },
    { title: 'Messages', cell: number('count'), numeric: true },
    { title: 'Last seen', cell: (row) => timeNode(row.last_seen) },
    { title: 'Last type', cell: (row) => shortType(row.last_type) },
    { title: 'Missing', cell: badNumber('missing'), numeric: true },
    { title: 'Late', cell: number('late'), numeric: true },
    { title: 'Duplicates dropped', cell: number('duplicates'), numeric: true },
    { title: 'Sequence', cell: number('last_sequence'), numeric: true },
    { title: 'Boot id', cell: (row) => el('code', {}, row.bootid ?? '') },
    { title: 'First seen', cell: (row) => timeNode(row.first_seen) },
  ],
};

const KINDS = {
  sequence_hole: 'messages missing',
  session_lost: 'session lost',
  journal_replaced: 'journal replaced',
  journal_failed: 'journal failed',
  journal_damaged: 'journal damaged',
};

function stateNode(row) {
  return row.closed === null
    ? el('strong', { class: 'bad' }, 'open')
    : el('span', {}, 'closed ', timeNode(row.closed));
}

const INCIDENTS = {
  resource: 'incidents',
  caption: 'Incidents',
  empty: 'No incident: nothing is known to be missing.',
  columns: [
    { title: 'What', cell: (row) => KINDS[row.kind] ?? row.kind },
    { title: 'State', cell: stateNode },
    { title: 'Opened', cell: (row) => timeNode(row.opened) },
    { title: 'Source', cell: sourceNode },
    { title: 'Missing', cell: number('missing'), numeric: true },
    { title: 'Detail', cell: (row) => el('span', { class: 'wide', dir: 'auto' }, row.detail) },
  ],
};

// Whatever bytes they are: those that are no text become a dot.
function payloadNode(row) {
  const binary = atob(row.payload_base64);
  const bytes = Uint8Array.from(binary, (char) => char.charCodeAt(0));
  const text = new TextDecoder().decode(bytes).replace(/[\p{Cc}\u{FFFD}]/gu, '·');
  return el('code', { class: 'payload', dir: 'auto' }, text);
}

const QUARANTINE = {
  resource: 'quarantine',
  caption: 'Quarantine: messages that could not be understood',
  empty: 'The quarantine is empty: every message could be understood.',
  columns: [
    { title: 'Received', cell: (row) => timeNode(row.received) },
    { title: 'Topic', cell: (row) => el('code', { class: 'wide', dir: 'auto' }, row.topic) },
    { title: 'Reason', cell: (row) => el('span', { class: 'wide' }, row.reason) },
    { title: 'Bytes', cell: number('size_bytes'), numeric: true },
    { title: 'Payload', cell: payloadNode },
  ],
};

const TABLES_OF_VIEW = { sources: [SOURCES], incidents: [INCIDENTS, QUARANTINE] };

export class Tables {
  /** @param {(source: string) => void} onSource a source's name was pressed */
  constructor(onSource) {
    this.tables = [];
    this.timer = 0;
    byId('tables').addEventListener('click', (event) => {
      const button = event.target.closest('[data-action="source"]');
      if (button) onSource(button.dataset.source);
    });
  }

  /** @param {string} view */
  show(view) {
    clearTimeout(this.timer);
    byId('tables').replaceChildren();
    this.tables = (TABLES_OF_VIEW[view] ?? []).map(
      (spec) => new Table({ ...spec, place: byId('tables') }));
    if (this.tables.length > 0) this.refresh();
  }

  async refresh() {
    clearTimeout(this.timer);
    const { tables } = this;
    const idle = tables.filter((table) => !table.extended && !this.#inUse(table));
    if (!document.hidden) await Promise.all(idle.map((table) => table.refresh()));
    if (tables !== this.tables) return;
    this.timer = setTimeout(() => this.refresh(), REFRESH_MS);
  }

  // New rows would take the focus or the selected text from under the user.
  #inUse(table) {
    return table.body.contains(document.activeElement)
      || (getSelection().type === 'Range' && getSelection().containsNode(table.body, true));
  }
}
