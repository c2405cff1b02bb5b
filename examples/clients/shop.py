"""Orders toys by a client that is generated from the shop's OpenAPI document.

`dev/contracts.sh` makes it and runs this; by hand, in a folder of its own, with a shop that is open:

    pip install openapi-python-client
    openapi-python-client generate --url http://127.0.0.1:8080/openapi.json --meta none --output-path woodytoys
    python shop.py http://127.0.0.1:8080
"""

import sys
import uuid

from woodytoys import Client
from woodytoys.api.orders import cancel_order, place_order, place_orders, show_order
from woodytoys.models import OrderInBatch, OrderToPlace, OrderView, OrderWord, Problem

base_url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
shop = Client(base_url=base_url, timeout=90)


def check(holds, what):
    if not holds:
        raise SystemExit(f"not so: {what}")
    print(f"ok: {what}")


def place(product, quantity, key):
    """Places an order; sent twice under its key, it is one."""
    body = OrderToPlace(product=product, quantity=quantity)
    return place_order.sync(client=shop, body=body, idempotency_key=key).order_id


def show(order_id, wait):
    return show_order.sync(client=shop, id=order_id, wait=wait)


key = str(uuid.uuid4())
order_id = place("Train", 3, key)
check(place("Train", 3, key) == order_id, "an order that is sent twice is one")
order = show(order_id, 0)
check((order.product, order.quantity) == ("Train", 3), "it is read as it was placed")
ended = show(order_id, 60)
check(ended.status == OrderWord.SUCCESS and ended.finished_at, "it is waited for until it has ended")

# Whoever cancels is sometimes too late: then it is told so, and the order stays as it ended.
cancelled = None
for _ in range(50):
    answer = cancel_order.sync(client=shop, id=place("Rocking horse", 1000, str(uuid.uuid4())))
    if isinstance(answer, OrderView):
        cancelled = answer
        break
    check(answer.status == 409, "an order that has ended is not cancelled")
check(cancelled and cancelled.status == OrderWord.CANCELLED, "an order is cancelled")
check(show(cancelled.order_id, 60).status == OrderWord.CANCELLED, "it stays cancelled")

kept, refused = place_orders.sync(
    client=shop,
    body=[
        OrderInBatch(product="Lion", idempotency_key=str(uuid.uuid4())),
        OrderInBatch(product="Kite", quantity=0),
    ],
)
check(kept.status == 202 and kept.order.status == "pending", "of a batch, what can be kept is kept")
check(refused.status == 422 and refused.problem.field == "quantity", "and what cannot is told why")

bad = place_order.sync(client=shop, body=OrderToPlace(product="Train", quantity=0))
check(isinstance(bad, Problem) and bad.status == 422, "an order that cannot be is refused")
check(bad.field == "quantity", "its problem names the field")
check([error.field for error in bad.errors] == ["quantity"], "as do its errors, one for each wrong field")
