/** The box to send a message the other way: over the receiver to the broker, and back to everyone. */
import { announce } from './announce.js';
import { ApiError, postMessage } from './api.js';
import { byId, setText } from './dom.js';

const TOKEN = 'bellbuoy.token';

// The token lives as long as the tab: it must not outlive the user's visit to a shared machine.
function readToken() {
  try {
    return sessionStorage.getItem(TOKEN) ?? '';
  } catch {
    return '';
  }
}

function keepToken(token) {
  try {
    sessionStorage.setItem(TOKEN, token);
  } catch {
    // Storage is forbidden: the field keeps it until the page is left.
  }
}

const HINTS = {
  401: 'The token was refused. It stands in the file that the receiver was given by --token-file.',
  403: 'Sending is switched off here: the receiver runs without --token-file, or the page comes from another site.',
};

export class SendBox {
  constructor() {
    this.dialog = byId('send');
    this.result = byId('send-result');
    byId('send-open').addEventListener('click', () => this.open());
    byId('send-close').addEventListener('click', () => this.dialog.close());
    byId('send-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  open() {
    byId('send-token').value ||= readToken();
    this.#showResult('', '');
    this.dialog.showModal();
    byId('send-text').focus();
  }

  async #send() {
    const text = byId('send-text');
    const token = byId('send-token');
    const button = byId('send-button');
    button.disabled = true;
    this.#showResult('', 'Sending …');
    try {
      const { id } = await postMessage(
        { text: text.value, color: byId('send-color').value }, token.value);
      keepToken(token.value);
      this.#showResult('ok', `Sent: the broker has it as ${id}`);
      text.value = '';
      text.focus();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#showResult('bad', HINTS[error.status] ?? error.message);
      if (error.status === 401) token.focus();
    } finally {
      button.disabled = false;
    }
  }

  #showResult(tone, text) {
    this.result.dataset.tone = tone;
    setText(this.result, text);
    if (tone !== '') announce(text);
  }
}
