"""A worker in Python, by the lines of the original one, on the same queue.

    pip install pika
    python3 examples/worker_in_python.py amqp://user:password@localhost 3

It takes that many orders, prints each and acknowledges it.
"""

import json
import sys

import pika


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    left = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
    channel = connection.channel()
    channel.queue_declare(queue="order_processing", durable=True)
    channel.basic_qos(prefetch_count=1)

    def callback(ch, method, _properties, body):
        nonlocal left
        message = json.loads(body)
        print(message["order_id"], message["product"], flush=True)
        ch.basic_ack(delivery_tag=method.delivery_tag)
        left -= 1
        if left == 0:
            ch.stop_consuming()

    channel.basic_consume(queue="order_processing", on_message_callback=callback)
    channel.start_consuming()
    connection.close()


if __name__ == "__main__":
    main()
