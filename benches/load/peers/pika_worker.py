"""A worker as people first write it: one message after the other, a commit and an acknowledgement for each."""

import json
import os

import pika
import psycopg2

QUEUE = os.environ["PEER_QUEUE"]
database = psycopg2.connect(os.environ["PEER_POSTGRES"])
channel = pika.BlockingConnection(pika.URLParameters(os.environ["PEER_AMQP"])).channel()
channel.queue_declare(queue=QUEUE, durable=True)
channel.basic_qos(prefetch_count=int(os.environ["PEER_PREFETCH"]))


def callback(ch, method, properties, body):
    order = json.loads(body)
    with database, database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO woody_load_peer VALUES (%s, %s) ON CONFLICT DO NOTHING", (order["order_id"], order["product"])
        )
    ch.basic_ack(delivery_tag=method.delivery_tag)


channel.basic_consume(queue=QUEUE, on_message_callback=callback)
channel.start_consuming()
