"""An order service as people first write it: Flask publishes each order with pika, without confirms.

Run by gunicorn with two processes. The queue is durable, messages are persistent."""

import json
import os
import threading
import uuid

import pika
from flask import Flask, jsonify, request

QUEUE = os.environ["PEER_QUEUE"]
app = Flask(__name__)
# A connection of pika's belongs to one thread.
own = threading.local()


def open_channel():
    if getattr(own, "channel", None) is None or own.channel.is_closed:
        own.channel = pika.BlockingConnection(pika.URLParameters(os.environ["PEER_AMQP"])).channel()
        own.channel.queue_declare(queue=QUEUE, durable=True)
    return own.channel


@app.post("/api/orders")
def place():
    order = {"order_id": str(uuid.uuid4()), "product": request.json["product"]}
    open_channel().basic_publish(
        exchange="",
        routing_key=QUEUE,
        body=json.dumps(order),
        properties=pika.BasicProperties(delivery_mode=2),
    )
    return jsonify(order), 202
