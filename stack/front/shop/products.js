// Products: added with their parts, shown newest first, and suggested where a toy is named.

import { Problem, get, post } from "./api.js";
import { Form, numberOf, textOf } from "./form.js";
import { announce, byId, fromTemplate, sleep, uuid } from "./page.js";
import { count, label, put, say } from "./words.js";

export class Products {
  #sentParts = []; // the rows of the request under way: an error names a part by its index in it
  #nextPage = null;
  #offer;

  /** `offer` is told the name of a product that the visitor wants to order. */
  constructor(offer) {
    this.#offer = offer;
    this.form = new Form("product-form", (form) => this.#add(form), (index) => this.#sentParts[index]);
    byId("add-part").addEventListener("click", () => addPart());
    byId("more-products").addEventListener("click", () => {
      byId("more-products").hidden = true;
      this.show(this.#nextPage);
    });
  }

  /** Shows a page of products, the newest first; goes on trying while the shop has no answer. */
  async show(after) {
    const empty = byId("products-empty");
    const query = new URLSearchParams({ limit: "8" });
    if (after) query.set("after", after);
    for (;;) {
      try {
        const page = await get(`/api/products?${query}`);
        byId("products").append(...page.items.map((product) => this.#row(product)));
        this.#nextPage = page.next ?? null;
        break;
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        empty.hidden = false;
        put(empty, "products.away", () => ({ problem: problem.text }));
        await sleep((problem.retryAfter ?? 5) * 1000);
      }
    }
    byId("more-products").hidden = this.#nextPage === null;
    empty.hidden = byId("products").childElementCount > 0;
    put(empty, "products.empty");
    suggest();
  }

  async #add(form) {
    const body = { name: textOf(form.input("name")) };
    this.#sentParts = Array.from(byId("parts").children);
    const parts = this.#sentParts.map(partOf);
    if (parts.length) body.parts = parts;
    const product = await form.patiently(() => post("/api/products", body));
    byId("products").prepend(this.#row({ ...body, ...product }));
    byId("products-empty").hidden = true;
    suggest();
    announce(say("products.added", { name: body.name }));
    form.element.reset();
    byId("parts").replaceChildren();
    form.input("name").focus();
  }

  #row(product) {
    const row = fromTemplate("product-row");
    const pieces = (product.parts ?? []).reduce((sum, part) => sum + (part.count ?? 1), 0);
    row.querySelector(".name").textContent = product.name;
    const meta = row.querySelector(".meta");
    if (pieces) put(meta, "products.parts", () => ({ pieces: count("products.pieces", pieces) }));
    else put(meta, "products.letters");
    const button = row.querySelector(".order");
    label(button, "products.order.of", { name: product.name });
    button.addEventListener("click", () => this.#offer(product.name));
    return row;
  }
}

function addPart() {
  const row = fromTemplate("part-row");
  for (const input of row.querySelectorAll("input")) {
    const place = input.nextElementSibling;
    input.id = `part-${uuid()}`;
    place.id = `${input.id}-error`;
    input.previousElementSibling.htmlFor = input.id;
    input.setAttribute("aria-describedby", place.id);
  }
  row.querySelector(".remove").addEventListener("click", () => {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    numberParts();
    (next ? next.querySelector("input") : byId("add-part")).focus();
  });
  byId("parts").append(row);
  numberParts();
  row.querySelector("input").focus();
}

function numberParts() {
  Array.from(byId("parts").children).forEach((row, index) => {
    put(row.querySelector("legend"), "part", { n: index + 1 });
    label(row.querySelector(".remove"), "part.remove.of", { n: index + 1 });
  });
}

function partOf(row, index) {
  const input = (name) => row.elements.namedItem(name);
  const number = (name) => numberOf(input(name), `parts[${index}].${name}`);
  return {
    name: textOf(input("name"), `parts[${index}].name`),
    width_mm: number("width_mm"),
    height_mm: number("height_mm"),
    count: number("count"),
    ...(input("grain").checked && { grain: true }),
  };
}

function suggest() {
  const names = new Set(Array.from(byId("products").querySelectorAll(".name"), (name) => name.textContent));
  byId("known-products").replaceChildren(...Array.from(names, (name) => new Option(name, name)));
}
