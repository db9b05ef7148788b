/** The view of nodes: a card for each, what needs a look, and a search among them. */
import { announce } from './announce.js';
import { byId, el, icon, setText } from './dom.js';
import { ageText, createNodeCard } from './node_card.js';
import { NodeFeed } from './node_feed.js';
import { PRESENCE, describeChange, isSilent, matchesWords, needsAttention } from './node_state.js';
import { patch } from './patch.js';

const PAGE = 100;
const ANNOUNCE_MS = 3000;
const count = new Intl.NumberFormat('en');

export class Nodes {
  /**
   * @param {import('./route.js').Route} route whose `q` is the search
   * @param {(state: import('./feed.js').FeedState) => void} onState of the stream
   */
  constructor(route, onState) {
    this.route = route;
    this.shown = false;
    this.limit = PAGE;
    this.attention = false;
    this.news = [];
    this.changed = new Set();
    /** @type {Map<string, HTMLElement>} */
    this.cards = new Map();
    this.feed = new NodeFeed({
      onNode: (node, before) => this.#onNode(node, before),
      onAll: () => this.#schedule(),
      onState,
    });
    this.list = byId('nodes-list');
    byId('nodes-search').addEventListener('input', ({ target }) => {
      route.go({ filter: { q: target.value } }, { replace: true });
    });
    byId('nodes-attention').addEventListener('click', () => {
      this.attention = !this.attention;
      this.#schedule();
    });
    byId('nodes-more').addEventListener('click', () => {
      this.limit += PAGE;
      this.#schedule();
    });
    setInterval(() => this.#tick(), 1000);
  }

  /** @param {boolean} shown */
  show(shown) {
    this.shown = shown;
    byId('nodes').hidden = !shown;
    if (!shown) {
      this.feed.close();
      return;
    }
    const search = byId('nodes-search');
    if (search.value !== this.route.filter.q) search.value = this.route.filter.q;
    this.feed.open();
    this.#schedule();
  }

  /** The receiver answers again after it did not. */
  reopen() {
    this.feed.reopen();
  }

  focusSearch() {
    byId('nodes-search').focus();
  }

  /** Times are to be shown in another way. */
  refresh() {
    for (const level of this.cards.keys()) this.changed.add(level);
    if (this.shown) this.#schedule();
  }

  #onNode(node, before) {
    this.changed.add(node.level);
    const news = before && this.feed.complete ? describeChange(before, node) : null;
    if (news) this.#tell(news);
    this.#schedule();
  }

  // Together, for a broker that is away takes many nodes with it at once.
  #tell(text) {
    this.news.push(text);
    this.newsTimer ||= setTimeout(() => {
      const { news } = this;
      announce(news.length === 1 ? news[0] : `${news.length} changes of nodes, the last ${news.at(-1)}`);
      this.news = [];
      this.newsTimer = 0;
    }, ANNOUNCE_MS);
  }

  #schedule() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.shown) this.#draw();
    });
  }

  #draw() {
    const now = this.feed.now();
    const all = [...this.feed.nodes.values()].sort((a, b) => (a.level < b.level ? -1 : 1));
    const bad = all.filter((node) => needsAttention(node, now));
    const words = this.route.filter.q.trim().toLowerCase();
    const found = (this.attention ? bad : all).filter((node) => matchesWords(node, words));
    this.#drawSummary(all, bad.length, now);
    this.#drawCards(found.slice(0, this.limit), now);
    const rest = found.length - this.limit;
    byId('nodes-more').hidden = rest <= 0;
    setText(byId('nodes-more'), `Show more (${count.format(Math.max(rest, 0))})`);
    byId('nodes-empty').hidden = found.length > 0;
    setText(byId('nodes-empty'), this.#emptyText(all.length));
  }

  #emptyText(total) {
    if (!this.feed.complete) return 'Reading the nodes …';
    if (total === 0) return 'No node has reported yet. A manager does so as soon as it is connected.';
    return this.attention && this.route.filter.q === ''
      ? 'No node needs attention.' : 'No node matches.';
  }

  #drawSummary(all, bad, now) {
    const parts = Object.entries(PRESENCE).map(([state, { text, icon: symbol, tone }]) => {
      const n = all.filter((node) => node.state === state).length;
      return el('li', { 'data-tone': n > 0 ? tone : 'idle' }, icon(symbol), `${count.format(n)} ${text}`);
    });
    const silent = all.filter((node) => isSilent(node, now)).length;
    if (silent > 0) parts.push(el('li', { 'data-tone': 'warn' }, `${count.format(silent)} silent`));
    patch(byId('nodes-summary'), el('ul', { id: 'nodes-summary', class: 'nodes-summary' },
      el('li', {}, all.length === 1 ? '1 node' : `${count.format(all.length)} nodes`), ...parts));
    byId('nodes-attention').setAttribute('aria-pressed', String(this.attention));
    setText(byId('nodes-attention'), `Needs attention (${count.format(bad)})`);
  }

  // Cards stay where they are: only what changed is built, and only what moved is moved.
  #drawCards(nodes, now) {
    const wanted = new Set(nodes.map((node) => node.level));
    for (const [level, card] of this.cards) {
      if (wanted.has(level)) continue;
      card.remove();
      this.cards.delete(level);
    }
    let place = this.list.firstElementChild;
    for (const node of nodes) {
      let card = this.cards.get(node.level);
      if (!card) {
        card = createNodeCard(node, now);
        this.cards.set(node.level, card);
      } else if (this.changed.has(node.level)) {
        patch(card, createNodeCard(node, now));
      }
      if (card === place) place = place.nextElementSibling;
      else this.list.insertBefore(card, place);
    }
    this.changed.clear();
  }

  // Time passes for those too of which nothing is heard.
  #tick() {
    if (!this.shown || document.hidden) return;
    const now = this.feed.now();
    for (const [level, card] of this.cards) {
      const node = this.feed.nodes.get(level);
      const age = card.querySelector('.node-age');
      const silent = String(isSilent(node, now));
      setText(age, ageText(node, now));
      if (age.dataset.silent !== silent || node.progress.length > 0) {
        this.changed.add(level);
        this.#schedule();
      }
    }
  }
}
