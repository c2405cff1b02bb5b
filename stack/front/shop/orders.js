// Orders: placed once, then followed to their final status by server-sent events, or by asking where there are none.

import { Problem, get, post, remove } from "./api.js";
import { FINAL, pathOf } from "./follow.js";
import { Form, numberOf, textOf } from "./form.js";
import { keep, kept, nameOf } from "./kept.js";
import { announce, byId, duration, fromTemplate, sleep, uuid } from "./page.js";

const MAX_STREAMS = 3; // a browser holds about six HTTP/1.1 connections per host: leave some for requests
const MAX_KEPT = 50;
const TITLES = {
  pending: "Pending",
  success: "Success",
  rejected: "Rejected",
  failed: "Failed",
  cancelled: "Cancelled",
};

export class Orders {
  #kept = new Map(); // id -> { view, row }, oldest first
  #streams = 0;
  #unsure = null; // { body, key } of an order sent without an answer: sent again, it keeps its key

  constructor() {
    this.form = new Form("order-form", (form) => this.#place(form));
    setInterval(() => this.#drawWaiting(), 1000);
  }

  /** Fills in the form for a product, and leaves the visitor at the quantity. */
  offer(product, quantity) {
    this.form.input("product").value = product;
    if (quantity) this.form.input("quantity").value = quantity;
    this.form.element.scrollIntoView({ block: "center" });
    this.form.input("quantity").focus({ preventScroll: true });
    this.form.input("quantity").select();
  }

  /** Shows the orders of this browser again, and goes on following those that are pending. */
  async restore() {
    const views = kept();
    for (const view of views) this.#keep(view);
    for (const view of views) {
      if (FINAL.has(view.status)) continue;
      this.#follow(view.order_id);
      await sleep(400); // the gateway allows few requests at once
    }
  }

  async #place(form) {
    const product = textOf(form.input("product"), "A product");
    const quantity = numberOf(form.input("quantity"));
    const body = { product, quantity };
    if (JSON.stringify(this.#unsure?.body) !== JSON.stringify(body)) this.#unsure = { body, key: uuid() };
    const headers = { "Idempotency-Key": this.#unsure.key };
    let accepted;
    try {
      accepted = await form.patiently(() => post("/api/orders", body, headers));
    } catch (problem) {
      if (problem instanceof Problem && problem.isRefusal) this.#unsure = null;
      throw problem;
    }
    this.#unsure = null;
    const view = { product, quantity, ...accepted, seen_at: Date.now() };
    announce(`Order accepted: ${nameOf(view)}.`);
    if (!this.#kept.has(view.order_id)) this.#keep(view);
    this.#follow(view.order_id);
  }

  #isFinal(id) {
    return FINAL.has(this.#kept.get(id)?.view.status);
  }

  /** Takes an order back; what has become of it meanwhile wins. */
  async #cancel(id) {
    const { view, row } = this.#kept.get(id);
    const button = row.querySelector(".cancel");
    if (button.hasAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    try {
      this.#update(id, await remove(pathOf(id)));
    } catch (problem) {
      if (problem.status === 409) this.#update(id, await get(pathOf(id)).catch(() => ({})));
      else announce(`${nameOf(view)} was not cancelled. ${problem.text ?? ""}`);
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }

  // The list

  #keep(view) {
    const row = fromTemplate("order-row");
    row.querySelector(".cancel").addEventListener("click", () => this.#cancel(view.order_id));
    this.#kept.set(view.order_id, { view, row });
    byId("orders").prepend(row);
    byId("orders-empty").hidden = true;
    if (this.#kept.size > MAX_KEPT) {
      const [oldest, { row: oldRow }] = this.#kept.entries().next().value;
      this.#kept.delete(oldest);
      oldRow.remove();
    }
    this.#draw(view.order_id);
    this.#save();
  }

  #update(id, news) {
    const order = this.#kept.get(id);
    if (!order || this.#isFinal(id)) return; // the first final status wins
    order.view = { ...order.view, ...news, missing: false };
    this.#draw(id);
    this.#save();
    if (this.#isFinal(id)) {
      const { view } = order;
      announce(`${nameOf(view)}: ${TITLES[view.status]}${view.reason ? `, ${view.reason}` : ""}.`);
    }
  }

  #draw(id) {
    const { view, row } = this.#kept.get(id);
    const find = (name) => row.querySelector(`.${name}`);
    const when = new Date(view.accepted_at ?? view.seen_at);
    find("what").textContent = nameOf(view);
    find("status").className = `status ${TITLES[view.status] ? view.status : "pending"}`;
    find("status").textContent = TITLES[view.status] ?? view.status;
    find("reason").textContent = view.missing ? "The shop does not know this order." : view.reason ?? "";
    find("reason").hidden = !view.reason && !view.missing;
    find("when").textContent = when.toLocaleTimeString();
    if (Number.isFinite(when.getTime())) find("when").dateTime = when.toISOString();
    find("took").textContent = tookOf(view);
    find("id").textContent = id.slice(0, 8) + "…";
    find("id").title = id;
    find("id").setAttribute("aria-label", `Page of the order of ${nameOf(view)}, ${id}`);
    find("id").href = `/orders/${encodeURIComponent(id)}`;
    find("cancel").setAttribute("aria-label", `Cancel ${nameOf(view)}`);
    if (this.#isFinal(id) && find("cancel") === document.activeElement) find("id").focus(); // it goes away
    find("cancel").hidden = this.#isFinal(id) || Boolean(view.missing);
  }

  #drawWaiting() {
    for (const [id, { view, row }] of this.#kept) if (!this.#isFinal(id)) row.querySelector(".took").textContent = tookOf(view);
  }

  #save() {
    keep(Array.from(this.#kept.values(), ({ view }) => view));
  }

  // Following

  #follow(id) {
    if (this.#isFinal(id)) return;
    if (window.EventSource && this.#streams < MAX_STREAMS) this.#listen(id);
    else this.#poll(id);
  }

  /** Follows an order by server-sent events; a stream that keeps failing gives way to polling. */
  #listen(id) {
    this.#streams += 1;
    let failures = 0;
    const source = new EventSource(`${pathOf(id)}/events`);
    const stop = () => {
      source.close(); // otherwise the browser connects again after the last event
      clearInterval(check);
      this.#streams -= 1;
    };
    const check = setInterval(async () => { // a silent stream is not a lost order
      const answer = await get(pathOf(id)).catch(() => null);
      if (source.readyState === EventSource.CLOSED) return;
      if (answer) this.#update(id, answer);
      if (this.#isFinal(id)) stop();
    }, 15000);
    source.addEventListener("status", (event) => {
      failures = 0;
      try {
        this.#update(id, JSON.parse(event.data));
      } catch (error) {
        console.error(error);
      }
      if (this.#isFinal(id)) stop();
    });
    source.addEventListener("error", () => {
      failures += 1;
      if (source.readyState !== EventSource.CLOSED && failures < 3) return; // the browser is reconnecting
      stop();
      this.#poll(id);
    });
  }

  async #poll(id) {
    let delay = 800;
    let unknown = 0;
    while (this.#kept.has(id) && !this.#isFinal(id)) {
      await sleep(delay * (1 + Math.random() / 4));
      delay = Math.min(delay * 1.4, 8000);
      try {
        this.#update(id, await get(pathOf(id)));
        unknown = 0;
      } catch (problem) {
        if (problem.retryAfter) delay = problem.retryAfter * 1000;
        // While its database is unavailable the shop accepts orders that it cannot show yet.
        if (problem.status === 404 && (unknown += 1) >= 12) {
          this.#kept.get(id).view.missing = true;
          this.#draw(id);
          return;
        }
      }
    }
  }
}

function tookOf(view) {
  if (FINAL.has(view.status)) {
    const ms = Date.parse(view.finished_at) - Date.parse(view.accepted_at);
    return Number.isFinite(ms) ? `took ${duration(Math.max(ms, 0))}` : "";
  }
  const waited = Math.floor((Date.now() - view.seen_at) / 1000);
  return waited < 1 || view.missing ? "" : `waiting for ${waited < 60 ? `${waited} s` : duration(waited * 1000)}`;
}
