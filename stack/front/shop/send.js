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

  /** Sends this order after those before it; one that waits already is not sent twice. */
  send(view) {
    if (this.#waiting.some(({ key }) => key === view.key)) return;
    this.#waiting.push(view);
    if (!this.#sending) this.#run();
  }

  async #run() {
    this.#sending = true;
    let failures = 0;
    while (this.#waiting.length > 0) {
      const [view] = this.#waiting;
      const isSent = again(view)?.status !== "sending"; // by another tab, meanwhile
      const problem = isSent ? null : await this.#try(view);
      if (problem?.isPassing) await this.#wait(problem, (failures += 1));
      else failures = 0;
      this.#waiting.shift();
      if (problem?.isPassing) this.#waiting.push(view); // an order that fails each time holds up no other
      else if (problem) this.#hears.refused(view, problem);
    }
    this.#sending = false;
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

  async #wait(problem, failures) {
    const over = new AbortController();
    let isBack = false;
    const back = new Promise((resolve) => {
      window.addEventListener("online", () => resolve((isBack = true)), { signal: over.signal });
    });
    const seconds = problem.retryAfter ?? Math.min(2 ** failures, LONGEST);
    for (let left = seconds; left > 0 && !isBack; left -= 1) {
      for (const view of this.#waiting) this.#hears.waits(view, problem, left);
      await Promise.race([sleep(1000), back]);
    }
    over.abort();
  }
}
