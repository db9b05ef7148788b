/**
 * One view's messages: the newest page, then the stream from that page's cursor, and older pages
 * when asked. Backfill and stream meet in one cursor, so nothing is missing or twice.
 */
import { apiUrl, ApiError, getJson } from './api.js';
import { Backlog } from './backlog.js';
import { cursorDistance, parseCursor } from './cursor.js';
import { makeEntry, makeGapEntry } from './entry.js';
import { Stream } from './stream.js';

export const CAPACITY = 5000;
const PAGE = 200;
const RETRY_MS = 3000;
// A tab that is hidden for longer than this gives its connection back: over HTTP/1.1 a browser has
// six of them for all tabs of a site, and six hidden tabs would leave none for the seventh.
const HIDDEN_GRACE_MS = 15000;
// Further behind than this, the newest page is read afresh; the rest is a scroll away.
const REPLAY_MAX = 50000;
const REPLAY_SHOWN_FROM = 100;

/**
 * @typedef {{name: 'loading'} | {name: 'live'} | {name: 'asleep'} |
 *   {name: 'replaying', done: number, total: number} |
 *   {name: 'waiting', untilMs: number, reason: string, refused?: boolean} |
 *   {name: 'refused', reason: string}} FeedState
 */

export class Feed {
  /**
   * @param {object} hooks
   * @param {(entry?: import('./entry.js').Entry) => void} hooks.onRows the backlog has changed:
   *   by one new entry, or as a whole; called often
   * @param {(state: FeedState) => void} hooks.onState
   */
  constructor(hooks) {
    this.hooks = hooks;
    this.backlog = new Backlog(CAPACITY);
    this.query = {};
    this.state = { name: 'loading' };
    this.abort = new AbortController();
    this.loadingOlder = false;
    this.journalLast = '';
    this.replay = null;
    this.stream = new Stream({
      url: (after) => apiUrl('stream', { ...this.query, after }),
      on: {
        message: (event) => this.#onEvent(event),
        gap: (gap) => this.#push(makeGapEntry(gap)),
      },
      onState: (state) => this.#onStream(state),
    });
    document.addEventListener('visibilitychange', () => this.#onVisibility());
    addEventListener('online', () => this.stream.reopen());
  }

  /**
   * Starts anew with another query.
   * @param {Record<string, string>} query
   */
  async open(query) {
    this.close();
    this.query = query;
    this.abort = new AbortController();
    await this.#load(this.abort.signal);
  }

  /** Reads the newest page again, under the same query. */
  reload() {
    return this.open(this.query);
  }

  close() {
    this.abort.abort();
    clearTimeout(this.retryTimer);
    this.stream.stop();
    this.stream.cursor = '';
    this.loadingOlder = false;
    this.replay = null;
    this.backlog.reset([], false);
    this.hooks.onRows();
  }

  /** A page with rows, or the last one: a long search ends its pages early, some without a row. */
  async #readPage(query, signal) {
    const first = await getJson('events', query, signal);
    let page = first;
    while (page.events.length === 0 && page.next !== null) {
      const { searchParams } = new URL(page.next, document.baseURI);
      page = await getJson('events', Object.fromEntries(searchParams), signal);
    }
    return { ...page, cursor: first.cursor };
  }

  async #load(signal) {
    this.#setState({ name: 'loading' });
    try {
      const page = await this.#readPage({ ...this.query, limit: PAGE }, signal);
      this.backlog.reset(page.events.map(makeEntry).reverse(), page.next !== null);
      this.hooks.onRows();
      this.#startStream(page.cursor);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
      this.#onLoadError(error, signal);
    }
  }

  #onLoadError(error, signal) {
    if (!error.transient) {
      this.#setState({ name: 'refused', reason: error.message });
      return;
    }
    const delay = RETRY_MS * (0.5 + Math.random());
    this.retryTimer = setTimeout(() => this.#load(signal), delay);
    this.#setState({ name: 'waiting', untilMs: Date.now() + delay, reason: error.message });
  }

  #startStream(cursor) {
    this.stream.cursor = cursor;
    if (document.hidden) this.#setState({ name: 'asleep' });
    else this.stream.start(cursor);
  }

  /** Older rows, when the user comes near the end of the list. */
  async loadOlder() {
    const oldest = this.backlog.rows.find((entry) => entry.kind === 'event');
    if (this.loadingOlder || !this.backlog.more || !oldest) return;
    // Rows of a journal that was replaced have no older ones any more.
    if (parseCursor(this.stream.cursor).epoch !== parseCursor(oldest.key).epoch) {
      this.backlog.more = false;
      return;
    }
    const { signal } = this.abort;
    this.loadingOlder = true;
    try {
      const query = { ...this.query, before: oldest.key, limit: PAGE };
      const page = await this.#readPage(query, signal);
      this.backlog.addOlder(page.events.map(makeEntry).reverse(), page.next !== null);
      this.hooks.onRows();
    } catch (error) {
      // The next scroll tries again; the connection's own state says what is wrong.
      if (!(error instanceof ApiError) && !signal.aborted) throw error;
    } finally {
      if (!signal.aborted) this.loadingOlder = false;
    }
  }

  /**
   * The journal's last cursor by the statistics: how far a replay has to go, and whether a stream
   * that says nothing is dead.
   * @param {string | null} last null while the journal is not open
   * @param {boolean} recovered the receiver answers again after it did not
   */
  setJournalLast(last, recovered) {
    this.journalLast = last ?? '';
    if (recovered && this.state.name !== 'refused') this.stream.reopen();
  }

  #onEvent(event) {
    if (this.replay) this.#advanceReplay();
    this.#push(makeEntry(event));
  }

  #push(entry) {
    this.backlog.push(entry);
    this.hooks.onRows(entry);
  }

  #onStream(state) {
    if (state.name === 'open') {
      this.#beginReplay();
    } else if (state.name === 'waiting') {
      const reason = state.refused ? 'the receiver refused the stream' : 'the connection was lost';
      this.replay = null;
      this.#setState({ ...state, reason });
    } else if (state.name === 'connecting' && this.state.name !== 'waiting') {
      this.#setState({ name: 'loading' });
    }
  }

  #beginReplay() {
    const total = cursorDistance(this.stream.cursor, this.journalLast);
    if (total < REPLAY_SHOWN_FROM) {
      this.#setState({ name: 'live' });
      return;
    }
    this.replay = { from: this.stream.cursor, total };
    this.#setState({ name: 'replaying', done: 0, total });
    // A filter may have no match to the end; the end is then known only by silence.
    this.#endReplayWhenSilent();
  }

  #endReplayWhenSilent() {
    const { replay } = this;
    const seen = this.stream.cursor;
    setTimeout(() => {
      if (this.replay !== replay) return;
      if (this.stream.cursor === seen) this.#endReplay();
      else this.#endReplayWhenSilent();
    }, 1000);
  }

  #advanceReplay() {
    const { from, total } = this.replay;
    const done = cursorDistance(from, this.stream.cursor);
    if (done >= total) this.#endReplay();
    else this.#setState({ name: 'replaying', done, total });
  }

  #endReplay() {
    this.replay = null;
    this.#setState({ name: 'live' });
  }

  #setState(state) {
    this.state = state;
    this.hooks.onState(state);
  }

  #onVisibility() {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) {
      this.hiddenTimer = setTimeout(() => this.#sleep(), HIDDEN_GRACE_MS);
    } else if (this.state.name === 'asleep') {
      this.#wake();
    }
  }

  #sleep() {
    if (this.state.name === 'refused') return;
    this.stream.stop();
    this.replay = null;
    this.#setState({ name: 'asleep' });
  }

  async #wake() {
    const { signal } = this.abort;
    this.#setState({ name: 'loading' });
    try {
      this.journalLast = (await getJson('stats', {}, signal)).journal.last ?? '';
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ApiError)) throw error;
    }
    const { cursor } = this.stream;
    if (!cursor || cursorDistance(cursor, this.journalLast) > REPLAY_MAX) this.reload();
    else this.stream.start(cursor);
  }
}
