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
 * @returns {Promise<DocumentFragment>} An error, where the server answers with one: its page is no part of this one. */
export async function part(url, name, signal) {
  const answer = await fetch(url, { headers: { "x-part": name }, signal });
  if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
  const text = await answer.text();
  const parsed = new DOMParser().parseFromString(text, "text/html");
  const fragment = document.createDocumentFragment();
  fragment.append(...parsed.body.childNodes);
  return fragment;
}

/** Says what went wrong at the foot of the page, and leaves the rest as it is; nothing takes it away again.
 * @param {string} [what] @param {unknown} [error] */
export function say(what, error) {
  const foot = document.getElementById("said");
  const why = error instanceof TypeError ? "the server does not answer" : error instanceof Error ? error.message : "";
  if (foot) foot.textContent = what ? `${what}: ${why}` : "";
}
