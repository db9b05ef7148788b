/** What the user chose to look at, kept in this browser only. */

const defaults = { theme: 'system', time: 'local', charts: '', shortcuts: 'on' };
const listeners = new Set();

/**
 * @param {keyof typeof defaults} name
 * @returns {string}
 */
export function getPref(name) {
  try {
    return localStorage.getItem(`bellbuoy.${name}`) ?? defaults[name];
  } catch {
    return defaults[name];
  }
}

/**
 * Keeps a choice and tells everyone who asked by onPref.
 * @param {keyof typeof defaults} name
 * @param {string} value
 */
export function setPref(name, value) {
  try {
    localStorage.setItem(`bellbuoy.${name}`, value);
  } catch {
    // Storage is forbidden or full: the choice holds until the page is left.
    defaults[name] = value;
  }
  for (const listener of listeners) listener(name, value);
}

/** @param {(name: string, value: string) => void} listener */
export function onPref(listener) {
  listeners.add(listener);
}

/** Puts the theme on the page: 'system' leaves it to prefers-color-scheme. */
export function applyTheme() {
  const theme = getPref('theme');
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}
