// Opens the shop: each part of the page is a module of its own, in shop/.

import { Orders } from "./shop/orders.js";
import { byId } from "./shop/page.js";
import { Toys } from "./shop/toys.js";
import { offerLanguages } from "./shop/words.js";

offerLanguages();
const orders = new Orders();
const toys = new Toys((product, quantity) => orders.place(product, quantity));
byId("origin").textContent = location.origin;
orders.restore();
const asked = new URLSearchParams(location.search); // an order's page and the workshop lead here to order
if (asked.get("product")) orders.offer(asked.get("product"), asked.get("quantity"));
toys.show();
