// Requests to the shop, and what can go wrong with them.

/** What went wrong with a request: a problem (RFC 9457), a plain answer, or no answer at all. */
export class Problem extends Error {
  constructor(status, title, { detail = "", field = null, retryAfter = null, calm = false } = {}) {
    super(title);
    Object.assign(this, { status, title, detail, field, retryAfter, calm });
  }

  static async of(response) {
    const text = await response.text().catch(() => "");
    let body = {};
    try {
      body = JSON.parse(text) ?? {};
    } catch {
      if (/^text\/plain/.test(response.headers.get("Content-Type") ?? "")) body = { detail: text.slice(0, 300) };
    }
    const limited = response.status === 429 || body.error === "Rate limit exceeded";
    const title = limited ? "That was a little fast for the workshop" : body.title ?? body.error ?? `The shop answered ${response.status}`;
    return new Problem(response.status, String(title), {
      detail: limited ? "" : String(body.detail ?? body.message ?? ""),
      field: body.field ?? null,
      retryAfter: secondsOf(response.headers.get("Retry-After")),
    });
  }

  get text() {
    const title = /[.!?…]$/.test(this.title) ? this.title : `${this.title}.`;
    return this.detail && this.detail !== this.title ? `${title} ${this.detail}` : title;
  }

  get isBusy() {
    return this.status === 503 || this.status === 429;
  }

  /** The request itself is refused: the same again would be too. */
  get isRefusal() {
    return this.status >= 400 && this.status < 500;
  }
}

/** `Retry-After` is a number of seconds or a date. */
export function secondsOf(retryAfter) {
  if (!retryAfter) return null;
  const seconds = /^\s*\d+\s*$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 1), 120) : null;
}

/** Returns the response, if it says that all went well; otherwise throws a Problem. */
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
    throw new Problem(0, "No answer from the shop", { detail: "It may be restarting. Please try again." });
  }
  if (!response.ok) throw await Problem.of(response);
  return response;
}

export const get = async (path) => (await request(path)).json();
export const remove = async (path) => (await request(path, { method: "DELETE" })).json();
export const post = async (path, body, headers) => (await request(path, { method: "POST", body, headers })).json();
