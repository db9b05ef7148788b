/** Puts the parts of the dashboard together. */
import { announceNews, showErrors } from './announce.js';
import { getJson } from './api.js';
import { copyButton } from './clipboard.js';
import { Charts } from './charts.js';
import { createDetail } from './detail.js';
import { byId, el, setText } from './dom.js';
import { learnColor } from './entry.js';
import { Feed } from './feed.js';
import { showFigures } from './figures.js';
import { Filters } from './filters.js';
import { Keyboard } from './keyboard.js';
import { List } from './list.js';
import { Nodes } from './nodes.js';
import { placePopovers } from './popover.js';
import { applyTheme, getPref, onPref, setPref } from './prefs.js';
import { Route, VIEWS } from './route.js';
import { SendBox } from './send.js';
import { curlOfQuery, curlOfStream, scriptOfStream } from './snippet.js';
import { Stats } from './stats.js';
import { Status } from './status.js';
import { Tables } from './tables.js';

const TIME_MODES = ['local', 'utc', 'relative'];
const wide = matchMedia('(min-width: 1100px)');
const count = new Intl.NumberFormat('en');

showErrors();

let paused = false;
let stats = null;
let query = null;

const status = new Status();
const route = new Route(onRoute);
const filters = new Filters(route);
const feed = new Feed({ onRows, onState: onFeedState });
const list = new List({
  scroller: byId('scroller'),
  feed: byId('feed'),
  above: byId('above'),
  below: byId('below'),
  backlog: feed.backlog,
  createDetail: (entry) => createDetail(entry, stats?.broker.url ?? 'mqtt://localhost:1883'),
  onNearEnd: () => feed.loadOlder(),
  onMove: updateHold,
  onDraw,
});
const charts = new Charts(feed);
const tables = new Tables((source) => route.go({ view: 'messages', filter: { source } }));
const nodes = new Nodes(route, (state) => status.update({ feed: state }));
const sendBox = new SendBox();

function onRoute() {
  const { view } = route;
  document.body.dataset.view = view.name;
  document.title = `${view.title} · Bellbuoy`;
  setText(byId('title'), view.title);
  for (const link of byId('views').querySelectorAll('a')) {
    if (link.dataset.view === view.name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  for (const part of ['filters', 'content']) byId(part).hidden = !view.feed;
  filters.show();
  openFeed(view);
  tables.show(view.name);
  nodes.show(view.name === 'nodes');
  showCharts();
}

// Only another query reads anew: two views of one query, or a repeated step, keep their rows.
function openFeed(view) {
  const wanted = view.feed ? JSON.stringify(route.query) : null;
  if (wanted === query) return;
  query = wanted;
  list.toTop();
  setPaused(false);
  if (view.feed) feed.open(route.query);
  else feed.close();
  if (!view.feed) status.update({ feed: null });
}

function onRows(entry) {
  if (entry) announceNews(entry);
  list.invalidate();
  charts.onRows();
}

function onDraw() {
  showMissed();
  showEmpty();
}

function onFeedState(state) {
  status.update({ feed: state });
  byId('feed').setAttribute('aria-busy', String(state.name === 'loading'));
  showEmpty();
}

function showEmpty() {
  const { backlog, state } = feed;
  const none = backlog.count === 0;
  byId('empty').hidden = !none;
  if (!none) return;
  let text = 'No message yet. The first one will appear here by itself.';
  if (state.name === 'refused') text = `The receiver refused this filter: ${state.reason}`;
  else if (state.name === 'waiting') text = `No messages to show: ${state.reason}.`;
  else if (state.name === 'loading') text = 'Reading the newest messages …';
  else if (route.filtered) text = 'No message matches this filter yet.';
  setText(byId('empty'), text);
}

// While the user reads, the list stands still; at its top it follows what arrives.
function updateHold() {
  const { backlog } = feed;
  const held = paused || !list.following;
  if (held) {
    backlog.held = true;
  } else if (backlog.detached) {
    feed.reload();
  } else if (backlog.held) {
    backlog.release();
    list.invalidate();
    charts.onRows();
  }
  showMissed();
}

function showMissed() {
  const { missed } = feed.backlog;
  const newer = byId('newer');
  newer.hidden = paused || missed === 0;
  setText(byId('newer-text'), missed === 1 ? '1 new message' : `${count.format(missed)} new messages`);
  byId('pause').setAttribute('aria-pressed', String(paused));
  setText(byId('pause-text'), paused ? `Resume (${count.format(missed)} missed)` : 'Pause');
}

function setPaused(value) {
  paused = value;
  updateHold();
}

function showNewest() {
  paused = false;
  list.toTop();
  updateHold();
}

function chartsShown() {
  const choice = getPref('charts');
  return choice === '' ? wide.matches : choice === 'on';
}

function showCharts() {
  const shown = chartsShown() && route.view.feed;
  byId('charts').hidden = !shown;
  byId('charts-toggle').setAttribute('aria-pressed', String(chartsShown()));
  charts.show(shown ? route.view.name : '');
}

function cycleTime() {
  const next = (TIME_MODES.indexOf(getPref('time')) + 1) % TIME_MODES.length;
  setPref('time', TIME_MODES[next]);
}

function showTimeMode() {
  const mode = getPref('time');
  setText(byId('time-mode'), { local: 'local', utc: 'UTC', relative: 'ago' }[mode]);
  list.refreshTimes();
}

function onPrefChange(name) {
  if (name === 'theme') applyTheme();
  if (name === 'theme' || name === 'time') charts.restyle();
  if (name === 'time') showTimeMode();
  if (name === 'time') tables.refresh();
  if (name === 'time') nodes.refresh();
  if (name === 'charts') showCharts();
  showSettings();
}

function showSettings() {
  for (const control of document.querySelectorAll('[data-pref]')) {
    control.value = getPref(control.dataset.pref);
  }
}

function buildViews() {
  byId('views').append(...VIEWS.map((view) => {
    const link = el('a', { href: view === VIEWS[0] ? './' : `?view=${view.name}` }, view.title);
    link.dataset.view = view.name;
    if (view.name === 'incidents') {
      link.append(' ', el('span', { id: 'incidents-open', class: 'badge', hidden: true }));
    }
    return link;
  }));
  byId('views').addEventListener('click', (event) => {
    const link = event.target.closest('a');
    // With a modifier the browser opens a tab: the address is a true one.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    route.showView(link.dataset.view);
  });
}

function buildShare() {
  const narrowed = () => Object.fromEntries(
    Object.entries(route.query).filter(([, value]) => value !== ''));
  byId('share').append(
    copyButton('link to this view', () => location.href),
    copyButton('curl', () => curlOfQuery(narrowed())),
    copyButton('curl of the stream', () => curlOfStream(narrowed())),
    copyButton('EventSource', () => scriptOfStream(narrowed())));
}

function onEscape() {
  list.close();
  list.select(-1);
  updateHold();
}

function listenToControls() {
  byId('pause').addEventListener('click', () => setPaused(!paused));
  byId('newer').addEventListener('click', showNewest);
  byId('charts-toggle').addEventListener('click', toggleCharts);
  byId('time-cycle').addEventListener('click', cycleTime);
  byId('help-open').addEventListener('click', () => byId('help').showModal());
  byId('help-close').addEventListener('click', () => byId('help').close());
  byId('filter-toggle').addEventListener('click', () => {
    const open = byId('filters').classList.toggle('open');
    byId('filter-toggle').setAttribute('aria-expanded', String(open));
  });
  byId('feed').addEventListener('click', (event) => {
    const row = event.target.closest('[data-action="source"]')?.closest('.row');
    if (row) route.go({ filter: { source: feed.backlog.at(feed.backlog.indexOf(row.dataset.key)).name } });
  });
  for (const control of document.querySelectorAll('[data-pref]')) {
    control.addEventListener('change', () => setPref(control.dataset.pref, control.value));
  }
  wide.addEventListener('change', showCharts);
}

const toggleCharts = () => setPref('charts', chartsShown() ? 'off' : 'on');

function focusSearch() {
  if (route.view.feed) filters.focusSearch();
  else if (route.view.name === 'nodes') nodes.focusSearch();
}

function buildKeyboard() {
  const inFeed = (run) => () => route.view.feed && run();
  const keyboard = new Keyboard([
    { keys: ['/'], label: 'Search', run: focusSearch },
    { keys: [' '], label: 'Pause or resume', run: inFeed(() => setPaused(!paused)) },
    { keys: ['j', 'ArrowDown'], label: 'Next message', run: inFeed(() => list.move(1)) },
    { keys: ['k', 'ArrowUp'], label: 'Previous message', run: inFeed(() => list.move(-1)) },
    { keys: ['Enter'], label: 'Open or close the message', run: inFeed(() => list.toggleSelected()) },
    { keys: ['Escape'], label: 'Close, and follow again', run: inFeed(onEscape) },
    { keys: ['n', 'Home'], label: 'To the newest', run: inFeed(showNewest) },
    { keys: ['x'], label: 'Clear the filter', run: inFeed(() => route.clear()) },
    { keys: ['c'], label: 'Charts', run: inFeed(toggleCharts) },
    { keys: ['t'], label: 'Times: local, UTC, ago', run: cycleTime },
    { keys: ['w'], label: 'Write a message', run: () => sendBox.open() },
    { keys: ['?'], label: 'This help', run: () => byId('help').showModal() },
  ]);
  keyboard.onView((view) => route.showView(view));
}

// Only hellos bear a colour: without this a source would look different in the other views.
async function loadColors() {
  const { sources } = await getJson('sources');
  for (const each of sources) learnColor(each.source, each.color);
  list.refresh();
}

function onStats(read, recovered) {
  const first = stats === null;
  stats = read;
  status.update({ stats, statsAtMs: Date.now(), error: null });
  showFigures(stats);
  if (first) loadColors();
  feed.setJournalLast(stats.journal.last, recovered);
  if (recovered) nodes.reopen();
  charts.setStats(stats);
}

buildViews();
buildShare();
buildKeyboard();
listenToControls();
placePopovers();
showSettings();
onPref(onPrefChange);
setInterval(() => {
  if (getPref('time') === 'relative' && !document.hidden) list.refreshTimes();
}, 1000);
onRoute();
showTimeMode();
new Stats({ onStats, onError: (error) => status.update({ error }) });
