// Setup: copies snippets, and waits for a trace.
import { element } from "./dom.js";
import { listen } from "./live.js";

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("button.copy"))) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.closest("figure")?.querySelector("pre")?.textContent ?? "");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

const waiting = document.getElementById("waiting");

listen(({ traces }) => {
  const trace = traces.at(-1);
  if (!trace || !waiting) return;
  const link = element("a", { href: `/t/${trace}` }, "Look at it");
  waiting.replaceChildren("A trace has come. ", link, " or see ", element("a", { href: "/" }, "all of them"), ".");
  waiting.classList.add("here");
}, () => {});
