// What the pages say: each sentence from one table for each language, and nowhere else.

import en from "./en.js";
import fr from "./fr.js";

export const TABLES = { en, fr };
const KEPT_AS = "language";

let language = chosen();
const values = new WeakMap(); // element -> what stands for the braces of its sentence

/** Returns what the visitor has chosen, or the first language of the browser that the shop speaks. */
function chosen() {
  let kept = null;
  try {
    kept = localStorage.getItem(KEPT_AS);
  } catch {
    // Without storage the browser's languages decide.
  }
  const wanted = [kept, ...(navigator.languages ?? [])].map((tag) => String(tag ?? "").toLowerCase().split("-")[0]);
  return wanted.find((tag) => Object.hasOwn(TABLES, tag)) ?? "en";
}

export const spoken = () => language;

/** Returns the sentence of `key`; `filled` stands for its braces. */
export function say(key, filled = {}) {
  const sentence = TABLES[language][key];
  if (sentence === undefined) console.error(`no words for ${key}`);
  return (sentence ?? key).replace(/\{(\w+)\}/g, (braces, name) => filled[name] ?? braces);
}

export const has = (key) => Object.hasOwn(TABLES[language], key);

/** Returns the sentence for so many: that of `key.one`, or of `key.other`. */
export function count(key, n, filled = {}) {
  const form = new Intl.PluralRules(language).select(n);
  return say(has(`${key}.${form}`) ? `${key}.${form}` : `${key}.other`, { n: number(n), ...filled });
}

export const number = (n) => n.toLocaleString(language);

/** Has an element say a sentence, in whichever language is spoken; `filled` may be a function of it. */
export function put(element, key, filled) {
  element.dataset.say = key;
  values.set(element, { ...values.get(element), text: filled });
  speakOf(element);
}

/** Has an element that shows something else be called by a sentence (`aria-label`). */
export function label(element, key, filled) {
  element.dataset.sayLabel = key;
  values.set(element, { ...values.get(element), label: filled });
  speakOf(element);
}

function speakOf(element) {
  const { say: key, sayLabel, sayContent } = element.dataset;
  const filled = (what) => (typeof what === "function" ? what() : what);
  const { text, label } = values.get(element) ?? {};
  if (key) element.textContent = say(key, filled(text));
  if (sayLabel) element.setAttribute("aria-label", say(sayLabel, filled(label)));
  if (sayContent) element.content = say(sayContent);
}

/** Has everything in `root` say its sentence in the language that is spoken. */
export function translate(root = document) {
  if (root === document) document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-say], [data-say-label], [data-say-content]")) speakOf(element);
}

/** Speaks another language from now on, and remembers it. */
export function speak(tag) {
  language = Object.hasOwn(TABLES, tag) ? tag : "en";
  try {
    localStorage.setItem(KEPT_AS, language);
  } catch {
    // Without storage it lasts as long as the page.
  }
  translate();
  document.body.dispatchEvent(new Event("language"));
}

/** Has the page speak, and its buttons of languages choose one. */
export function offerLanguages() {
  const buttons = Array.from(document.querySelectorAll("button[data-language]"));
  const show = () => {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.language === language));
  };
  for (const button of buttons) button.addEventListener("click", () => speak(button.dataset.language));
  document.body.addEventListener("language", show);
  translate();
  show();
}

/** Returns how long `ms` are. */
export function duration(ms) {
  const [minutes, seconds] = [Math.floor(ms / 60000), Math.round((ms % 60000) / 1000)];
  if (ms < 1000) return say("time.ms", { n: number(Math.max(Math.round(ms), 1)) });
  if (ms < 60000) return say("time.s", { n: (ms / 1000).toLocaleString(language, { maximumFractionDigits: 1 }) });
  if (minutes < 60) return say("time.min", { n: minutes, s: seconds });
  return say("time.h", { n: number(Math.floor(minutes / 60)), min: minutes % 60 });
}

/** Returns a time of today as an hour, and another with its day. */
export function moment(date) {
  const isToday = date.toDateString() === new Date().toDateString();
  const day = isToday ? {} : { day: "numeric", month: "long", year: "numeric" };
  return date.toLocaleString(language, { ...day, hour: "2-digit", minute: "2-digit", second: "2-digit" });
}
