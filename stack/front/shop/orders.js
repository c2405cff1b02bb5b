// Orders: kept in this browser before they are sent, shown at once, sent until the shop has them, followed to their ends.

import { Problem, get, remove } from "./api.js";
import { FINAL, Follower, pathOf } from "./follow.js";
import { Form, numberOf, textOf } from "./form.js";
import { forget, isOrder, keep, kept, nameInStore, nameOf } from "./kept.js";
import { announce, byId, fromTemplate, uuid } from "./page.js";
import { Sender } from "./send.js";
import { duration, label, put, say } from "./words.js";

const LEFT_ALONE = 10000; // by the tab that it was placed in, in milliseconds: then any other sends it

const isOver = ({ status }) => FINAL.has(status) || status === "refused";

export class Orders {
  #rows = new Map(); // what the browser calls an order -> { view, row }
  #follower = new Follower({
    seen: (view) => this.#update(view.order_id, view),
    missing: (id) => this.#update(id, { missing: true }),
  });
  #sender = new Sender({
    taken: (view, receipt) => this.#isTaken(view, receipt),
    refused: (view, problem) => this.#isRefused(view, problem),
    waits: (view, problem, seconds) => this.#drawWait(view, problem, seconds),
  });

  constructor() {
    this.form = new Form("order-form", (form) => this.place(textOf(form.input("product")), numberOf(form.input("quantity"))));
    byId("forget").addEventListener("click", () => this.#forget());
    document.body.addEventListener("language", () => this.#drawAll());
    window.addEventListener("storage", ({ key, newValue }) => this.#isKeptElsewhere(key, newValue));
    setInterval(() => this.#lookAfter(), 1000);
  }

  /** Fills in the form for a product, and leaves the visitor at the quantity. */
  offer(product, quantity) {
    this.form.input("product").value = product;
    if (quantity) this.form.input("quantity").value = quantity;
    this.form.element.scrollIntoView({ block: "center" });
    this.form.input("quantity").focus({ preventScroll: true });
    this.form.input("quantity").select();
  }

  /** Shows the orders of this browser again: sends what the shop may not have, and follows what is pending. */
  restore() {
    for (const view of kept()) {
      this.#show(view);
      if (view.status === "sending") this.#sender.send(view);
    }
  }

  /** Keeps an order, shows it, and has it sent. Throws a Problem if it cannot be one. */
  place(product, quantity) {
    if (product.length > 200) throw new Problem("invalid-value", { field: "product" });
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > 1000) throw new Problem("invalid-value", { field: "quantity" });
    const view = { key: uuid(), product, quantity, status: "sending", seen_at: Date.now() };
    keep(view);
    this.#show(view);
    this.#sender.send(view);
  }

  #isTaken({ key }, receipt) {
    const order = this.#rows.get(nameInStore({ key }));
    if (!order) return;
    this.#change(order, { ...receipt, wait: undefined });
    announce(say("orders.taken", { what: nameOf(order.view) }));
    this.#follower.follow(order.view.order_id);
  }

  #isRefused({ key }, { kind, status, field }) {
    const order = this.#rows.get(nameInStore({ key }));
    if (!order) return;
    this.#change(order, { status: "refused", problem: { kind, status, field }, wait: undefined });
    announce(`${nameOf(order.view)}. ${Problem.from(order.view.problem).text}`);
  }

  #drawWait({ key }, problem, seconds) {
    const order = this.#rows.get(nameInStore({ key }));
    if (!order) return;
    const isNews = !order.wait;
    order.wait = { problem, seconds };
    this.#draw(order);
    if (isNews) announce(order.row.querySelector(".reason").textContent);
  }

  /** Takes an order back; what has become of it meanwhile wins. */
  async #cancel({ view, row }) {
    const id = view.order_id;
    const button = row.querySelector(".cancel");
    if (!id || button.hasAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    try {
      this.#update(id, await remove(pathOf(id)));
    } catch (problem) {
      if (problem.status === 409) this.#update(id, await get(pathOf(id)).catch(() => ({})));
      else announce(say("orders.not-cancelled", { what: nameOf(view), problem: problem.text ?? "" }));
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }

  /** What the shop has, it has; what it may not have stays until it is sent. */
  #forget() {
    for (const { view } of Array.from(this.#rows.values())) {
      if (view.status === "sending") continue;
      forget(view);
      this.#drop(nameInStore(view));
    }
    announce(say("orders.forgotten"));
    byId("order-product").focus();
  }

  #isKeptElsewhere(name, text) {
    if (name === null || !isOrder(name)) return;
    const view = kept().find((other) => nameInStore(other) === name);
    if (text === null || !view) this.#drop(name);
    else this.#show(view);
  }

  // The list

  #show(view) {
    const name = nameInStore(view);
    let order = this.#rows.get(name);
    if (order) order.view = { ...order.view, ...view };
    else {
      order = { view, row: fromTemplate("order-row"), wait: null };
      const shown = order;
      order.row.querySelector(".cancel").addEventListener("click", () => this.#cancel(shown));
      this.#rows.set(name, order);
      byId("orders").prepend(order.row);
      this.#fit();
    }
    if (view.order_id && !isOver(view) && !view.missing) this.#follower.follow(view.order_id);
    this.#draw(order);
  }

  /** Leaves out what is no longer kept. */
  #fit() {
    const names = new Set(kept().map(nameInStore));
    for (const name of Array.from(this.#rows.keys())) if (!names.has(name)) this.#drop(name);
    byId("orders-empty").hidden = this.#rows.size > 0;
    byId("forget").hidden = this.#rows.size === 0;
  }

  #drop(name) {
    const order = this.#rows.get(name);
    if (!order) return;
    this.#rows.delete(name);
    if (order.view.order_id) this.#follower.leave(order.view.order_id);
    order.row.remove();
    this.#fit();
  }

  #update(id, news) {
    const order = Array.from(this.#rows.values()).find(({ view }) => view.order_id === id);
    if (!order || FINAL.has(order.view.status)) return; // the first final status wins
    this.#change(order, { missing: undefined, ...news });
    const { view } = order;
    if (!FINAL.has(view.status)) return;
    this.#follower.leave(id);
    announce(say("orders.ended", { what: nameOf(view), status: say(`status.${view.status}`) }));
  }

  #change(order, { wait, ...news }) {
    order.view = { ...order.view, ...news };
    order.wait = wait ?? null;
    keep(order.view);
    this.#draw(order);
  }

  #drawAll() {
    for (const order of this.#rows.values()) this.#draw(order);
  }

  #lookAfter() {
    for (const { view, row } of this.#rows.values()) {
      if (!isOver(view)) row.querySelector(".took").textContent = tookOf(view);
      if (view.status === "sending" && Date.now() - view.seen_at > LEFT_ALONE) this.#sender.send(view);
    }
  }

  #draw(order) {
    const { view, row } = order;
    const find = (name) => row.querySelector(`.${name}`);
    const [what, over] = [nameOf(view), isOver(view)];
    const when = new Date(view.accepted_at ?? view.seen_at);
    find("what").textContent = what;
    find("status").className = `status ${over ? view.status : "pending"}`;
    put(find("status"), `status.${view.status}`);
    find("reason").textContent = this.#reasonOf(order);
    find("reason").hidden = !find("reason").textContent;
    find("when").hidden = !Number.isFinite(when.getTime());
    if (!find("when").hidden) {
      find("when").textContent = when.toLocaleTimeString(document.documentElement.lang);
      find("when").dateTime = when.toISOString();
    }
    find("took").textContent = tookOf(view);
    find("page").hidden = !view.order_id;
    if (view.order_id) {
      find("page").href = `/orders/${encodeURIComponent(view.order_id)}`;
      label(find("page"), "orders.page.of", { what });
    }
    label(find("cancel"), "orders.cancel.of", { what });
    if (over && find("cancel") === document.activeElement) find("page").focus(); // it goes away
    find("cancel").hidden = !view.order_id || over || Boolean(view.missing);
  }

  #reasonOf({ view, wait }) {
    if (view.problem) return Problem.from(view.problem).text;
    if (view.missing) return say("orders.missing");
    if (view.status === "rejected") return view.reason ?? "";
    return view.status === "sending" && wait ? say("orders.again", { problem: wait.problem.text, n: wait.seconds }) : "";
  }
}

function tookOf(view) {
  if (FINAL.has(view.status)) {
    const ms = Date.parse(view.finished_at) - Date.parse(view.accepted_at);
    return Number.isFinite(ms) ? say("orders.took", { time: duration(Math.max(ms, 0)) }) : "";
  }
  const waited = Math.floor((Date.now() - view.seen_at) / 1000);
  return waited < 1 || view.missing || isOver(view) ? "" : say("orders.waiting", { time: duration(waited * 1000) });
}
