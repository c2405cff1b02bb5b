import { Problem } from "/shop/api.js";
import { Toys, drawing } from "/shop/toys.js";
import { speak } from "/shop/words.js";
import { $, all, equal, hurry, json, shop, test, texts, until } from "./harness.js";

const PARTS = [{ name: "body", width_mm: 200, height_mm: 80 }, { name: "wheel", width_mm: 60, height_mm: 60, count: 4 }];
const page = (names, next = null) => json(200, { items: names.map((name) => ({ id: name, name, parts: name === "Train" ? PARTS : [] })), next });

test("toys are cards, each drawn from its parts, and suggested", async () => {
  const asked = shop((_, nth) => (nth === 1 ? page(["Train", "Boat"], "cursor+1") : page(["Ark"])));
  const toys = new Toys(() => {});
  await toys.show();
  equal([texts("#toys .name"), texts("#toys .meta"), $("#more-toys").hidden], [["Train", "Boat"], ["5 pieces each", "Cut as the letters of its name"], false]);
  equal([all("#toys .card")[0].querySelectorAll("rect").length, $("#toys-empty").hidden], [5, true]);
  $("#more-toys").click();
  await until("the next page", () => texts("#toys .name").length === 3);
  equal(asked.map(({ path }) => path), ["/api/products?limit=6", "/api/products?limit=6&after=cursor%2B1"]);
  equal([$("#more-toys").hidden, all("#known-products option").map(({ value }) => value)], [true, ["Train", "Boat", "Ark"]]);
});

test("pieces are drawn in rows that do not lie over each other", async () => {
  const rects = Array.from(drawing([...PARTS, { name: "roof", width_mm: 500, height_mm: 10 }]).children, (rect) => {
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name)));
    return { x, y, right: x + width, bottom: y + height };
  });
  equal(rects.length, 6);
  const overlap = (a, b) => a.x < b.right && b.x < a.right && a.y < b.bottom && b.y < a.bottom;
  equal(rects.some((a, nth) => rects.slice(nth + 1).some((b) => overlap(a, b))), false);
  equal(drawing([{ name: "chip", width_mm: 5, height_mm: 5, count: 900 }]).children.length, 60, "pieces of very many");
  equal(drawing([]).children.length, 0);
});

test("a toy is ordered by its button, as many as the stepper says", async () => {
  const ordered = [];
  shop(() => page(["Train"]));
  await new Toys((...order) => ordered.push(order)).show();
  const [less, number, more] = ["less", "number", "more"].map((name) => $(`#toys .${name}`));
  equal([less, number, more].map((part) => part.getAttribute("aria-label")), ["One Train less", "How many: Train", "One Train more"]);
  less.click();
  equal(number.value, "1", "at least one");
  more.click();
  more.click();
  equal([number.value, $("#announcer").textContent], ["3", "3 × Train"]);
  $("#toys .order").click();
  equal([ordered, number.value, $("#toys .placed").hidden], [[["Train", 3]], "1", false]);
  number.value = "1000";
  more.click();
  equal(number.value, "1000", "at most a thousand");
});

test("a number that cannot be ordered is told of, and takes the focus", async () => {
  shop(() => page(["Train"]));
  await new Toys(() => { throw new Problem("invalid-value", { field: "quantity" }); }).show();
  $("#toys .order").click();
  equal([document.activeElement.className, $("#announcer").textContent, $("#toys .placed").hidden], ["number", "A whole number from 1 to 1,000, please.", true]);
  $("#toys .number").value = "";
  $("#toys .order").click();
  equal($("#announcer").textContent, "Please give a whole number.");
});

test("a double click is one order", async () => {
  let ordered = 0;
  shop(() => page(["Train"]));
  await new Toys(() => { ordered += 1; }).show();
  for (const detail of [1, 2]) $("#toys .order").dispatchEvent(new MouseEvent("click", { detail, bubbles: true }));
  equal(ordered, 1);
});

test("an empty shelf says so, in the language that is spoken", async () => {
  shop(() => page([]));
  await new Toys(() => {}).show();
  equal([$("#toys-empty").hidden, $("#toys-empty").textContent], [false, "The shelf is empty. The workshop can add toys to it."]);
  speak("fr");
  equal($("#toys-empty").textContent, "Le rayon est vide. L’atelier peut y ajouter des jouets.");
});

test("while there is no answer it goes on looking", async () => {
  hurry();
  shop((_, nth) => (nth < 3 ? json(503, {}) : page(["Train"])));
  await new Toys(() => {}).show();
  equal([texts("#toys .name"), $("#toys-empty").hidden], [["Train"], true]);
});

test("markup in a name stays text", async () => {
  shop(() => page(["<img src=x>"]));
  await new Toys(() => {}).show();
  equal([texts("#toys .name"), $("#toys img")], [["<img src=x>"], null]);
});
