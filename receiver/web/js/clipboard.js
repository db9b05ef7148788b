/** Copying text. */
import { announce } from './announce.js';
import { el, icon } from './dom.js';

async function copyText(text) {
  // The clipboard is there on https and localhost only; elsewhere the user copies from a dialog.
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else prompt('Copy this text:', text);
}

/**
 * @param {string} what named on the button
 * @param {() => string} text asked for when the button is pressed
 * @returns {HTMLElement}
 */
export function copyButton(what, text) {
  const label = el('span', {}, what);
  const button = el('button', { class: 'button', type: 'button', 'aria-label': `Copy ${what}` },
    icon('copy'), label);
  button.addEventListener('click', async () => {
    await copyText(text());
    announce(`${what} copied`);
    label.textContent = 'Copied';
    setTimeout(() => { label.textContent = what; }, 1500);
  });
  return button;
}
