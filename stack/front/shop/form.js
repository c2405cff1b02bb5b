// Forms: one request at a time, errors beside their field, a calm wait while the shop is busy.

import { Problem } from "./api.js";
import { announce, byId, element, sleep } from "./page.js";
import { put } from "./words.js";

export class Form {
  #busy = false;
  #notice = null;

  /** `partAt` returns the row of a part, by the index that an error names. */
  constructor(id, send, partAt = () => undefined) {
    this.element = byId(id);
    this.partAt = partAt;
    this.button = this.element.querySelector("[type=submit]");
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(send);
    });
    // A double click, and a key that is held, mean one submit.
    this.button.addEventListener("click", (event) => { if (event.detail > 1) event.preventDefault(); });
    this.element.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.repeat) event.preventDefault(); });
    this.element.addEventListener("input", (event) => this.#clear(event.target));
  }

  async submit(send) {
    if (this.#busy) return;
    this.#busy = true;
    this.button.setAttribute("aria-disabled", "true");
    this.#dismiss();
    for (const input of this.element.querySelectorAll("[aria-invalid]")) this.#clear(input);
    try {
      await send(this);
    } catch (problem) {
      if (!(problem instanceof Problem)) console.error(problem);
      this.#show(problem instanceof Problem ? problem : new Problem("page"));
    } finally {
      this.#busy = false;
      this.button.removeAttribute("aria-disabled");
    }
  }

  /** Sends again after `Retry-After` while the shop is busy; the visitor may stop it. */
  async patiently(send) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await send();
      } catch (problem) {
        if (!problem.isBusy || attempt === 5) throw problem;
        await this.#wait(problem);
      }
    }
  }

  input(name) {
    return Array.from(this.element.elements).find((input) => input.name === name);
  }

  async #wait(problem) {
    let left = problem.retryAfter ?? 2;
    const { line, stop } = this.#say("form.again", () => ({ problem: problem.text, n: left }), "form.stop");
    announce(line.textContent);
    let stopped = false;
    stop.addEventListener("click", () => { stopped = true; this.button.focus(); });
    for (; left > 0 && !stopped; left -= 1) {
      put(line, "form.again", () => ({ problem: problem.text, n: left }));
      for (let tenth = 0; tenth < 10 && !stopped; tenth += 1) await sleep(100);
    }
    if (stop === document.activeElement) this.button.focus();
    this.#dismiss();
    if (stopped) throw new Problem("stopped", { calm: true });
  }

  #say(key, filled, action, wrong = false) {
    this.#dismiss();
    this.#notice = element("div", wrong ? "notice wrong" : "notice");
    const [line, stop] = [element("span"), element("button")];
    put(line, key, filled);
    stop.type = "button";
    this.#notice.append(line);
    if (action) {
      put(stop, action);
      this.#notice.append(stop);
    }
    this.button.after(this.#notice);
    return { line, stop };
  }

  #dismiss() {
    this.#notice?.remove();
    this.#notice = null;
  }

  #show(problem) {
    const fields = problem.fields.filter((field) => this.#inputOf(field));
    if (!fields[0]) {
      this.#say("form.problem", () => ({ problem: problem.text }), "", !problem.calm);
      announce(problem.text);
      return;
    }
    for (const field of fields.reverse()) {
      const input = this.#inputOf(field);
      const place = this.#errorPlace(input);
      put(place, "form.problem", () => ({ problem: problem.about(field) }));
      place.hidden = false;
      input.setAttribute("aria-invalid", "true");
      input.focus(); // a screen reader says its description
    }
  }

  #clear(input) {
    input.removeAttribute("aria-invalid");
    const place = this.#errorPlace(input);
    if (place) place.hidden = true;
  }

  #errorPlace(input) {
    return Array.from(input.parentElement.querySelectorAll("[data-error-for]")).find((place) => place.dataset.errorFor === input.name);
  }

  /** Finds the input of `quantity`, `/quantity`, `parts[1].width_mm` or `/parts/1/width_mm`. */
  #inputOf(field) {
    const path = String(field ?? "").split(/\W+/).filter(Boolean);
    const leaf = path.at(-1);
    const parts = path.indexOf("parts");
    if (parts < 0) return leaf && this.input(leaf);
    const row = this.partAt(Number(path[parts + 1]));
    return row && (row.elements.namedItem(leaf) ?? row.elements[0]);
  }
}

export function textOf(input, field = input.name) {
  const text = input.value.trim();
  if (!text) throw new Problem("missing", { field });
  return text;
}

/** Keeps out what is no number; the range is for the server to judge. */
export function numberOf(input, field = input.name) {
  if (input.value === "") throw new Problem("not-a-number", { field });
  return Number(input.value);
}
