#!/bin/sh
# What our stack uses of the official rabbitmq image's entry point: the server, with its configuration in
# /etc/rabbitmq/conf.d and its data in /var/lib/rabbitmq.
set -e
exec "$@"
