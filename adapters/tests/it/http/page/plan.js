import { Plan } from "/shop/plan.js";
import { $, equal, json, shop, submit, test, texts, type, until } from "./harness.js";

const DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><script>window.ran = true</script></svg>';
const drawing = (cache) => new Response(DRAWING, { headers: { "Content-Type": "image/svg+xml", ...(cache && { "Cache-Status": cache }) } });
const idle = () => until("the form", () => !$("#plan-form [type=submit]").hasAttribute("aria-disabled"));

test("the plan is drawn as an image, named, and may be saved", async () => {
  const asked = shop(() => drawing());
  new Plan();
  type("#plan-name", "Noah's ark");
  submit("#plan-form");
  await idle();
  equal([asked[0].path, asked[0].headers.Accept], ["/api/misc/heavy?name=Noah%27s+ark", "image/svg+xml"]);
  equal([$("#plan-image").alt, $("#plan-image").hidden, $("#plan-empty").hidden], ["Cutting plan of Noah's ark", false, true]);
  equal([$("#plan-save").download, $("#plan-save").hidden], ["plan-Noah-s-ark.svg", false]);
  await $("#plan-image").decode();
  equal([$("#plan-image").naturalWidth, window.ran], [4, undefined], "what is in the drawing");
});

test("it is told whether the plan came from the cache", async () => {
  shop((_, nth) => drawing(nth === 1 ? "woody; fwd=miss" : "woody; hit"));
  new Plan();
  for (let nth = 0; nth < 2; nth += 1) {
    submit("#plan-form");
    await idle();
  }
  equal(texts("#calls .meta"), ["From the cache woody; hit", "Planned afresh woody; fwd=miss"]);
  equal($("#calls .took").classList.contains("hit"), true);
});

test("the last five are listed", async () => {
  shop(() => drawing());
  new Plan();
  for (let nth = 0; nth < 6; nth += 1) {
    type("#plan-name", `Toy ${nth}`);
    submit("#plan-form");
    await idle();
  }
  equal(texts("#calls strong"), ["Toy 5", "Toy 4", "Toy 3", "Toy 2", "Toy 1"]);
});

test("an answer that is no drawing is not shown", async () => {
  shop(() => json(200, {}));
  new Plan();
  submit("#plan-form");
  await idle();
  equal(texts(".notice.wrong span"), ["The shop sent no drawing."]);
  equal([$("#plan-image").hidden, $(".plan").hasAttribute("aria-busy")], [true, false]);
});
