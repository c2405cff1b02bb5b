// Sends orders until the shop has them, under the key that each was given before it was sent first: a lost answer, a
// reload or an hour without a network makes it one order all the same.

import { Problem, post } from "./api.js";
import { again } from "./kept.js";
import { sleep } from "./page.js";

const LONGEST = 30; // between two tries, in seconds

export class Sender {
  #waiting = []; // views, the oldest first
  #sending = false;
  #hears;

  /** `hears.taken(view, receipt)`, `refused(view, problem)`, and `waits(view, problem, seconds)` with each second until the next try. */
  constructor(hears) {
    this.#hears = hears;
  }

  /** Sends this order after those before it. */
  send(view) {
    this.#waiting.push(view);
    if (!this.#sending) this.#run();
  }

  async #run() {
    this.#sending = true;
    // One tab sends at a time, where the browser can have it so; the key makes it one order in any case.
    const send = () => this.#sendAll();
    await (navigator.locks ? navigator.locks.request("orders", send) : send());
    this.#sending = false;
    if (this.#waiting.length > 0) this.#run();
  }

  async #sendAll() {
    let failures = 0;
    while (this.#waiting.length > 0) {
      const [view] = this.#waiting;
      const isSent = again(view)?.status !== "sending"; // by another tab, meanwhile
      const problem = isSent ? null : await this.#try(view);
      if (problem?.isPassing) await this.#wait(view, problem, (failures += 1));
      else {
        failures = 0;
        this.#waiting.shift();
        if (problem) this.#hears.refused(view, problem);
      }
    }
  }

  /** Returns what went wrong, or null. */
  async #try({ key, product, quantity, ...view }) {
    try {
      const receipt = await post("/api/orders", { product, quantity }, { "Idempotency-Key": key });
      this.#hears.taken({ key, product, quantity, ...view }, receipt);
      return null;
    } catch (problem) {
      if (problem instanceof Problem) return problem;
      console.error(problem);
      return new Problem("page", { status: 0 });
    }
  }

  async #wait(view, problem, failures) {
    const over = new AbortController();
    let isBack = false;
    const back = new Promise((resolve) => {
      window.addEventListener("online", () => resolve((isBack = true)), { signal: over.signal });
    });
    const seconds = problem.retryAfter ?? Math.min(2 ** failures, LONGEST);
    for (let left = seconds; left > 0 && !isBack; left -= 1) {
      this.#hears.waits(view, problem, left);
      await Promise.race([sleep(1000), back]);
    }
    over.abort();
  }
}
