// Follows orders to their ends: all of them by one stream of events, or by asking for one after the other where there is none.

import { Problem, get } from "./api.js";
import { sleep } from "./page.js";

const MOST = 100; // of one stream
const LOOK_EVERY = 15000; // a silent stream is not a lost order
const ASKED_IN_VAIN = 12;

export const FINAL = new Set(["success", "rejected", "failed", "cancelled"]);
export const pathOf = (id) => `/api/orders/${encodeURIComponent(id)}`;

export class Follower {
  #orders = new Map(); // id -> how often it was not known
  #running = false;
  #interrupt = () => {};
  #hears;

  /** `hears.seen(view)` is told each status, `missing(id)` of an order that the shop does not know, `away(problem)` while there is no answer. */
  constructor(hears) {
    this.#hears = { missing: () => {}, away: () => {}, ...hears };
  }

  /** Follows one more order, until it has ended. */
  follow(id) {
    if (this.#orders.has(id)) return;
    this.#orders.set(id, 0);
    if (this.#running) this.#interrupt();
    else this.#run();
  }

  leave(id) {
    if (this.#orders.delete(id)) this.#interrupt();
  }

  async #run() {
    this.#running = true;
    await null; // orders that are added together share their stream
    let failures = 0;
    while (this.#orders.size > 0) {
      const failed = !window.EventSource || failures > 2 || !(await this.#listen());
      if (!failed) {
        failures = 0;
        continue;
      }
      failures += 1;
      await this.#ask(failures);
      if (failures > 8) failures = 2; // then a stream is tried again
    }
    this.#running = false;
  }

  /** Listens until the orders have ended or are others; returns false if the stream fails. */
  async #listen() {
    const ids = Array.from(this.#orders.keys()).slice(0, MOST);
    const source = new EventSource(`/api/events?ids=${ids.join(",")}`);
    let failures = 0;
    let looked = 0;
    const check = setInterval(async () => {
      const pending = ids.filter((id) => this.#orders.has(id));
      const view = await get(pathOf(pending[(looked += 1) % pending.length])).catch(() => null);
      if (view && source.readyState !== EventSource.CLOSED) this.#hear(view);
    }, LOOK_EVERY);
    const went = await new Promise((resolve) => {
      this.#interrupt = () => resolve(true);
      source.addEventListener("status", (event) => {
        failures = 0;
        try {
          this.#hear(JSON.parse(event.data));
        } catch (error) {
          console.error(error);
        }
        if (!ids.some((id) => this.#orders.has(id))) resolve(true);
      });
      source.addEventListener("error", () => {
        failures += 1;
        if (source.readyState === EventSource.CLOSED || failures >= 3) resolve(false); // else the browser is connecting again
      });
    });
    this.#interrupt = () => {};
    clearInterval(check);
    source.close(); // otherwise the browser connects again after the last event
    return went;
  }

  /** Asks for each order once, a little slower each time. */
  async #ask(nth) {
    let pause = Math.min(800 * 1.4 ** nth, 8000);
    for (const id of Array.from(this.#orders.keys())) {
      await sleep(pause * (1 + Math.random() / 4));
      if (!this.#orders.has(id)) continue;
      try {
        this.#hear(await get(pathOf(id)));
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        if (problem.retryAfter) pause = problem.retryAfter * 1000;
        if (problem.status === 404) this.#isUnknown(id);
        else this.#hears.away(problem);
      }
    }
  }

  /** While its database is unavailable the shop accepts orders that it cannot show yet. */
  #isUnknown(id) {
    const times = this.#orders.get(id) + 1;
    this.#orders.set(id, times);
    if (times < ASKED_IN_VAIN) return;
    this.#orders.delete(id);
    this.#hears.missing(id);
  }

  #hear(view) {
    if (!this.#orders.has(view.order_id)) return; // the first final status wins
    this.#orders.set(view.order_id, 0);
    if (FINAL.has(view.status)) this.#orders.delete(view.order_id);
    this.#hears.seen(view);
  }
}
