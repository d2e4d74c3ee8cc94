// Elements out of text. Nothing of a run is ever parsed as HTML here: scripts write text, and only what this server has
// rendered is taken over as elements.

/** Makes an element.
 * @param {string} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Asks this server for a part of a page. The one place where HTML is parsed: it is escaped where it is made, and the
 * policy of the page keeps scripts from running in it.
 * @param {string} url
 * @param {string} name the part
 * @param {AbortSignal} [signal]
 * @returns {Promise<DocumentFragment>} */
export async function part(url, name, signal) {
  const answer = await fetch(url, { headers: { "x-part": name }, signal });
  const text = await answer.text();
  const parsed = new DOMParser().parseFromString(text, "text/html");
  const fragment = document.createDocumentFragment();
  fragment.append(...parsed.body.childNodes);
  return fragment;
}
