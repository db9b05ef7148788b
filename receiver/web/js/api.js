/**
 * The receiver's HTTP API (docs/api.md). Addresses are relative to the page, so that it also works
 * under a path of a reverse proxy.
 */

const TIMEOUT_MS = 15000;

/** An answer that is no success, or none at all (status 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message for a person
   */
  constructor(status, message) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }

  /** Whether the same request may succeed later. */
  get transient() {
    return this.status === 0 || this.status >= 500 || this.status === 429;
  }
}

/**
 * @param {string} path below /api/v1/
 * @param {Record<string, string | number>} [params] empty ones are left away
 * @returns {URL}
 */
export function apiUrl(path, params = {}) {
  const url = new URL(`api/v1/${path}`, document.baseURI);
  for (const [name, value] of Object.entries(params)) {
    if (value !== '') url.searchParams.set(name, String(value));
  }
  return url;
}

async function request(url, options, read, signal) {
  const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
  try {
    const response = await fetch(url, { ...options, signal: AbortSignal.any(signals) });
    if (!response.ok) throw new ApiError(response.status, await problemText(response));
    return await read(response);
  } catch (error) {
    // Refused, timed out, cut off in the middle, or some other program's page.
    if (error instanceof ApiError || signal?.aborted) throw error;
    throw new ApiError(0, 'The receiver does not answer');
  }
}

const asJson = (response) => response.json();
const asText = (response) => response.text();

// RFC 9457; a proxy in between may answer with something else.
async function problemText(response) {
  try {
    const problem = await response.json();
    if (problem.detail || problem.title) return problem.detail || problem.title;
  } catch {
    // Not JSON: the status must do.
  }
  return `The receiver answered ${response.status} ${response.statusText}`.trim();
}

/**
 * @param {string} path
 * @param {Record<string, string | number>} [params]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export function getJson(path, params, signal) {
  return request(apiUrl(path, params), {}, asJson, signal);
}

/**
 * One event as the journal has it, byte for byte: JSON.parse would round long numbers.
 * @param {string} cursor
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>}
 */
export function getEventText(cursor, signal) {
  return request(apiUrl(`events/${encodeURIComponent(cursor)}`), {}, asText, signal);
}

/**
 * @param {{text: string, color?: string}} message
 * @param {string} token
 * @returns {Promise<{source: string, id: string}>} once the broker has acknowledged it
 * @throws {ApiError}
 */
export function postMessage(message, token) {
  return request(apiUrl('events'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify(message),
  }, asJson);
}
