import { TABLES, duration, label, offerLanguages, put, say, speak, spoken } from "/shop/words.js";
import { $, all, equal, file, test } from "./harness.js";

const braces = (sentence) => (sentence.match(/\{\w+\}/g) ?? []).sort();

test("both languages have the same sentences, with the same braces", async () => {
  equal(Object.keys(TABLES.fr).sort(), Object.keys(TABLES.en).sort(), "the keys");
  for (const [key, sentence] of Object.entries(TABLES.en)) {
    equal(braces(TABLES.fr[key]), braces(sentence), `the braces of ${key}`);
    equal([TABLES.fr[key].trim() === "", sentence.trim() === ""], [false, false], key);
  }
});

test("the braces of a sentence are filled, and what fills them stays text", async () => {
  equal(say("order.took", { time: "$& {time} <b>" }), "after $& {time} <b>");
  equal(say("order.took"), "after {time}", "without anything to fill them");
});

test("an element says its sentence in whichever language is spoken", async () => {
  let what = "a train";
  put($("#announcer"), "order.plan", () => ({ what }));
  label($("#announcer"), "language");
  equal([$("#announcer").textContent, $("#announcer").getAttribute("aria-label")], ["How a train is cut", "Language"]);
  what = "un train";
  speak("fr");
  equal([$("#announcer").textContent, $("#announcer").getAttribute("aria-label")], ["La découpe de un train", "Langue"]);
  equal(document.documentElement.lang, "fr");
});

test("the language that was chosen is remembered, and the page is told", async () => {
  let told = 0;
  document.body.addEventListener("language", () => { told += 1; }, { once: true });
  speak("fr");
  equal([spoken(), localStorage.getItem("language"), told], ["fr", "fr", 1]);
  speak("tlh");
  equal([spoken(), localStorage.getItem("language")], ["en", "en"], "a language that the shop does not speak");
});

test("a button chooses a language, and says which is chosen", async () => {
  offerLanguages();
  const pressed = () => all("button[data-language]").map((button) => button.getAttribute("aria-pressed"));
  equal(pressed(), ["true", "false"]);
  $("button[data-language=fr]").click();
  equal([pressed(), document.documentElement.lang], [["false", "true"], "fr"]);
});

test("durations are written as the language writes numbers", async () => {
  equal([0.4, 12, 1500, 61000, 3_720_000].map(duration), ["1 ms", "12 ms", "1.5 s", "1 min 1 s", "1 h 2 min"]);
  speak("fr");
  equal(duration(1500), "1,5 s");
});

const PAGES = ["/index.html", "/orders/of-a-test", "/workshop"];
const SILENT = "script, style, code, code span, [data-language], .name a, h1:not([data-say]), a[href='/docs'], .stepper button";

test("no page says a sentence that is not in the table", async () => {
  for (const path of PAGES) {
    const page = new DOMParser().parseFromString(await file(path), "text/html");
    const roots = [page.head, page.body, ...Array.from(page.querySelectorAll("template"), ({ content }) => content)];
    for (const root of roots) {
      for (const found of root.querySelectorAll("*")) {
        const text = Array.from(found.childNodes).filter(({ nodeType }) => nodeType === Node.TEXT_NODE).map(({ data }) => data).join("").trim();
        if (text && !found.matches(SILENT) && found.tagName !== "TITLE") equal(text, TABLES.en[found.dataset.say], `${path}, ${found.outerHTML}`);
        const label = found.getAttribute("aria-label");
        if (label) equal(label, TABLES.en[found.dataset.sayLabel], `${path}, ${found.outerHTML}`);
        if (found.name === "description") equal(found.content, TABLES.en[found.dataset.sayContent], path);
        for (const silent of ["title", "placeholder"]) equal(found.getAttribute(silent), null, `${path}, ${found.outerHTML}`);
      }
    }
  }
});

test("no sentence is left in a script, and every key that one says is in the table", async () => {
  const pages = await Promise.all(PAGES.map(file));
  const scripts = new Set(pages.flatMap((page) => Array.from(page.matchAll(/(?:href|src)="(\/[\w/]+\.js)"/g), ([, path]) => path)));
  for (const path of scripts) {
    if (/\/(en|fr)\.js$/.test(path)) continue;
    const script = (await file(path)).replace(/\/\*\*.*\*\/|(^|\s)\/\/.*/g, "");
    const sentences = (script.match(/["`'][A-ZÀ-Ý]\w* \w[^"`']*/g) ?? []).filter((found) => !found.includes("Rate limit exceeded"));
    equal(sentences, [], path);
    for (const [, key] of script.matchAll(/\b(?:say|put|label|count)\((?:\w+(?:\([^)]*\))?, )?"([\w.-]+)"/g)) {
      equal(key in TABLES.en || `${key}.other` in TABLES.en, true, `${path}, ${key}`);
    }
  }
});
