/** The strip of figures above the list. */
import { byId, setText } from './dom.js';

const count = new Intl.NumberFormat('en');
const RATE_STEPS = 5;

/**
 * Messages a second over the last complete steps.
 * @param {{step_seconds: number, counts: number[]}} rate
 */
export function rateNow({ step_seconds: step, counts }) {
  const last = counts.slice(-RATE_STEPS);
  if (last.length === 0) return 0;
  return last.reduce((sum, n) => sum + n, 0) / (last.length * step);
}

function show(name, text, bad = false) {
  const figure = byId(`figure-${name}`);
  setText(figure, text);
  figure.classList.toggle('bad', bad);
}

/** @param {any} stats */
export function showFigures(stats) {
  const { journal, totals, clients, rate } = stats;
  const now = rateNow(rate);
  show('rate', `${now < 10 ? now.toFixed(1) : count.format(Math.round(now))}/s`);
  show('stored', count.format(journal.events));
  show('missing', count.format(totals.missing), totals.missing > 0);
  show('duplicates', count.format(totals.duplicates));
  show('quarantined', count.format(totals.quarantined), totals.quarantined > 0);
  show('viewers', count.format(clients.live + clients.replaying));
  const open = byId('incidents-open');
  setText(open, totals.incidents_open > 0 ? count.format(totals.incidents_open) : '');
  open.hidden = totals.incidents_open === 0;
}
