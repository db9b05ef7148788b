/**
 * What the list keeps of an event: enough for its row and the charts, bounded whatever the message
 * was. The whole event is read again from the journal when a row is opened.
 */

const TEXT_MAX = 400;
const KINDS = {
  'bellbuoy.hello.v1': 'hello',
  'bellbuoy.event.v1': 'event',
  'bellbuoy.session.v1': 'session',
  'bellbuoy.raw.v1': 'raw',
};

// A source says its colour in its hellos; its other messages then bear it as well.
const sourceColors = new Map();
const SOURCE_COLORS_MAX = 20000;

/**
 * @typedef {object} Entry
 * @property {string} key its cursor, or a name of its own for a notice
 * @property {'event' | 'notice'} kind
 * @property {string} type short, or the full CloudEvents type of an unknown one
 * @property {string} source full, such as /machines/press-7
 * @property {string} name short, such as press-7
 * @property {string} time
 * @property {number | null} intervalMs
 * @property {boolean} late
 * @property {boolean} undeduped
 * @property {string} color
 * @property {string} text
 * @property {number | null} criticality
 * @property {{energyKwh: number, durationS: number, costCents: number} | null} session
 */

const isColor = (value) => typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value);
const numberOr = (value, other) => (typeof value === 'number' ? value : other);

/**
 * @param {string} source
 * @param {unknown} color
 */
export function learnColor(source, color) {
  if (isColor(color) && (sourceColors.has(source) || sourceColors.size < SOURCE_COLORS_MAX)) {
    sourceColors.set(source, color);
  }
}

/**
 * The colour of a source: the one it named, else one that its name always gives.
 * @param {string} source
 */
export function sourceColor(source) {
  const known = sourceColors.get(source);
  if (known) return known;
  let hash = 0;
  for (const char of source) hash = (hash * 31 + char.codePointAt(0)) >>> 0;
  // The golden angle spreads names that differ in their last letter only.
  return `hsl(${Math.round(hash * 137.508) % 360} 55% 55%)`;
}

/**
 * The name that stands for the source on the page and in a filter. With a '/' or ':' in it the API
 * would take a short name for a full one.
 * @param {string} source
 */
export const shortSource = (source) => source.replace(/^\/machines\/(?=[^/:]+$)/, '');

/** @param {string} type */
export const shortType = (type) => KINDS[type] ?? type;

/**
 * The criticality as a word beside its number, so that colour is never alone in saying it.
 * @param {number} criticality
 */
export function criticalityLevel(criticality) {
  if (criticality >= 9) return 'critical';
  if (criticality >= 7) return 'high';
  return criticality >= 4 ? 'medium' : 'low';
}

function readSession(data) {
  return {
    energyKwh: numberOr(data.energy_delivered_in_kwh, 0),
    durationS: numberOr(data.duration_in_seconds, 0),
    costCents: numberOr(data.session_cost_in_cents, 0),
  };
}

function textOf(type, data) {
  let text;
  if (type === 'hello') text = data?.text;
  else if (type === 'event') text = data?.eventMessage;
  else if (type === 'session') text = data?.session_id;
  if (typeof text !== 'string') text = JSON.stringify(data) ?? '';
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)} …` : text;
}

/**
 * @param {any} event as the API gives it
 * @returns {Entry}
 */
export function makeEntry(event) {
  const type = shortType(event.type);
  const data = event.data;
  const isObject = typeof data === 'object' && data !== null;
  if (isObject) learnColor(event.source, data.color);
  return {
    key: event.cursor,
    kind: 'event',
    type,
    source: event.source,
    name: shortSource(event.source),
    time: event.time ?? event.recordedtime,
    intervalMs: event.intervalms ?? null,
    late: event.late === true,
    undeduped: event.dedupe === 'none',
    color: isObject && isColor(data.color) ? data.color : '',
    text: textOf(type, data),
    criticality: isObject && typeof data.criticality === 'number' ? data.criticality : null,
    session: type === 'session' && isObject ? readSession(data) : null,
  };
}

const GAP_REASONS = {
  retention: 'older than what the journal keeps',
  epoch: 'the journal was replaced by a new one',
  ahead: 'this page had seen more than the journal has now',
};

let gaps = 0;

/**
 * @param {{from: string, to: string, reason: string}} gap
 * @returns {Entry}
 */
export function makeGapEntry(gap) {
  gaps += 1;
  const why = GAP_REASONS[gap.reason] ?? gap.reason;
  return {
    key: `gap-${gaps}`,
    kind: 'notice',
    text: `Gap: ${gap.from} to ${gap.to} cannot be shown, ${why}`,
  };
}
