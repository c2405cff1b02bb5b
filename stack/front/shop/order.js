// One order's page: where it is, in a shopper's words, what becomes of it, and what can be done.

import { Problem, get, remove, request } from "./api.js";
import { FINAL, Follower, pathOf } from "./follow.js";
import { find, nameOf, note } from "./kept.js";
import { announce, byId, sleep } from "./page.js";
import { duration, moment, put, say } from "./words.js";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const LONG = 8000; // most orders take less, in milliseconds
const AGAIN = 30000; // an operator may have a failed order validated once more, and an unknown one may still be written
const STATES = new Set(["pending", ...FINAL, "unknown", "malformed"]);

/** What can become of each step, by the order's status. */
const STEPS = {
  pending: ["done", "now", "next"],
  success: ["done", "done", "done"],
  rejected: ["done", "done", "out"],
  failed: ["done", "now", "next"],
  cancelled: ["done", "out", "out"],
};

export class OrderPage {
  #id;
  #view = null;
  #state = "looking";
  #isAway = false;
  #drawn = null; // the plan that is shown
  #waited = { since: performance.now(), before: 0 };
  #follower;
  #followed = () => {};

  constructor(id) {
    this.#id = ID.test(id) ? id.toLowerCase() : id;
    this.#follower = new Follower({
      seen: (view) => this.#see(view),
      missing: () => {
        this.#show("unknown");
        this.#followed();
      },
      away: () => this.#showAway(true),
    });
    byId("cancel").addEventListener("click", () => this.#cancel());
    document.body.addEventListener("language", () => this.#draw());
  }

  /** Shows the order, and what becomes of it. */
  async open() {
    byId("id").textContent = this.#id;
    if (!ID.test(this.#id)) return this.#show("malformed");
    this.#view = find(this.#id);
    if (this.#view) this.#show(this.#view.status);
    const ticking = setInterval(() => this.#tick(), 1000);
    while (!this.#isOver()) {
      await this.#look();
      if (!FINAL.has(this.#state)) await this.#follow();
      if (!this.#isOver()) await sleep(AGAIN);
    }
    clearInterval(ticking);
  }

  /** Follows the order until it has ended, or is looked for in vain. */
  #follow() {
    this.#follower.follow(this.#id);
    return new Promise((resolve) => { this.#followed = resolve; });
  }

  /** Asks until the shop has answered. */
  async #look() {
    for (let pause = 1000; ; pause = Math.min(pause * 1.5, 15000)) {
      try {
        const response = await request(pathOf(this.#id), { cache: "no-cache" });
        const view = await response.json();
        const sent = Date.parse(response.headers.get("Date")) - Date.parse(view.accepted_at); // by the shop's clock
        if (Number.isFinite(sent)) this.#waited = { since: performance.now(), before: Math.max(sent, 0) };
        return this.#see(view);
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        if (problem.status === 404) return this.#show("unknown");
        this.#showAway(true);
        await sleep(problem.retryAfter ? problem.retryAfter * 1000 : pause);
      }
    }
  }

  /** The first final status wins; one that failed may have another. */
  #isOver() {
    return FINAL.has(this.#state) && this.#state !== "failed";
  }

  #see(view) {
    if (this.#isOver()) return;
    const isNews = this.#state !== view.status;
    this.#view = { ...this.#view, ...view };
    note(view);
    this.#isAway = false;
    this.#show(view.status);
    if (isNews) announce(`${say(`order.${this.#state}`)}. ${nameOf(this.#view)}`);
  }

  #showAway(isAway) {
    if (this.#isAway === isAway) return;
    this.#isAway = isAway;
    this.#draw();
    announce(byId("away").textContent);
  }

  #show(state) {
    if (this.#isOver()) return;
    this.#state = STATES.has(state) ? state : "pending";
    this.#draw();
    if (FINAL.has(this.#state)) this.#followed();
    if (this.#state === "success") this.#drawPlan();
  }

  // What is seen

  #draw() {
    const [state, view] = [this.#state, this.#view];
    const what = view ? nameOf(view) : "";
    const isKnown = Object.hasOwn(STEPS, state);
    put(byId("state"), `order.${state}`);
    byId("state").className = state;
    byId("what").textContent = what;
    byId("what").hidden = !what;
    if (state === "looking") byId("explained").textContent = "";
    else put(byId("explained"), `order.${state}.more`);
    byId("said").textContent = state === "rejected" ? view?.reason ?? "" : "";
    byId("said").hidden = !byId("said").textContent;
    byId("help").hidden = state !== "rejected";
    put(byId("away-text"), view ? "order.away.known" : "order.away");
    byId("away").hidden = !this.#isAway;
    byId("steps").hidden = !isKnown;
    if (isKnown) this.#drawSteps(STEPS[state]);
    if (state !== "pending" && byId("cancel") === document.activeElement) byId("state").focus(); // it goes away
    byId("cancel").hidden = state !== "pending";
    byId("again").hidden = !view?.product;
    if (view?.product) byId("again").href = `/?${new URLSearchParams({ product: view.product, quantity: view.quantity ?? 1 })}`;
    document.title = [say(`order.${state}`), what, "WoodyToys"].filter(Boolean).join(" · ");
    this.#tick();
  }

  #drawSteps(steps) {
    const { accepted_at, finished_at } = this.#view ?? {};
    const rows = Array.from(byId("steps").children);
    const ended = steps[1] === "done" ? (steps[2] === "done" ? 2 : 1) : -1;
    rows.forEach((row, index) => {
      row.className = steps[index];
      if (steps[index] === "now") row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
      put(row.querySelector(".how"), `order.step.${steps[index]}`);
      const time = row.querySelector("time");
      const date = new Date(index === 0 ? accepted_at : index === ended ? finished_at : NaN);
      time.hidden = !Number.isFinite(date.getTime());
      if (time.hidden) return;
      time.dateTime = date.toISOString();
      time.textContent = moment(date);
    });
    const took = Date.parse(finished_at) - Date.parse(accepted_at);
    byId("took").textContent = Number.isFinite(took) && ended === 2 ? say("order.took", { time: duration(Math.max(took, 0)) }) : "";
  }

  #tick() {
    const waited = this.#waited.before + performance.now() - this.#waited.since;
    const isPending = this.#state === "pending";
    byId("longer").hidden = !isPending || this.#isAway || waited < LONG;
    byId("waited").textContent = isPending && waited >= 1000 ? say("order.waiting", { time: duration(Math.floor(waited / 1000) * 1000) }) : "";
  }

  /** As an image the drawing cannot run a script, whatever is in it. */
  async #drawPlan() {
    const { product, quantity = 1 } = this.#view ?? {};
    if (!product || this.#drawn) return;
    this.#drawn = { product, quantity };
    const asked = new URLSearchParams({ name: product, quantity });
    const response = await request(`/api/misc/heavy?${asked}`, { headers: { Accept: "image/svg+xml" } }).catch(() => null);
    if (!(response?.headers.get("Content-Type") ?? "").startsWith("image/svg+xml")) return; // the page does without
    const address = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(await response.text())}`;
    const name = () => ({ what: nameOf(this.#view) });
    put(byId("plan-title"), "order.plan", name);
    byId("plan-image").src = address;
    byId("plan-save").href = address;
    byId("plan-save").download = `${product.replace(/[^\p{L}\p{N}]+/gu, "-")}.svg`;
    byId("plan").hidden = false;
  }

  /** Takes the order back; what has become of it meanwhile wins. */
  async #cancel() {
    const button = byId("cancel");
    if (button.hasAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    byId("cancelled").hidden = true;
    let failed = null;
    try {
      this.#see(await remove(pathOf(this.#id)));
      this.#follower.leave(this.#id);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      failed = problem.status === 409 ? "order.cancel.late" : "order.cancel.failed";
      if (problem.status === 409) await get(pathOf(this.#id)).then((view) => this.#see(view), () => {});
    } finally {
      button.removeAttribute("aria-disabled");
    }
    if (!failed) return;
    put(byId("cancelled"), failed);
    byId("cancelled").hidden = false;
    announce(say(failed));
  }
}
