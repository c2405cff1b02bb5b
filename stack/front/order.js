// Opens an order's page: its number is the end of the address.

import { OrderPage } from "./shop/order.js";
import { offerLanguages } from "./shop/words.js";

offerLanguages();
let id = location.pathname.replace(/\/+$/, "").split("/").at(-1);
try {
  id = decodeURIComponent(id);
} catch {
  // A broken escape is shown as it is.
}
new OrderPage(id).open();
