/** Laying out JSON text. */

/**
 * Indents JSON without parsing it: JSON.parse would round long numbers, drop duplicate keys and
 * so show something else than what was stored.
 * @param {string} text valid JSON
 * @returns {{text: string, role: '' | 'key' | 'string' | 'literal'}[]} pieces in their order
 */
export function layOutJson(text) {
  // A string, an empty object or array, a bracket, a separator, or a run of anything else.
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|\{\s*\}|\[\s*\]|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  let depth = 0;
  const newline = () => `\n${'  '.repeat(depth)}`;
  return tokens.map((token, i) => {
    switch (token) {
      case '{':
      case '[':
        depth += 1;
        return { text: token + newline(), role: '' };
      case '}':
      case ']':
        depth -= 1;
        return { text: newline() + token, role: '' };
      case ',':
        return { text: token + newline(), role: '' };
      case ':':
        return { text: ': ', role: '' };
      default:
        if (token.startsWith('"')) return { text: token, role: tokens[i + 1] === ':' ? 'key' : 'string' };
        return { text: token, role: /^[{[]/.test(token) ? '' : 'literal' };
    }
  });
}
