// The shop's page. Data reaches the document through textContent and attributes only.

const MAX_STREAMS = 3; // a browser holds about six HTTP/1.1 connections per host: leave some for requests
const MAX_KEPT_ORDERS = 50;
const FINAL = new Set(["success", "rejected", "failed"]);
const TITLES = { pending: "Pending", success: "Success", rejected: "Rejected", failed: "Failed" };

const byId = (id) => document.getElementById(id);
const fromTemplate = (id) => byId(id).content.firstElementChild.cloneNode(true);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const announce = (text) => { byId("announcer").textContent = text; };

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** A UUIDv4; `randomUUID` is missing where the page came over plain http from another host. */
function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function duration(ms) {
  if (ms < 1) return "under 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(1)} s`;
  return `${Math.floor(ms / 60000)} min ${Math.round((ms % 60000) / 1000)} s`;
}

// Requests

/** What went wrong with a request: a problem (RFC 9457), a plain answer, or no answer at all. */
class Problem extends Error {
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
}

/** `Retry-After` is a number of seconds or a date. */
function secondsOf(retryAfter) {
  if (!retryAfter) return null;
  const seconds = /^\s*\d+\s*$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 1), 120) : null;
}

async function request(path, { body, headers, ...options } = {}) {
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

// Forms: one request at a time, errors beside their field, a calm wait while the shop is busy

class Form {
  #busy = false;
  #notice = null;

  constructor(id, send) {
    this.element = byId(id);
    this.button = this.element.querySelector("[type=submit]");
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit(send);
    });
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
      this.#show(problem instanceof Problem ? problem : new Problem(0, "The page could not read the shop's answer"));
    } finally {
      this.#busy = false;
      this.button.removeAttribute("aria-disabled");
    }
  }

  /** Sends again after `Retry-After` for as long as the shop says it is busy; the visitor may stop it. */
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
    const sentence = () => `${problem.text} Trying again in ${left} s.`;
    const { line, stop } = this.#say(sentence(), "Stop trying");
    announce(sentence());
    let stopped = false;
    stop.addEventListener("click", () => { stopped = true; this.button.focus(); });
    for (; left > 0 && !stopped; left -= 1) {
      line.textContent = sentence();
      for (let tenth = 0; tenth < 10 && !stopped; tenth += 1) await sleep(100);
    }
    if (stop === document.activeElement) this.button.focus();
    this.#dismiss();
    if (stopped) throw new Problem(503, "Stopped", { detail: "The shop took nothing.", calm: true });
  }

  #say(text, action, wrong = false) {
    this.#dismiss();
    this.#notice = element("div", wrong ? "notice wrong" : "notice", "");
    const line = element("span", "", text);
    const stop = element("button", "", action);
    stop.type = "button";
    this.#notice.append(line);
    if (action) this.#notice.append(stop);
    this.button.after(this.#notice);
    return { line, stop };
  }

  #dismiss() {
    this.#notice?.remove();
    this.#notice = null;
  }

  #show(problem) {
    const input = this.#inputOf(problem.field);
    if (!input) {
      this.#say(problem.text, "", !problem.calm);
      announce(problem.text);
      return;
    }
    const place = this.#errorPlace(input);
    place.textContent = problem.detail || problem.text;
    place.hidden = false;
    input.setAttribute("aria-invalid", "true");
    input.focus(); // its description is the error, so a screen reader says it here
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
    const row = sentParts[Number(path[parts + 1])];
    return row && (row.elements.namedItem(leaf) ?? row.elements[0]);
  }
}

function textOf(input, what, field = input.name) {
  const text = input.value.trim();
  if (!text) throw new Problem(0, `${what} is missing`, { detail: `Please give ${what.toLowerCase()}.`, field });
  return text;
}

/** The range is for the server to judge; this only keeps out what is no number. */
function numberOf(input, field = input.name) {
  if (input.value === "") throw new Problem(0, "Not a number", { detail: "Please give a whole number.", field });
  return Number(input.value);
}

// Orders

const orders = new Map(); // id -> { view, row }, oldest first
let streams = 0;
let unsure = null; // { body, key } of an order sent without an answer: sent again, it keeps its key

async function placeOrder(form) {
  const product = textOf(form.input("product"), "A product");
  const quantity = numberOf(form.input("quantity"));
  const body = { product, quantity };
  if (JSON.stringify(unsure?.body) !== JSON.stringify(body)) unsure = { body, key: uuid() };
  const headers = { "Idempotency-Key": unsure.key };
  let accepted;
  try {
    accepted = await form.patiently(async () => (await request("/api/orders", { method: "POST", body, headers })).json());
  } catch (problem) {
    if (problem.status >= 400 && problem.status < 500) unsure = null;
    throw problem;
  }
  unsure = null;
  const view = { product, quantity, ...accepted, seen_at: Date.now() };
  announce(`Order accepted: ${nameOf(view)}.`);
  if (!orders.has(view.order_id)) keep(view);
  follow(view.order_id);
}

const nameOf = (view) => (view.quantity > 1 ? `${view.quantity} × ${view.product}` : view.product);
const isFinal = (id) => FINAL.has(orders.get(id)?.view.status);

function keep(view) {
  const row = fromTemplate("order-row");
  orders.set(view.order_id, { view, row });
  byId("orders").prepend(row);
  byId("orders-empty").hidden = true;
  if (orders.size > MAX_KEPT_ORDERS) {
    const [oldest, { row: oldRow }] = orders.entries().next().value;
    orders.delete(oldest);
    oldRow.remove();
  }
  draw(view.order_id);
  save();
}

function update(id, news) {
  const order = orders.get(id);
  if (!order || isFinal(id)) return; // the first final status wins
  order.view = { ...order.view, ...news, missing: false };
  draw(id);
  save();
  if (isFinal(id)) {
    const { view } = order;
    announce(`${nameOf(view)}: ${TITLES[view.status]}${view.reason ? `, ${view.reason}` : ""}.`);
  }
}

function draw(id) {
  const { view, row } = orders.get(id);
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
  find("id").setAttribute("aria-label", `Order ${id} as JSON`);
  find("id").href = `/api/orders/${encodeURIComponent(id)}`;
}

function tookOf(view) {
  if (FINAL.has(view.status)) {
    const ms = Date.parse(view.finished_at) - Date.parse(view.accepted_at);
    return Number.isFinite(ms) ? `took ${duration(Math.max(ms, 0))}` : "";
  }
  const waited = Math.floor((Date.now() - view.seen_at) / 1000);
  return waited < 1 || view.missing ? "" : `waiting for ${waited < 60 ? `${waited} s` : duration(waited * 1000)}`;
}

setInterval(() => {
  for (const id of orders.keys()) if (!isFinal(id)) orders.get(id).row.querySelector(".took").textContent = tookOf(orders.get(id).view);
}, 1000);

function follow(id) {
  if (isFinal(id)) return;
  if (window.EventSource && streams < MAX_STREAMS) listen(id);
  else poll(id);
}

/** Follows an order by server-sent events; a stream that keeps failing gives way to polling. */
function listen(id) {
  streams += 1;
  let failures = 0;
  const source = new EventSource(`/api/orders/${encodeURIComponent(id)}/events`);
  const stop = () => {
    source.close(); // otherwise the browser connects again after the last event
    clearInterval(check);
    streams -= 1;
  };
  const check = setInterval(async () => { // a silent stream is not a lost order
    const answer = await request(`/api/orders/${encodeURIComponent(id)}`).then((it) => it.json()).catch(() => null);
    if (source.readyState === EventSource.CLOSED) return;
    if (answer) update(id, answer);
    if (isFinal(id)) stop();
  }, 15000);
  source.addEventListener("status", (event) => {
    failures = 0;
    try {
      update(id, JSON.parse(event.data));
    } catch (error) {
      console.error(error);
    }
    if (isFinal(id)) stop();
  });
  source.addEventListener("error", () => {
    failures += 1;
    if (source.readyState !== EventSource.CLOSED && failures < 3) return; // the browser is reconnecting
    stop();
    poll(id);
  });
}

async function poll(id) {
  let delay = 800;
  let unknown = 0;
  while (orders.has(id) && !isFinal(id)) {
    await sleep(delay * (1 + Math.random() / 4));
    delay = Math.min(delay * 1.4, 8000);
    try {
      update(id, await (await request(`/api/orders/${encodeURIComponent(id)}`)).json());
      unknown = 0;
    } catch (problem) {
      if (problem.retryAfter) delay = problem.retryAfter * 1000;
      // While its database is away the shop accepts orders that it cannot show yet.
      if (problem.status === 404 && (unknown += 1) >= 12) {
        orders.get(id).view.missing = true;
        draw(id);
        return;
      }
    }
  }
}

function save() {
  try {
    sessionStorage.setItem("orders", JSON.stringify(Array.from(orders.values(), ({ view }) => view)));
  } catch {
    // Without storage the list lasts as long as the page.
  }
}

async function restore() {
  let views = [];
  try {
    views = JSON.parse(sessionStorage.getItem("orders")) ?? [];
  } catch {
    return;
  }
  views.forEach(keep);
  for (const view of views) {
    if (FINAL.has(view.status)) continue;
    follow(view.order_id);
    await sleep(400); // the gateway allows few requests at once
  }
}

// Products

let sentParts = []; // the rows of the request under way: an error names a part by its index in it
let nextPage = null;

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
    row.querySelector("legend").textContent = `Part ${index + 1}`;
    row.querySelector(".remove").setAttribute("aria-label", `Remove part ${index + 1}`);
  });
}

function readParts() {
  sentParts = Array.from(byId("parts").children);
  return sentParts.map((row, index) => {
    const input = (name) => row.elements.namedItem(name);
    const number = (name) => numberOf(input(name), `parts[${index}].${name}`);
    return {
      name: textOf(input("name"), "A name", `parts[${index}].name`),
      width_mm: number("width_mm"),
      height_mm: number("height_mm"),
      count: number("count"),
    };
  });
}

async function addProduct(form) {
  const body = { name: textOf(form.input("name"), "A name") };
  const parts = readParts();
  if (parts.length) body.parts = parts;
  const product = await form.patiently(async () => (await request("/api/products", { method: "POST", body })).json());
  byId("products").prepend(productRow({ ...body, ...product }));
  byId("products-empty").hidden = true;
  suggest();
  announce(`${body.name} is on the shelf.`);
  form.element.reset();
  byId("parts").replaceChildren();
  form.input("name").focus();
}

function productRow(product) {
  const row = fromTemplate("product-row");
  const pieces = (product.parts ?? []).reduce((sum, part) => sum + (part.count ?? 1), 0);
  row.querySelector(".name").textContent = product.name;
  row.querySelector(".meta").textContent = pieces ? `${pieces} ${pieces === 1 ? "piece" : "pieces"} each` : "Cut as the letters of its name";
  const button = row.querySelector(".order");
  button.setAttribute("aria-label", `Order ${product.name}`);
  button.addEventListener("click", () => {
    orderForm.input("product").value = product.name;
    orderForm.element.scrollIntoView({ block: "center" });
    orderForm.input("quantity").focus({ preventScroll: true });
    orderForm.input("quantity").select();
  });
  return row;
}

async function showProducts(after) {
  const empty = byId("products-empty");
  const more = byId("more-products");
  const query = new URLSearchParams({ limit: "8" });
  if (after) query.set("after", after);
  for (;;) {
    try {
      const page = await (await request(`/api/products?${query}`)).json();
      byId("products").append(...page.items.map(productRow));
      nextPage = page.next ?? null;
      break;
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      empty.hidden = false;
      empty.textContent = `${problem.text} Looking again shortly.`;
      await sleep((problem.retryAfter ?? 5) * 1000);
    }
  }
  more.hidden = nextPage === null;
  empty.hidden = byId("products").childElementCount > 0;
  empty.textContent = "The shelf is empty. Add the first product.";
  suggest();
}

function suggest() {
  const names = new Set(Array.from(byId("products").querySelectorAll(".name"), (name) => name.textContent));
  byId("known-products").replaceChildren(...Array.from(names, (name) => new Option(name, name)));
}

// Cutting plans

async function drawPlan(form) {
  const name = textOf(form.input("name"), "A toy");
  const figure = byId("plan-image").parentElement;
  figure.setAttribute("aria-busy", "true");
  try {
    await form.patiently(async () => {
      const start = performance.now();
      const response = await request(`/api/misc/heavy?${new URLSearchParams({ name })}`, {
        headers: { Accept: "image/svg+xml" },
        cache: "no-store", // the shop's cache is what this shows, not the browser's
      });
      const drawing = await response.text();
      const elapsed = performance.now() - start;
      const type = response.headers.get("Content-Type") ?? "no type";
      if (!type.startsWith("image/svg+xml")) throw new Problem(0, "The shop sent no drawing", { detail: `It answered ${type}.` });
      showPlan(name, drawing);
      showCall(name, elapsed, response.headers.get("Cache-Status"));
    });
  } finally {
    figure.removeAttribute("aria-busy");
  }
}

/** As an image the drawing cannot run a script, whatever is in it. */
function showPlan(name, drawing) {
  const address = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawing)}`;
  const image = byId("plan-image");
  image.src = address;
  image.alt = `Cutting plan of ${name}`;
  image.hidden = false;
  byId("plan-empty").hidden = true;
  const link = byId("plan-save");
  link.href = address;
  link.download = `plan-${name.replace(/[^\p{L}\p{N}]+/gu, "-")}.svg`;
  link.hidden = false;
}

function showCall(name, elapsed, cacheStatus) {
  const hit = /;\s*hit\b/i.test(cacheStatus ?? "");
  const source = hit ? "from the cache" : "planned afresh";
  const row = document.createElement("li");
  const line = element("div", "line", "");
  line.append(element("strong", "", name), element("span", hit ? "took hit" : "took", duration(elapsed)));
  const meta = element("p", "meta", `${source[0].toUpperCase()}${source.slice(1)} `);
  if (cacheStatus) meta.append(element("code", "", cacheStatus));
  row.append(line, meta);
  byId("calls").prepend(row);
  while (byId("calls").childElementCount > 5) byId("calls").lastElementChild.remove();
  announce(`Plan of ${name}: ${duration(elapsed)}, ${source}.`);
}

// Opening the shop

const orderForm = new Form("order-form", placeOrder);
new Form("product-form", addProduct);
new Form("plan-form", drawPlan);
byId("add-part").addEventListener("click", addPart);
byId("more-products").addEventListener("click", () => {
  byId("more-products").hidden = true;
  showProducts(nextPage);
});
byId("origin").textContent = location.origin;
restore();
showProducts();
