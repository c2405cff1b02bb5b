"""The same shop over Celery: Flask sends a task for each order, a Celery worker commits it."""

import os
import uuid

import psycopg2
from celery import Celery
from flask import Flask, jsonify, request

app = Flask(__name__)
tasks = Celery("celery_shop", broker=os.environ["PEER_AMQP"].replace("amqp://", "pyamqp://"))
tasks.conf.update(
    task_default_queue=os.environ["PEER_QUEUE"],
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=int(os.environ["PEER_PREFETCH"]),
    broker_connection_retry_on_startup=True,
)
database = None


@tasks.task
def save(order_id, product):
    global database
    database = database or psycopg2.connect(os.environ["PEER_POSTGRES"])
    with database, database.cursor() as cursor:
        cursor.execute("INSERT INTO woody_load_peer VALUES (%s, %s) ON CONFLICT DO NOTHING", (order_id, product))


@app.post("/api/orders")
def place():
    order = {"order_id": str(uuid.uuid4()), "product": request.json["product"]}
    save.delay(**order)
    return jsonify(order), 202
