import { Problem } from "/shop/api.js";
import { Form, numberOf, textOf } from "/shop/form.js";
import { speak } from "/shop/words.js";
import { $, equal, hurry, submit, test, texts, type, until } from "./harness.js";

const busy = () => new Problem("overloaded", { status: 503, retryAfter: 2 });

test("one submit at a time: the second does nothing", async () => {
  let sent = 0;
  let end;
  const ended = new Promise((resolve) => { end = resolve; });
  new Form("order-form", async () => { sent += 1; await ended; });
  submit("#order-form");
  submit("#order-form");
  equal([sent, $("#order-form [type=submit]").getAttribute("aria-disabled")], [1, "true"]);
  end();
  await until("the button", () => !$("#order-form [type=submit]").hasAttribute("aria-disabled"));
  submit("#order-form");
  equal(sent, 2);
});

test("a double click and a key that is held are one submit", async () => {
  let sent = 0;
  new Form("order-form", async () => { sent += 1; });
  const [button, input] = [$("#order-form [type=submit]"), $("#order-product")];
  const goesOn = (target, event) => target.dispatchEvent(event);
  equal(goesOn(button, new MouseEvent("click", { detail: 2, bubbles: true, cancelable: true })), false);
  equal(goesOn(input, new KeyboardEvent("keydown", { key: "Enter", repeat: true, bubbles: true, cancelable: true })), false);
  equal(goesOn(input, new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true })), true);
  equal(sent, 0);
});

test("what a form says is said in the language that is spoken", async () => {
  new Form("order-form", async () => { throw new Problem("invalid-value", { status: 422, field: "product" }); });
  submit("#order-form");
  await until("the error", () => !$("#order-product-error").hidden);
  speak("fr");
  equal($("#order-product-error").textContent, "De 1 à 200 caractères, s’il vous plaît, sur une ligne.");
});

test("an error with a field stands beside it and takes the focus, until it is typed in", async () => {
  const form = new Form("order-form", async () => { throw new Problem("invalid-value", { status: 422, field: "/quantity" }); });
  submit("#order-form");
  await until("the error", () => !$("#order-quantity-error").hidden);
  equal($("#order-quantity-error").textContent, "A whole number from 1 to 1,000, please.");
  equal([document.activeElement.id, $("#order-quantity").getAttribute("aria-invalid")], ["order-quantity", "true"]);
  type("#order-quantity", "3");
  equal([$("#order-quantity-error").hidden, form.input("quantity").hasAttribute("aria-invalid")], [true, false]);
});

test("each wrong field is told beside it, and the first takes the focus", async () => {
  const fields = ["product", "quantity", "colour"];
  new Form("order-form", async () => { throw new Problem("invalid-value", { status: 422, field: "product", fields }); });
  submit("#order-form");
  await until("the error", () => !$("#order-quantity-error").hidden);
  equal(texts("#order-form .error"), ["1 to 200 characters, please, on one line.", "A whole number from 1 to 1,000, please."]);
  equal(document.activeElement.id, "order-product");
  type("#order-product", "lion");
  equal([$("#order-product-error").hidden, $("#order-quantity-error").hidden], [true, false]);
});

test("an error without a field is a notice that a screen reader says", async () => {
  new Form("order-form", async () => { throw new Problem("internal", { status: 500 }); });
  submit("#order-form");
  await until("the notice", () => $(".notice.wrong"));
  equal([$(".notice.wrong span").textContent, $("#announcer").textContent], ["Something went wrong on our side. It has been noted.", "Something went wrong on our side. It has been noted."]);
});

test("an error of the page itself is told without its text", async () => {
  new Form("order-form", async () => { throw new TypeError("x is undefined"); });
  submit("#order-form");
  await until("the notice", () => $(".notice.wrong"));
  equal(texts(".notice.wrong span"), ["The page could not read the shop's answer."]);
});

test("a busy shop is asked again, five times in all", async () => {
  hurry();
  let asked = 0;
  const form = new Form("order-form", () => form.patiently(async () => { asked += 1; throw busy(); }));
  submit("#order-form");
  await until("the end of patience", () => $(".notice.wrong"));
  equal(asked, 5);
});

test("a busy shop that has a place again is told of nothing", async () => {
  hurry();
  let asked = 0;
  const form = new Form("order-form", () => form.patiently(async () => { if ((asked += 1) < 3) throw busy(); }));
  submit("#order-form");
  await until("the third time", () => asked === 3);
  await until("the button", () => !$("#order-form [type=submit]").hasAttribute("aria-disabled"));
  equal($(".notice"), null);
});

test("the visitor may stop the waiting, and hears that nothing was taken", async () => {
  let asked = 0;
  const form = new Form("order-form", () => form.patiently(async () => { asked += 1; throw busy(); }));
  submit("#order-form");
  await until("the wait", () => $(".notice button"));
  equal(texts(".notice span"), ["The shop has its hands full. Trying again in 2 s."]);
  $(".notice button").click();
  await until("the end", () => !$("#order-form [type=submit]").hasAttribute("aria-disabled"));
  equal([asked, texts(".notice span")], [1, ["Stopped. The shop took nothing."]]);
  equal($(".notice.wrong"), null, "what the visitor wanted");
});

test("text is trimmed, and missing text is an error of its field", async () => {
  type("#order-product", "  Train ");
  equal(textOf($("#order-product")), "Train");
  type("#order-product", "   ");
  try {
    textOf($("#order-product"));
    throw new Error("no error");
  } catch (problem) {
    equal([problem.field, problem.text], ["product", "Please give a product."]);
  }
});

test("a number that is out of range is for the shop to judge", async () => {
  type("#order-quantity", "100000");
  equal(numberOf($("#order-quantity")), 100000);
});
