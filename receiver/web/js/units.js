/** Amounts as text. */

/**
 * @param {number} n
 * @returns {string} "4.2 MB"
 */
export function formatBytes(n) {
  const [unit, size] = n < 1e6 ? ['kB', 1e3] : n < 1e9 ? ['MB', 1e6] : ['GB', 1e9];
  return `${Number((n / size).toFixed(1))} ${unit}`;
}
