// Runs the tests of one module in a real browser: /test/?module=orders.

import { speak } from "/shop/words.js";

const tests = [];
const real = { fetch: window.fetch, setTimeout: window.setTimeout, setInterval: window.setInterval, EventSource: window.EventSource };
const module = new URLSearchParams(location.search).get("module");
const PAGES = { order: "/orders/of-a-test", words: "/orders/of-a-test", products: "/workshop", plan: "/workshop" };
const markup = fetch(PAGES[module] ?? "/index.html").then((response) => response.text());

/** Adds a test. Each begins with the page as it is served, no orders kept, and no answer from the shop. */
export const test = (name, run) => tests.push({ name, run });

export function equal(actual, expected, what = "") {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`${what} is ${is}, and should be ${should}`);
}

export async function fails(promise) {
  const outcome = await promise.then((value) => ({ value }), (error) => ({ error }));
  if (!outcome.error) throw new Error(`no error, but ${JSON.stringify(outcome.value)}`);
  return outcome.error;
}

/** Waits, one turn of the browser's loop after the other, until the condition holds; the runner has the last word. */
export async function until(what, condition) {
  now = what;
  while (!condition()) await new Promise((resolve) => real.setTimeout.call(window, resolve, 0));
  now = "";
}
let now = "";

/** Returns a file as the shop serves it. */
export const file = async (path) => (await real.fetch.call(window, path)).text();

/** What the shop answers: a function of method, path, body and headers. Returns the requests that were made. */
export function shop(answer) {
  const asked = [];
  window.fetch = async (path, { method = "GET", body, headers = {} } = {}) => {
    const request = { method, path, body: body === undefined ? undefined : JSON.parse(body), headers };
    asked.push(request);
    return answer(request, asked.length);
  };
  return asked;
}

export const json = (status, body, headers = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });

/** Lets every wait end at once. */
export function hurry() {
  window.setTimeout = (run) => real.setTimeout.call(window, run, 0);
}

/** A stream of events that the test holds in its hands. */
export class Stream extends EventTarget {
  static open = [];
  static CLOSED = 2;
  readyState = 1;

  constructor(path) {
    super();
    this.path = path;
    Stream.open.push(this);
  }

  close() {
    this.readyState = Stream.CLOSED;
    Stream.open.splice(Stream.open.indexOf(this), 1);
  }

  says(view) {
    this.dispatchEvent(new MessageEvent("status", { data: JSON.stringify(view) }));
  }
}

export const $ = (selector) => document.querySelector(selector);
export const all = (selector) => Array.from(document.querySelectorAll(selector));
export const texts = (selector) => all(selector).map((found) => found.textContent);

export function type(selector, value) {
  $(selector).value = value;
  $(selector).dispatchEvent(new Event("input", { bubbles: true }));
}

export const submit = (form) => $(form).requestSubmit();

const ticking = [];
const listening = [];
const listen = window.addEventListener;
window.addEventListener = (...what) => {
  listening.push(what);
  listen.apply(window, what);
};

async function fresh() {
  const page = new DOMParser().parseFromString(await markup, "text/html");
  for (const found of page.querySelectorAll("noscript")) found.remove(); // for this parser there are no scripts
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
  localStorage.clear();
  speak("en");
  localStorage.clear();
  window.setTimeout = real.setTimeout;
  ticking.splice(0).forEach(clearInterval); // of the test before
  for (const [name, heard] of listening.splice(0)) window.removeEventListener(name, heard);
  window.setInterval = (...what) => {
    ticking.push(real.setInterval.apply(window, what));
    return ticking.at(-1);
  };
  Stream.open = [];
  window.EventSource = Stream;
  shop(() => { throw new TypeError("nobody answers"); });
}

async function run() {
  await import(`/test/${module}.js`);
  const results = [];
  for (const { name, run } of tests) {
    await fresh();
    const late = new Promise((_, reject) => real.setTimeout.call(window, () => reject(new Error(`waited in vain: ${now}`)), 10000));
    const error = await Promise.race([run(), late]).then(() => null, (error) => `${error}`);
    results.push({ name, error });
  }
  return results;
}

window.finished = run();
