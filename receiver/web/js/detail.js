/** The details of an open row: the stored event, and commands to get it elsewhere. */
import { ApiError, apiUrl, getEventText } from './api.js';
import { copyButton } from './clipboard.js';
import { el, icon, setText } from './dom.js';
import { layOutJson } from './json.js';
import { curlOfEvent, mosquittoSubOf } from './snippet.js';

const SHOWN_MAX = 65536;

/**
 * @param {import('./entry.js').Entry} entry
 * @param {string} brokerUrl
 * @returns {HTMLElement}
 */
export function createDetail(entry, brokerUrl) {
  const json = el('pre', { class: 'json', tabindex: 0, 'aria-label': 'Event as JSON' }, '…');
  const href = apiUrl(`events/${entry.key}`).href;
  const link = el('a', { class: 'button', href, target: '_blank', rel: 'noopener' },
    icon('open'), 'Raw');
  const buttons = el('div', { class: 'detail-buttons' },
    copyButton('JSON', () => json.textContent),
    copyButton('curl', () => curlOfEvent(entry.key)),
    copyButton('mosquitto_sub', () => mosquittoSubOf(entry, brokerUrl)),
    link);
  fillJson(json, entry);
  return el('div', { class: 'detail' }, buttons, json);
}

async function fillJson(node, entry) {
  try {
    const text = await getEventText(entry.key);
    node.replaceChildren(...layOutJson(text.slice(0, SHOWN_MAX)).map((piece) => (
      piece.role === '' ? piece.text : el('span', { class: `json-${piece.role}` }, piece.text))));
    if (text.length > SHOWN_MAX) node.append('\n… "Raw" has the rest');
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    setText(node, `This event could not be read: ${error.message}`);
  }
}
