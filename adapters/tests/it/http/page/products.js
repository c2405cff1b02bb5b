import { Products } from "/shop/products.js";
import { $, all, equal, hurry, json, shop, submit, test, texts, type, until } from "./harness.js";

const page = (names, next = null) => json(200, { items: names.map((name) => ({ id: name, name, parts: [] })), next });
const idle = () => until("the form", () => !$("#product-form [type=submit]").hasAttribute("aria-disabled"));

function part(nth, values) {
  const row = all("#parts .part")[nth];
  for (const [name, value] of Object.entries(values)) row.elements.namedItem(name).value = value;
}

test("products are shown page by page, and suggested", async () => {
  const asked = shop((_, nth) => (nth === 1 ? page(["Kite", "Boat"], "cursor+1") : page(["Ark"])));
  const products = new Products(() => {});
  await products.show();
  equal([texts("#products .name"), $("#more-products").hidden], [["Kite", "Boat"], false]);
  $("#more-products").click();
  await until("the next page", () => texts("#products .name").length === 3);
  equal(asked.map(({ path }) => path), ["/api/products?limit=8", "/api/products?limit=8&after=cursor%2B1"]);
  equal([$("#more-products").hidden, all("#known-products option").map(({ value }) => value)], [true, ["Kite", "Boat", "Ark"]]);
});

test("an empty shelf says so", async () => {
  shop(() => page([]));
  await new Products(() => {}).show();
  equal([$("#products-empty").hidden, $("#products-empty").textContent], [false, "The shelf is empty. Add the first product."]);
});

test("an empty shelf can have six toys put on it, whatever the limit", async () => {
  hurry();
  const limit = { error: "Rate limit exceeded", status: 503 };
  const added = [];
  const asked = shop(({ method, body }, nth) => {
    if (method === "GET") return page([]);
    if (nth === 4) return json(503, limit, { "Retry-After": "1" });
    added.push(body.name);
    return json(201, { id: body.name, ...body });
  });
  await new Products(() => {}).show();
  equal($("#samples").hidden, false);
  submit("#samples");
  await until("all", () => $("#samples").hidden);
  equal([added, texts("#products .name")], [["Train", "Boat", "Plane", "House", "Elephant", "Blocks"], ["Blocks", "Elephant", "House", "Plane", "Boat", "Train"]]);
  equal([asked[1].body.parts[0], $("#announcer").textContent], [{ name: "boiler", width_mm: 180, height_mm: 80, count: 1 }, "Six toys are on the shelf."]);
  equal([document.activeElement.id, $("#products-empty").hidden], ["product-name", true]);
});

test("a shelf that is not empty is not offered any", async () => {
  shop(() => page(["Kite"]));
  await new Products(() => {}).show();
  equal($("#samples").hidden, true);
});

test("while there is no answer it goes on looking", async () => {
  hurry();
  shop((_, nth) => (nth < 3 ? json(503, { title: "Away", detail: "Try again soon." }) : page(["Kite"])));
  await new Products(() => {}).show();
  equal([texts("#products .name"), $("#products-empty").hidden], [["Kite"], true]);
});

test("a product is added with its parts, and the form is empty again", async () => {
  const asked = shop(() => json(201, { id: "1" }));
  new Products(() => {});
  type("#product-name", " Kite ");
  $("#add-part").click();
  part(0, { name: "wing", width_mm: "300", height_mm: "200", count: "2" });
  submit("#product-form");
  await idle();
  equal(asked[0].body, { name: "Kite", parts: [{ name: "wing", width_mm: 300, height_mm: 200, count: 2 }] });
  equal([texts("#products .name"), texts("#products .meta")], [["Kite"], ["2 pieces each"]]);
  equal([$("#product-name").value, all("#parts .part").length, document.activeElement.id], ["", 0, "product-name"]);
});

test("a part whose grain shows is sent so", async () => {
  const asked = shop(() => json(201, { id: "1" }));
  new Products(() => {});
  type("#product-name", "Kite");
  $("#add-part").click();
  part(0, { name: "wing", width_mm: "300", height_mm: "200" });
  $("#parts [name=grain]").click();
  submit("#product-form");
  await idle();
  equal(asked[0].body.parts, [{ name: "wing", width_mm: 300, height_mm: 200, count: 1, grain: true }]);
});

test("without parts none are sent", async () => {
  const asked = shop(() => json(201, { id: "1" }));
  new Products(() => {});
  type("#product-name", "Kite");
  submit("#product-form");
  await idle();
  equal([asked[0].body, texts("#products .meta")], [{ name: "Kite" }, ["Cut as the letters of its name"]]);
});

test("the shop's error stands beside the part that it names", async () => {
  shop(() => json(422, { type: "urn:woodytoys:problem:invalid-value", detail: "too wide", field: "parts[1].width_mm" }));
  new Products(() => {});
  type("#product-name", "Kite");
  for (let nth = 0; nth < 2; nth += 1) {
    $("#add-part").click();
    part(nth, { name: "wing", width_mm: "300", height_mm: "200", count: "2" });
  }
  submit("#product-form");
  await idle();
  const errors = all("#parts .part").map((row) => row.querySelector("[data-error-for=width_mm]"));
  equal(errors.map(({ hidden, textContent }) => [hidden, textContent]), [[true, ""], [false, "A whole number from 1 to 10,000, please."]]);
});

test("a part without a number is found before anything is sent", async () => {
  const asked = shop(() => json(201, { id: "1" }));
  new Products(() => {});
  type("#product-name", "Kite");
  $("#add-part").click();
  part(0, { name: "wing", height_mm: "200" });
  submit("#product-form");
  await idle();
  equal([asked.length, $("#parts [data-error-for=width_mm]").textContent], [0, "Please give a whole number."]);
});

test("parts that are left are numbered anew, and the focus goes on", async () => {
  new Products(() => {});
  for (let nth = 0; nth < 3; nth += 1) $("#add-part").click();
  all("#parts .remove")[0].click();
  equal(texts("#parts legend"), ["Part 1", "Part 2"]);
  equal(document.activeElement, all("#parts .part")[0].querySelector("input"));
  equal(new Set(all("#parts input").map(({ id }) => id)).size, 10, "ids");
});

test("a product may be ordered from its row", async () => {
  shop(() => page(["Kite"]));
  let offered = "";
  await new Products((name) => { offered = name; }).show();
  $("#products .order").click();
  equal([offered, $("#products .order").getAttribute("aria-label")], ["Kite", "Order Kite"]);
});
