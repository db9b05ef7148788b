/** Which charts a view has, and how its data becomes points. */
import { ApiError, getJson } from './api.js';
import { Chart, clockOf } from './chart.js';
import { byId } from './dom.js';
import { criticalityLevel } from './entry.js';
import { formatCost } from './row.js';
import { formatDuration } from './time.js';

const ROWS_EVERY_MS = 1000;
const READINGS_EVERY_MS = 5000;
const READINGS_MAX = 1000;
const BINS = 24;
const FAR_MEDIANS = 10;

const SPECS = {
  rate: {
    // At a few messages a minute single steps of 2 s would be a comb of zeros and ones.
    title: 'Messages per second', shape: 'area', timed: true, roll: 5,
    readout: (x, y) => `${clockOf(x)}: ${y.toFixed(1)}/s`,
  },
  intervals: {
    title: 'Intervals, seconds', shape: 'bars', timed: false, counts: true,
    readout: (x, y) => `about ${formatDuration(x * 1000)}: ${y}`,
  },
  criticality: {
    title: 'Criticality', shape: 'dots', timed: true,
    colorOf: (y) => `--level-${criticalityLevel(y)}`,
    readout: (x, y) => `${clockOf(x)}: ${y} ${criticalityLevel(y)}`,
  },
  energy: {
    title: 'Energy, kWh', shape: 'bars', timed: true,
    readout: (x, y) => `${clockOf(x)}: ${y.toFixed(2)} kWh`,
  },
  cost: {
    title: 'Cost', shape: 'bars', timed: true,
    readout: (x, y) => `${clockOf(x)}: ${y.toFixed(2)}`,
  },
};

const CHARTS_OF_VIEW = {
  messages: ['rate', 'intervals'],
  events: ['criticality', 'intervals'],
  sessions: ['energy', 'cost'],
};

/**
 * From the first event that the journal has of these minutes, or from the receiver's start where
 * that was earlier: a new installation does not begin with ten minutes of nothing.
 * @param {{started: string, rate: {step_seconds: number, until: string, counts: number[]}}} stats
 * @returns {[number, number][]}
 */
export function ratePoints({ started, rate }) {
  const { step_seconds: step, until, counts } = rate;
  const end = Date.parse(until);
  const start = Date.parse(started) - step * 1000;
  const points = counts.map((n, i) => [end - (counts.length - i) * step * 1000, n / step]);
  return points.slice(points.findIndex(([x, y]) => x >= start || y > 0));
}

/**
 * A histogram. One interval of a day (a machine was off) would push all others into the first bar:
 * what is both beyond the 99th percentile and far from the median is left out.
 * @param {number[]} values ms
 * @returns {[number, number][]} the middle of each bin in seconds, and the number in it
 */
export function histogram(values) {
  if (values.length === 0) return [];
  const sorted = values.toSorted((a, b) => a - b);
  const quantile = (share) => sorted[Math.floor((sorted.length - 1) * share)];
  const near = Math.min(quantile(1), FAR_MEDIANS * quantile(0.5));
  const end = Math.max(1, quantile(0.99), near) / 1000;
  const width = end / BINS;
  const bins = new Array(BINS).fill(0);
  for (const ms of values) {
    if (ms / 1000 <= end) bins[Math.min(Math.floor(ms / 1000 / width), BINS - 1)] += 1;
  }
  return bins.map((n, i) => [(i + 0.5) * width, n]);
}

const byTime = (a, b) => a[0] - b[0];

export class Charts {
  /** @param {import('./feed.js').Feed} feed */
  constructor(feed) {
    this.feed = feed;
    this.charts = {};
    this.view = '';
    this.timer = 0;
  }

  /**
   * Shows a view's charts; '' for none.
   * @param {string} view
   */
  show(view) {
    if (view === this.view) return;
    this.view = view;
    clearTimeout(this.timer);
    this.timer = 0;
    for (const chart of Object.values(this.charts)) chart.free();
    this.charts = {};
    for (const name of CHARTS_OF_VIEW[view] ?? []) {
      this.charts[name] = new Chart(SPECS[name]);
      byId('charts').append(this.charts[name].node);
    }
    if (this.stats) this.setStats(this.stats);
    this.onRows();
  }

  /** @param {any} stats */
  setStats(stats) {
    this.stats = stats;
    const points = ratePoints(stats);
    const peak = points.reduce((max, [, y]) => Math.max(max, y), 0);
    this.charts.rate?.draw(points, `peak ${peak.toFixed(1)}/s in 10 min`);
  }

  /** The rows have changed: draws them soon, not each time. */
  onRows() {
    if (this.timer || this.view === '') return;
    const every = this.view === 'sessions' ? READINGS_EVERY_MS : ROWS_EVERY_MS;
    const since = performance.now() - (this.drawnAt ?? -Infinity);
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.drawnAt = performance.now();
      if (this.view === 'sessions') this.#drawReadings();
      else this.#drawRows();
    }, Math.max(100, every - since));
  }

  restyle() {
    for (const chart of Object.values(this.charts)) chart.restyle();
  }

  #drawRows() {
    const { rows } = this.feed.backlog;
    const intervals = rows.filter((row) => (row.intervalMs ?? null) !== null)
      .map((row) => row.intervalMs);
    const mean = intervals.reduce((sum, ms) => sum + ms, 0) / intervals.length;
    const longest = intervals.reduce((max, ms) => Math.max(max, ms), 0);
    const summary = intervals.length > 0
      ? `mean ${formatDuration(mean)}, longest ${formatDuration(longest)}` : '';
    this.charts.intervals?.draw(histogram(intervals), summary);
    const events = rows.filter((row) => (row.criticality ?? null) !== null);
    const points = events.map((row) => [Date.parse(row.time), row.criticality]);
    this.charts.criticality?.draw(points.sort(byTime), `${events.length} events`);
  }

  async #drawReadings() {
    const { source, since, until } = this.feed.query;
    let readings;
    try {
      ({ readings } = await getJson('readings', {
        source: source ?? '', since: since ?? '', until: until ?? '', limit: READINGS_MAX,
      }));
    } catch (error) {
      if (error instanceof ApiError) return;
      throw error;
    }
    const pointsOf = (value) => readings
      .map((each) => [Date.parse(each.time), value(each)]).sort(byTime);
    const sumOf = (value) => readings.reduce((sum, each) => sum + value(each), 0);
    const energy = (each) => each.energy_delivered_in_kwh;
    const cost = (each) => each.session_cost_in_cents;
    const of = `in ${readings.length} sessions`;
    this.charts.energy?.draw(pointsOf(energy), `${sumOf(energy).toFixed(1)} kWh ${of}`);
    this.charts.cost?.draw(pointsOf((each) => cost(each) / 100), `${formatCost(sumOf(cost))} ${of}`);
  }
}
