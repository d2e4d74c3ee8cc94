// A streamed answer, played by hand: what was said up to the moment that the slider is at.
import { duration } from "./tree.js";

/** Makes the sliders work that are in here. @param {Element} root */
export function play(root) {
  for (const player of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(".play[hidden]"))) {
    player.hidden = false;
    const [slider, moment, said] = /** @type {[HTMLInputElement, HTMLElement, HTMLElement]} */ ([...player.children]);
    const mark = player.closest("section")?.querySelector("line.at");
    const span = Number(player.dataset.span);
    /** @type {Promise<{ times: number[], texts: string[] }> | undefined} */
    let chunks;
    slider.addEventListener("input", async () => {
      chunks ??= fetch(player.dataset.chunks ?? "").then((answer) => answer.json());
      const { times, texts } = await chunks;
      const now = (slider.valueAsNumber / 1000) * span;
      const behind = times.findIndex((time) => time > now);
      const come = behind < 0 ? times.length : behind;
      moment.textContent = `${duration(now)} · chunk ${come} of ${times.length}`;
      said.textContent = texts.slice(0, come).join("");
      said.hidden = false;
      mark?.setAttribute("transform", `translate(${(now / span) * 600} 0)`);
      mark?.classList.add("on");
    });
  }
}
