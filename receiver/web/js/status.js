/** The state of the whole way, broker to page, in one chip with its reason. */
import { announce } from './announce.js';
import { byId, el, setText } from './dom.js';
import { formatDuration } from './time.js';
import { formatBytes } from './units.js';

const count = new Intl.NumberFormat('en');
const JOURNAL_TEXT = {
  opening: 'journal opening',
  full: 'journal full',
  readonly: 'journal read-only',
  failed: 'journal failed',
  damaged: 'journal damaged',
};

const secondsUntil = (ms, now) => Math.max(0, Math.ceil((ms - now) / 1000));

// A browser does not tell a page why its stream was refused; the statistics may.
function refusalReason(stats) {
  const { live, replaying, max } = stats.clients;
  return live + replaying >= max ? `all ${count.format(max)} places for viewers are taken` : null;
}

function describeFeed(feed, stats, now) {
  switch (feed?.name) {
    case 'waiting': {
      const text = `reconnecting in ${secondsUntil(feed.untilMs, now)} s`;
      const refusal = feed.refused && stats ? refusalReason(stats) : null;
      return { tone: 'bad', text, reason: refusal ?? feed.reason };
    }
    case 'refused':
      return { tone: 'bad', text: 'filter refused', reason: feed.reason };
    case 'asleep':
      return { tone: 'idle', text: 'asleep', reason: 'a hidden tab gives its connection back' };
    case 'loading':
      return { tone: 'idle', text: 'connecting', reason: 'reading the newest messages' };
    default:
      return null;
  }
}

function describeReceiver(stats, nextAttemptMs) {
  if (!stats) return null;
  const { journal, broker } = stats;
  if (journal.state !== 'ok') {
    const text = JOURNAL_TEXT[journal.state] ?? `journal ${journal.state}`;
    return { tone: journal.state === 'opening' ? 'warn' : 'bad', text, reason: journal.reason };
  }
  if (broker.state === 'waiting') {
    const next = nextAttemptMs === null ? '' : `, next try in ${nextAttemptMs} s`;
    return { tone: 'warn', text: 'broker away', reason: `${broker.reason ?? ''}${next}` };
  }
  if (broker.state === 'connecting') {
    return { tone: 'warn', text: 'broker connecting', reason: broker.reason };
  }
  return null;
}

/**
 * The worst thing first: without a receiver, the broker's state is hearsay.
 * @param {object} now
 * @param {import('./feed.js').FeedState | null} now.feed null where the view has no stream
 * @param {any} now.stats
 * @param {number} now.statsAtMs when they were read
 * @param {import('./api.js').ApiError | null} now.error of the last attempt to read them
 * @param {number} nowMs
 * @returns {{tone: 'ok' | 'idle' | 'warn' | 'bad', text: string, reason: string | null}}
 */
export function describe({ feed, stats, statsAtMs, error }, nowMs) {
  const ofFeed = describeFeed(feed, stats, nowMs);
  if (ofFeed?.tone === 'bad') return ofFeed;
  if (error) return { tone: 'bad', text: 'receiver away', reason: error.message };
  const next = stats?.broker.next_attempt_ms ?? null;
  const ofReceiver = describeReceiver(
    stats, next === null ? null : secondsUntil(statsAtMs + next, nowMs));
  if (ofReceiver) return ofReceiver;
  if (feed?.name === 'replaying') {
    const text = `replaying ${count.format(feed.done)} of ${count.format(feed.total)}`;
    return { tone: 'warn', text, reason: 'catching up with the journal' };
  }
  if (ofFeed) return ofFeed;
  if (!stats) return { tone: 'idle', text: 'connecting', reason: null };
  return { tone: 'ok', text: 'live', reason: null };
}

function facts(stats) {
  const { journal, broker, clients } = stats;
  const because = (state, reason) => (reason ? `${state}: ${reason}` : state);
  return [
    ['Broker', because(broker.state, broker.reason)],
    ['Broker address', broker.url],
    ['Journal', because(journal.state, journal.reason)],
    ['Stored', `${count.format(journal.events)} in ${formatBytes(journal.size_bytes)}`],
    ['Kept', `${formatDuration(journal.retention_age_seconds * 1000)} or `
      + formatBytes(journal.retention_size_bytes)],
    ['First, last', journal.first ? `${journal.first}, ${journal.last}` : 'none yet'],
    ['Viewers', `${count.format(clients.live + clients.replaying)} of `
      + `${count.format(clients.max)}, ${count.format(clients.replaying)} catching up`],
    ['Receiver', `${stats.instance}, version ${stats.version}`],
    ['Up for', formatDuration(stats.uptime_seconds * 1000)],
  ];
}

export class Status {
  constructor() {
    this.now = { feed: null, stats: null, statsAtMs: 0, error: null };
    this.said = '';
    this.chip = byId('status');
    byId('status-more').addEventListener('beforetoggle', () => this.#showFacts());
    // The countdowns go on between two events.
    setInterval(() => this.show(), 500);
  }

  /** @param {Partial<typeof this.now>} change */
  update(change) {
    Object.assign(this.now, change);
    this.show();
    if (byId('status-more').matches(':popover-open')) this.#showFacts();
  }

  show() {
    const { tone, text, reason } = describe(this.now, Date.now());
    this.chip.dataset.tone = tone;
    setText(byId('status-text'), text);
    this.chip.title = reason ?? '';
    setText(byId('status-reason'), reason ? `${text}: ${reason}` : text);
    this.#say(tone, text);
  }

  // Countdowns and progress are not said: their first words are, once.
  #say(tone, text) {
    const words = text.replace(/[\d,.]+/g, '');
    if (words === this.said || tone === 'idle') return;
    if (this.said !== '') announce(`Connection: ${text}`);
    this.said = words;
  }

  #showFacts() {
    const { stats } = this.now;
    byId('status-facts').replaceChildren(...(stats ? facts(stats) : []).flatMap(
      ([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
  }
}
