/**
 * Which view is shown under which filter: kept in the page's address, so that a link shares it and
 * the back button works.
 */

/** The parameters of the API's query grammar that a user can set. */
export const FILTER_NAMES = ['type', 'source', 'criticality_gt', 'q', 'since', 'until'];

/**
 * The views in the order of the navigation. A view with `feed` shows the live list; `fixed` is the
 * part of its filter that the user does not choose.
 * @type {{name: string, title: string, key: string, feed: boolean, fixed: Record<string, string>}[]}
 */
export const VIEWS = [
  { name: 'messages', title: 'Messages', key: 'm', feed: true, fixed: {} },
  { name: 'events', title: 'Events', key: 'e', feed: true, fixed: { type: 'event' } },
  { name: 'sessions', title: 'Sessions', key: 's', feed: true, fixed: { type: 'session' } },
  { name: 'nodes', title: 'Nodes', key: 'n', feed: false, fixed: {} },
  { name: 'sources', title: 'Sources', key: 'o', feed: false, fixed: {} },
  { name: 'incidents', title: 'Incidents', key: 'i', feed: false, fixed: {} },
];

const emptyFilter = () => Object.fromEntries(FILTER_NAMES.map((name) => [name, '']));

function parse(search) {
  const params = new URLSearchParams(search);
  const view = VIEWS.find((each) => each.name === params.get('view')) ?? VIEWS[0];
  const filter = emptyFilter();
  for (const name of FILTER_NAMES) filter[name] = params.get(name) ?? '';
  return { view, filter };
}

function format({ view, filter }) {
  const params = new URLSearchParams();
  if (view !== VIEWS[0]) params.set('view', view.name);
  for (const name of FILTER_NAMES) if (filter[name] !== '') params.set(name, filter[name]);
  const search = params.toString();
  return search === '' ? location.pathname : `?${search}`;
}

export class Route {
  /** @param {(route: Route) => void} onChange called after each change, back and forward included */
  constructor(onChange) {
    this.onChange = onChange;
    Object.assign(this, parse(location.search));
    addEventListener('popstate', () => {
      Object.assign(this, parse(location.search));
      this.onChange(this);
    });
  }

  /** The filter as the API understands it. */
  get query() {
    const fixed = this.view.fixed;
    return { ...this.filter, ...fixed };
  }

  /** Whether the user has narrowed the view. */
  get filtered() {
    return FILTER_NAMES.some((name) => this.filter[name] !== '');
  }

  /**
   * @param {{view?: string, filter?: Partial<Record<string, string>>}} change
   * @param {{replace?: boolean}} [how] replace: no new step for the back button
   */
  go(change, { replace = false } = {}) {
    const view = VIEWS.find((each) => each.name === change.view) ?? this.view;
    const filter = { ...this.filter, ...change.filter };
    const address = format({ view, filter });
    if (address === format(this)) return;
    Object.assign(this, { view, filter });
    if (replace) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    this.onChange(this);
  }

  /** @param {string} view */
  showView(view) {
    // What narrows one view would mostly empty the next: only the source and the times go along.
    const { source, since, until } = this.filter;
    this.go({ view, filter: { ...emptyFilter(), source, since, until } });
  }

  clear() {
    this.go({ filter: emptyFilter() });
  }
}
