// Products: added with their parts, shown newest first, and suggested where a toy is named.

import { post } from "./api.js";
import { Form, numberOf, textOf } from "./form.js";
import { announce, byId, fromTemplate, uuid } from "./page.js";
import { SAMPLES } from "./samples.js";
import { Shelf, sayPieces } from "./shelf.js";
import { label, put, say } from "./words.js";

export class Products {
  #sentParts = []; // the rows of the request under way: an error names a part by its index in it
  #shelf;
  #offer;

  /** `offer` is told the name of a product that the visitor wants to order. */
  constructor(offer) {
    this.#offer = offer;
    this.form = new Form("product-form", (form) => this.#add(form), (index) => this.#sentParts[index]);
    this.#shelf = new Shelf({ list: "products", empty: "products-empty", more: "more-products", limit: 8, none: "products.empty" }, (product) => this.#row(product));
    this.samples = new Form("samples", (form) => this.#addSamples(form));
    byId("add-part").addEventListener("click", () => addPart());
  }

  /** Shows the newest; an empty shelf may have six toys put on it. */
  async show() {
    byId("samples").hidden = !(await this.#shelf.show());
  }

  /** Puts six toys on the shelf, one after the other. */
  async #addSamples(form) {
    for (const toy of SAMPLES.filter(({ name }) => !this.#shelf.names.has(name))) {
      await form.patiently(() => post("/api/products", toy));
      this.#shelf.add(toy);
    }
    byId("samples").hidden = true;
    announce(say("products.samples.added"));
    this.form.input("name").focus();
  }

  async #add(form) {
    const body = { name: textOf(form.input("name")) };
    this.#sentParts = Array.from(byId("parts").children);
    const parts = this.#sentParts.map(partOf);
    if (parts.length) body.parts = parts;
    const product = await form.patiently(() => post("/api/products", body));
    this.#shelf.add({ ...body, ...product });
    byId("samples").hidden = true;
    announce(say("products.added", { name: body.name }));
    form.element.reset();
    byId("parts").replaceChildren();
    form.input("name").focus();
  }

  #row(product) {
    const row = fromTemplate("product-row");
    row.querySelector(".name").textContent = product.name;
    sayPieces(row.querySelector(".meta"), product);
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
