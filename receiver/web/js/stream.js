/**
 * One server-sent event stream that does not end: it goes on from the last cursor after each loss.
 *
 * A browser tries again by itself after a lost connection but never after an answer other than 200,
 * and tells neither the reason nor the delay. So each loss is handled here, in one way: close, wait
 * with jitter, open again after the cursor last seen.
 */

const FIRST_DELAY_MS = 1000;
const MAX_DELAY_MS = 30000;
const MIN_DELAY_MS = 300;

/**
 * @typedef {{name: 'closed'} | {name: 'connecting'} | {name: 'open'} |
 *   {name: 'waiting', untilMs: number, refused: boolean}} StreamState
 */

export class Stream {
  /**
   * @param {object} hooks
   * @param {(cursor: string) => URL} hooks.url
   * @param {Record<string, (data: any) => void>} hooks.on by the event's name; 'message' is that of
   *   an event that bears none
   * @param {(state: StreamState) => void} hooks.onState
   */
  constructor(hooks) {
    this.hooks = hooks;
    this.cursor = '';
    this.source = null;
    this.timer = 0;
    this.failures = 0;
  }

  /** @param {string} cursor the stream starts after it */
  start(cursor) {
    this.stop();
    this.cursor = cursor;
    this.failures = 0;
    this.#open();
  }

  stop() {
    this.#close();
    this.hooks.onState({ name: 'closed' });
  }

  /** Opens anew from the last cursor at once: after sleep, or when a connection seems dead. */
  reopen() {
    if (!this.source && !this.timer) return;
    this.#close();
    this.#open();
  }

  #close() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.source?.close();
    this.source = null;
  }

  #open() {
    this.timer = 0;
    const source = new EventSource(this.hooks.url(this.cursor));
    this.source = source;
    this.hooks.onState({ name: 'connecting' });
    source.onopen = () => {
      this.failures = 0;
      this.hooks.onState({ name: 'open' });
    };
    for (const [name, take] of Object.entries(this.hooks.on)) {
      source.addEventListener(name, (message) => {
        this.cursor = message.lastEventId;
        take(JSON.parse(message.data));
      });
    }
    source.onerror = () => this.#retry(source.readyState === EventSource.CLOSED);
  }

  #retry(refused) {
    this.#close();
    const ceiling = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.failures);
    const delay = MIN_DELAY_MS + Math.random() * ceiling;
    this.failures += 1;
    this.timer = setTimeout(() => this.#open(), delay);
    this.hooks.onState({ name: 'waiting', untilMs: Date.now() + delay, refused });
  }
}
