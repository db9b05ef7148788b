/** Times and durations as text. */

const pad = (number, width = 2) => String(number).padStart(width, '0');

/**
 * @param {number} ms a duration, 0 or more
 * @returns {string} two units at most: "850 ms", "4.21 s", "3 min 05 s", "2 h 05 min", "3 d 4 h"
 */
export function formatDuration(ms) {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
  const hours = Math.floor((minutes % 1440) / 60);
  return `${Math.floor(minutes / 1440)} d${hours > 0 ? ` ${hours} h` : ''}`;
}

/**
 * @param {number} time ms since 1970
 * @param {number} now
 * @returns {string} "12 s ago", "in 3 min"
 */
export function formatRelative(time, now) {
  const seconds = Math.round((now - time) / 1000);
  const text = (n) => {
    if (n < 60) return `${n} s`;
    if (n < 3600) return `${Math.floor(n / 60)} min`;
    if (n < 86400) return `${Math.floor(n / 3600)} h`;
    return `${Math.floor(n / 86400)} d`;
  };
  if (seconds < 0) return `in ${text(-seconds)}`;
  return seconds === 0 ? 'just now' : `${text(seconds)} ago`;
}

function parts(date, utc) {
  const iso = utc
    ? date.toISOString()
    : new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString();
  return { day: iso.slice(0, 10), clock: iso.slice(11, 23) };
}

/**
 * A moment in the mode that the user chose. The day is shown only where it is not today, the year
 * only where it is not this one.
 * @param {string} rfc3339
 * @param {'local' | 'utc' | 'relative'} mode
 * @param {number} [now] ms since 1970
 */
export function formatTime(rfc3339, mode, now = Date.now()) {
  const date = new Date(rfc3339);
  // A message may bear any time, also one that Date cannot hold: then it is shown as it came.
  if (Number.isNaN(date.getTime())) return rfc3339;
  if (mode === 'relative') return formatRelative(date.getTime(), now);
  const utc = mode === 'utc';
  const { day, clock } = parts(date, utc);
  const today = parts(new Date(now), utc).day;
  if (day === today) return clock;
  if (day.slice(0, 4) === today.slice(0, 4)) return `${day.slice(5)} ${clock.slice(0, 8)}`;
  return `${day} ${clock.slice(0, 5)}`;
}

/**
 * The value of an <input type="datetime-local"> as RFC 3339, and the way back.
 * @param {string} local
 */
export function localToRfc3339(local) {
  const date = new Date(local);
  return local === '' || Number.isNaN(date.getTime())
    ? ''
    : date.toISOString().replace('.000Z', 'Z');
}

/** @param {string} rfc3339 */
export function rfc3339ToLocal(rfc3339) {
  const date = new Date(rfc3339);
  if (rfc3339 === '' || Number.isNaN(date.getTime())) return '';
  const { day, clock } = parts(date, false);
  return `${day}T${clock.slice(0, 8)}`;
}
