// Opens the shop: each part of the page is a module of its own, in shop/.

import { Orders } from "./shop/orders.js";
import { byId } from "./shop/page.js";
import { Plan } from "./shop/plan.js";
import { Products } from "./shop/products.js";
import { offerLanguages } from "./shop/words.js";

offerLanguages();
const orders = new Orders();
const products = new Products((name) => orders.offer(name));
new Plan();
byId("origin").textContent = location.origin;
orders.restore();
const asked = new URLSearchParams(location.search); // an order's page leads here to order again
if (asked.get("product")) orders.offer(asked.get("product"), asked.get("quantity"));
products.show();
