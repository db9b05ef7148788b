/**
 * What is said to everyone: a live region for screen readers, and the banner of errors.
 */
import { byId, el, setText } from './dom.js';

const NEWS_EVERY_MS = 10000;
let news = 0;
let newsText = '';
let newsTimer = 0;

/**
 * Says it at once. For results of what the user did and for changes of the connection.
 * @param {string} text
 */
export function announce(text) {
  setText(byId('announcer'), text);
}

/**
 * Counts a message; they are said together, at most once in ten seconds: a screen reader that
 * reads each of 500 a second says nothing at all.
 * @param {import('./entry.js').Entry} entry
 */
export function announceNews(entry) {
  news += 1;
  newsText = entry.kind === 'notice' ? entry.text : `${entry.name}: ${entry.text}`;
  newsTimer ||= setTimeout(() => {
    announce(news === 1 ? newsText : `${news} new messages, the last ${newsText}`);
    news = 0;
    newsTimer = 0;
  }, NEWS_EVERY_MS);
}

function showError(text) {
  const banner = byId('errors');
  const close = el('button', { type: 'button', class: 'button', 'aria-label': 'Dismiss' }, '×');
  const line = el('p', {}, el('span', {}, `Error in this page: ${text}`), close);
  close.addEventListener('click', () => {
    line.remove();
    banner.hidden = banner.childElementCount === 0;
  });
  // An error that repeats must not fill the page.
  if (banner.childElementCount >= 3) banner.firstElementChild.remove();
  banner.append(line);
  banner.hidden = false;
}

/** From now on an error in the program is shown on the page. */
export function showErrors() {
  addEventListener('error', (event) => showError(event.message));
  addEventListener('unhandledrejection', (event) => {
    showError(event.reason?.message ?? String(event.reason));
  });
}
