// Cutting plans: asked for, drawn, and how long each took and where it came from.

import { Problem, request } from "./api.js";
import { Form, textOf } from "./form.js";
import { announce, byId, element } from "./page.js";
import { duration, put, say } from "./words.js";

const MAX_CALLS = 5;

export class Plan {
  constructor() {
    this.form = new Form("plan-form", draw);
  }
}

async function draw(form) {
  const name = textOf(form.input("name"));
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
      const type = response.headers.get("Content-Type") ?? "";
      if (!type.startsWith("image/svg+xml")) throw new Problem("no-drawing");
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
  image.alt = say("plan.of", { name });
  image.hidden = false;
  byId("plan-empty").hidden = true;
  const link = byId("plan-save");
  link.href = address;
  link.download = `plan-${name.replace(/[^\p{L}\p{N}]+/gu, "-")}.svg`;
  link.hidden = false;
}

function showCall(name, elapsed, cacheStatus) {
  const hit = /;\s*hit\b/i.test(cacheStatus ?? "");
  const row = document.createElement("li");
  const [line, took, meta, source] = [element("div", "line"), element("span", hit ? "took hit" : "took"), element("p", "meta"), element("span")];
  const from = hit ? "plan.cached" : "plan.fresh";
  took.textContent = duration(elapsed);
  put(source, from);
  line.append(element("strong", "", name), took);
  meta.append(source, " ");
  if (cacheStatus) meta.append(element("code", "", cacheStatus));
  row.append(line, meta);
  byId("calls").prepend(row);
  while (byId("calls").childElementCount > MAX_CALLS) byId("calls").lastElementChild.remove();
  announce(say("plan.said", { source: say(from), name, time: duration(elapsed) }));
}
