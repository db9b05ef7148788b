/**
 * Making one element like another, by what differs only. A view that is built anew with each change
 * would take the focus, the selection and what is folded open from under the user.
 */

function patchAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    // Whether details are open is the user's.
    if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

function patchChildren(from, to) {
  const wanted = [...to.childNodes];
  const there = [...from.childNodes];
  wanted.forEach((node, i) => (i < there.length ? patch(there[i], node) : from.append(node)));
  for (const node of there.slice(wanted.length)) node.remove();
}

/**
 * @param {Node} from in the page
 * @param {Node} to built anew; parts of it may be taken
 * @returns {Node} what is in the page now
 */
export function patch(from, to) {
  if (from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return to;
  }
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return from;
  }
  patchAttributes(from, to);
  patchChildren(from, to);
  return from;
}
