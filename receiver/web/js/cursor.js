/** Cursors: `<epoch>-<seq>`, an event's place in the one order of the journal. */

/**
 * @param {string} cursor
 * @returns {{epoch: string, seq: number}}
 */
export function parseCursor(cursor) {
  const dash = cursor.lastIndexOf('-');
  return { epoch: cursor.slice(0, dash), seq: Number(cursor.slice(dash + 1)) };
}

/**
 * How many places `to` lies after `from`; 0 where they belong to different journals.
 * @param {string} from
 * @param {string} to
 */
export function cursorDistance(from, to) {
  const a = parseCursor(from);
  const b = parseCursor(to);
  return a.epoch === b.epoch ? Math.max(0, b.seq - a.seq) : 0;
}
