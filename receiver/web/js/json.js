/** Laying out JSON text. */

/**
 * Indents JSON without parsing it: JSON.parse would round long numbers, drop duplicate keys and
 * so show something else than what was stored.
 * @param {string} text valid JSON
 * @returns {string}
 */
export function indentJson(text) {
  let out = '';
  let depth = 0;
  const newline = () => `\n${'  '.repeat(depth)}`;
  // A string, an empty object or array, a bracket, a separator, or a run of anything else.
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|\{\s*\}|\[\s*\]|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  for (const token of tokens) {
    if (token === '{' || token === '[') {
      depth += 1;
      out += token + newline();
    } else if (token === '}' || token === ']') {
      depth -= 1;
      out += newline() + token;
    } else if (token === ',') {
      out += token + newline();
    } else {
      out += token === ':' ? ': ' : token;
    }
  }
  return out;
}
