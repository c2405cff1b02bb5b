"""Orders from a Python program, by the lines of the original publisher.

    pip install pika
    python3 examples/publish_from_python.py amqp://user:password@localhost Train 3

It prints the id of each order, one a line; `woodyctl order show ID` tells how it ended.
"""

import json
import sys
import uuid

import pika


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    url, product = sys.argv[1], sys.argv[2]
    times = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    # No argument but `durable`: the queue is shared with programs that say just this.
    channel.queue_declare(queue="order_processing", durable=True)
    channel.confirm_delivery()
    for _ in range(times):
        order_id = str(uuid.uuid4())
        message = json.dumps({"order_id": order_id, "product": product})
        channel.basic_publish(
            exchange="",
            routing_key="order_processing",
            body=message,
            properties=pika.BasicProperties(delivery_mode=2),
        )
        print(order_id)
    connection.close()


if __name__ == "__main__":
    main()
