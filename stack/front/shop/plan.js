// Cutting plans: asked for, drawn, and how long each took and where it came from.

import { Problem, request } from "./api.js";
import { Form, textOf } from "./form.js";
import { announce, byId, duration, element } from "./page.js";

const MAX_CALLS = 5;

export class Plan {
  constructor() {
    this.form = new Form("plan-form", draw);
  }
}

async function draw(form) {
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
  while (byId("calls").childElementCount > MAX_CALLS) byId("calls").lastElementChild.remove();
  announce(`Plan of ${name}: ${duration(elapsed)}, ${source}.`);
}
