/**
 * What is known of all nodes, and each change of it. The stream gives states, not steps: all nodes
 * at first, then each that has changed, as it is now; a cursor brings what changed meanwhile.
 */
import { apiUrl } from './api.js';
import { Stream } from './stream.js';

// As the list of messages does: a hidden tab gives its connection back.
const HIDDEN_GRACE_MS = 15000;

export class NodeFeed {
  /**
   * @param {object} hooks
   * @param {(node: any, before: any) => void} hooks.onNode one has changed; `before` is undefined
   *   for a new one
   * @param {() => void} hooks.onAll all are known now, or some are gone
   * @param {(state: import('./feed.js').FeedState) => void} hooks.onState
   */
  constructor(hooks) {
    this.hooks = hooks;
    /** @type {Map<string, any>} by level */
    this.nodes = new Map();
    this.complete = false;
    this.fresh = null;
    this.aheadMs = 0;
    this.active = false;
    this.stream = new Stream({
      url: (after) => apiUrl('nodes/stream', { after }),
      on: {
        message: (node) => this.#onNode(node),
        reset: () => { this.fresh = new Set(); },
        live: ({ now }) => this.#onLive(now),
      },
      onState: (state) => this.#onStream(state),
    });
    document.addEventListener('visibilitychange', () => this.#onVisibility());
    addEventListener('online', () => this.stream.reopen());
  }

  open() {
    if (this.active) return;
    this.active = true;
    this.stream.start(this.stream.cursor);
  }

  close() {
    if (!this.active) return;
    this.active = false;
    clearTimeout(this.hiddenTimer);
    this.stream.stop();
  }

  /** The receiver answers again after it did not. */
  reopen() {
    if (this.active) this.stream.reopen();
  }

  /** Now by the receiver's clock, which the times of nodes are of. */
  now() {
    return Date.now() + this.aheadMs;
  }

  #onNode(node) {
    const before = this.nodes.get(node.level);
    this.nodes.set(node.level, node);
    this.fresh?.add(node.level);
    this.hooks.onNode(node, before);
  }

  // All that there is has been sent: what has not come since the reset is gone.
  #onLive(now) {
    this.aheadMs = Date.parse(now) - Date.now();
    const { fresh } = this;
    if (fresh) {
      for (const level of [...this.nodes.keys()]) if (!fresh.has(level)) this.nodes.delete(level);
      this.fresh = null;
    }
    if (fresh || !this.complete) {
      this.complete = true;
      this.hooks.onAll();
    }
  }

  #onStream(state) {
    if (state.name === 'open') this.hooks.onState({ name: 'live' });
    else if (state.name === 'connecting') this.hooks.onState({ name: 'loading' });
    else if (state.name === 'waiting') {
      const reason = state.refused ? 'the receiver refused the stream' : 'the connection was lost';
      this.hooks.onState({ ...state, reason });
    }
  }

  #onVisibility() {
    clearTimeout(this.hiddenTimer);
    if (!this.active) return;
    if (document.hidden) {
      this.hiddenTimer = setTimeout(() => {
        this.asleep = true;
        this.stream.stop();
        this.hooks.onState({ name: 'asleep' });
      }, HIDDEN_GRACE_MS);
    } else if (this.asleep) {
      this.asleep = false;
      this.stream.start(this.stream.cursor);
    }
  }
}
