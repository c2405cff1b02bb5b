// The shelf: products page by page, the newest first, and suggested where a toy is named.

import { Problem, get } from "./api.js";
import { byId, sleep } from "./page.js";
import { count, put } from "./words.js";

export class Shelf {
  #ids;
  #row;
  #nextPage = null;

  /** `ids` are those of the list, of what stands there while it is empty, and of the button for more; `row` makes a row of a product. */
  constructor(ids, row) {
    this.#ids = ids;
    this.#row = row;
    byId(ids.more).addEventListener("click", () => {
      byId(ids.more).hidden = true;
      this.show(this.#nextPage);
    });
  }

  /** Shows a page of so many; goes on trying while the shop has no answer. Returns whether the shelf is empty. */
  async show(after) {
    const { list, empty, more, limit, none } = this.#ids;
    const query = new URLSearchParams({ limit });
    if (after) query.set("after", after);
    for (;;) {
      try {
        const page = await get(`/api/products?${query}`);
        byId(list).append(...page.items.map(this.#row));
        this.#nextPage = page.next ?? null;
        break;
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        byId(empty).hidden = false;
        put(byId(empty), "products.away", () => ({ problem: problem.text }));
        await sleep((problem.retryAfter ?? 5) * 1000);
      }
    }
    byId(more).hidden = this.#nextPage === null;
    put(byId(empty), none);
    return this.#settle();
  }

  /** Puts a product on it that is new. */
  add(product) {
    byId(this.#ids.list).prepend(this.#row(product));
    this.#settle();
  }

  get names() {
    return new Set(Array.from(byId(this.#ids.list).querySelectorAll(".name"), (name) => name.textContent));
  }

  #settle() {
    const isEmpty = byId(this.#ids.list).childElementCount === 0;
    byId(this.#ids.empty).hidden = !isEmpty;
    byId("known-products").replaceChildren(...Array.from(this.names, (name) => new Option(name, name)));
    return isEmpty;
  }
}

/** Says how many pieces a product has. */
export function sayPieces(element, { parts }) {
  const pieces = (parts ?? []).reduce((sum, part) => sum + (part.count ?? 1), 0);
  if (pieces) put(element, "products.parts", () => ({ pieces: count("products.pieces", pieces) }));
  else put(element, "products.letters");
}
