/**
 * Commands that do on a terminal what the page shows. Names come from messages, so each is quoted
 * for the shell: a source named `'; rm -rf ~` must stay a name.
 */
import { apiUrl } from './api.js';

/** @param {string} text */
export const shellQuote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** @param {string} cursor */
export function curlOfEvent(cursor) {
  return `curl -s ${shellQuote(apiUrl(`events/${cursor}`).href)}`;
}

/** @param {Record<string, string>} query */
export function curlOfQuery(query) {
  return `curl -s ${shellQuote(apiUrl('events', query).href)}`;
}

/** @param {Record<string, string>} query */
export function curlOfStream(query) {
  return `curl -sN ${shellQuote(apiUrl('stream', query).href)}`;
}

/** @param {Record<string, string>} query */
export function scriptOfStream(query) {
  const address = JSON.stringify(apiUrl('stream', query).href);
  return `new EventSource(${address}).onmessage = (m) => console.log(JSON.parse(m.data));`;
}

/**
 * @param {import('./entry.js').Entry} entry
 * @param {string} brokerUrl as the receiver uses it, such as mqtt://127.0.0.1:1883
 */
export function mosquittoSubOf(entry, brokerUrl) {
  const topic = entry.source.startsWith('/topics/')
    ? entry.source.slice('/topics/'.length)
    : `bellbuoy/events/${entry.source.replace(/^\/machines\//, '')}/${entry.type}`;
  // -L takes the topic within its address and would read / and % in it: host and port go apart.
  const { hostname, port, protocol } = new URL(brokerUrl.replace(/^mqtt/, 'http'));
  const tls = protocol === 'https:';
  const where = `-h ${shellQuote(hostname)} -p ${port || (tls ? 8883 : 1883)}`;
  return `mosquitto_sub ${where}${tls ? ' --capath /etc/ssl/certs' : ''} -t ${shellQuote(topic)} -v`;
}
