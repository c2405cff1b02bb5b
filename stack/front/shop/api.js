// Requests to the shop, and what can go wrong with them.

import { has, say } from "./words.js";

const URN = "urn:woodytoys:problem:";

/** What went wrong with a request; the tables of words have a sentence for its kind. */
export class Problem extends Error {
  constructor(kind, { status = 0, field = null, fields = [field], retryAfter = null, calm = false } = {}) {
    super(kind);
    Object.assign(this, { kind, status, field, fields, retryAfter, calm });
  }

  static async of(response) {
    const text = await response.text().catch(() => "");
    let body = {};
    try {
      body = JSON.parse(text) ?? {};
    } catch {
      // Not the shop's: the status says it.
    }
    const { status } = response;
    return new Problem(kindOf(status, body), {
      status,
      field: body.field ?? null,
      fields: body.errors?.map?.(({ field }) => field),
      retryAfter: secondsOf(response.headers.get("Retry-After")),
    });
  }

  /** The same, as it was kept. */
  static from({ kind, status, field }) {
    return new Problem(kind, { status, field });
  }

  /** What it says, of its field if there are words. */
  get text() {
    return this.about(this.field);
  }

  about(field) {
    const leaf = String(field ?? "").split(/\W+/).filter(Boolean).at(-1);
    const keys = [`problem.${this.kind}.${leaf}`, `problem.${this.kind}`];
    return say(keys.find(has) ?? "problem.other", { status: this.status });
  }

  get isBusy() {
    return this.status === 503 || this.status === 429;
  }

  /** It may well succeed another time. */
  get isPassing() {
    return this.status === 0 ? this.kind === "no-answer" : this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

function kindOf(status, { type, error }) {
  if (status === 429 || error === "Rate limit exceeded") return "rate-limited";
  if (typeof type === "string" && type.startsWith(URN)) return type.slice(URN.length);
  return [502, 503, 504].includes(status) ? "unavailable" : "other";
}

/** `Retry-After` is a number of seconds or a date. */
export function secondsOf(retryAfter) {
  if (!retryAfter) return null;
  const seconds = /^\s*\d+\s*$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 1), 120) : null;
}

/** Returns the response if all went well; otherwise throws a Problem. */
export async function request(path, { body, headers, ...options } = {}) {
  const asked = { Accept: "application/json", ...headers };
  if (body !== undefined) asked["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      ...options,
      headers: asked,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(30000),
    });
  } catch {
    throw new Problem("no-answer");
  }
  if (!response.ok) throw await Problem.of(response);
  return response;
}

/** Reads an answer to its end; one that breaks off is none. */
async function read(response) {
  try {
    return await response.json();
  } catch {
    throw new Problem("no-answer");
  }
}

export const get = async (path) => read(await request(path));
export const remove = async (path) => read(await request(path, { method: "DELETE" }));
export const post = async (path, body, headers) => read(await request(path, { method: "POST", body, headers }));
