// The toys of the shelf as cards: each drawn from its own parts, with how many of it to order.

import { Problem } from "./api.js";
import { numberOf } from "./form.js";
import { announce, fromTemplate } from "./page.js";
import { Shelf, sayPieces } from "./shelf.js";
import { label } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const MOST_DRAWN = 60; // pieces

export class Toys {
  #place;
  #shelf = new Shelf({ list: "toys", empty: "toys-empty", more: "more-toys", limit: 6, none: "toys.empty" }, (toy) => this.#card(toy));

  /** `place` is told what a visitor orders, and how many of it. */
  constructor(place) {
    this.#place = place;
  }

  /** Shows the newest. */
  show() {
    return this.#shelf.show();
  }

  #card({ name, parts = [] }) {
    const card = fromTemplate("toy-card");
    const find = (part) => card.querySelector(`.${part}`);
    find("picture").append(drawing(parts));
    find("name").textContent = name;
    sayPieces(find("meta"), { parts });
    const number = find("number");
    const step = (by) => {
      number.value = Math.min(Math.max((Math.round(Number(number.value)) || 0) + by, 1), 1000);
      announce(`${number.value} × ${name}`);
    };
    find("less").addEventListener("click", () => step(-1));
    find("more").addEventListener("click", () => step(1));
    label(find("less"), "toys.less", { name });
    label(find("more"), "toys.more", { name });
    label(number, "toys.number", { name });
    label(find("order"), "products.order.of", { name });
    find("order").addEventListener("click", (event) => {
      if (event.detail > 1) return; // a double click means one order
      try {
        this.#place(name, numberOf(number));
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        number.focus();
        announce(problem.text);
        return;
      }
      number.value = 1;
      find("placed").hidden = false;
    });
    return card;
  }
}

/** Draws the pieces of a toy beside each other, the tallest first, in rows. */
export function drawing(parts) {
  const pieces = parts.flatMap((part, kind) => Array(Math.min(part.count ?? 1, MOST_DRAWN)).fill({ ...part, kind }));
  pieces.sort((a, b) => b.height_mm - a.height_mm);
  const shown = pieces.slice(0, MOST_DRAWN);
  const area = shown.reduce((sum, { width_mm, height_mm }) => sum + width_mm * height_mm, 0);
  const gap = Math.sqrt(area) / 25;
  const width = Math.max(Math.sqrt(area) * 1.5, ...shown.map(({ width_mm }) => width_mm));
  const svg = document.createElementNS(SVG, "svg");
  let [x, y, row] = [0, 0, 0];
  for (const { width_mm, height_mm, kind } of shown) {
    if (x > 0 && x + width_mm > width) [x, y, row] = [0, y + row + gap, 0];
    const piece = document.createElementNS(SVG, "rect");
    const places = { x, y, width: width_mm, height: height_mm, rx: gap / 2, class: `wood-${kind % 4}` };
    for (const [name, value] of Object.entries(places)) piece.setAttribute(name, value);
    svg.append(piece);
    x += width_mm + gap;
    row = Math.max(row, height_mm);
  }
  svg.setAttribute("viewBox", `0 0 ${width} ${y + row || 1}`);
  svg.setAttribute("aria-hidden", "true");
  return svg;
}
