"""Verifies a webhook whose body is at stdin: verify_webhook.py SECRET ID TIMESTAMP SIGNATURE.

By the package `standardwebhooks` if it is there, otherwise by what Python has.
"""

import base64
import hashlib
import hmac
import sys

secret, message, timestamp, signatures = sys.argv[1:]
body = sys.stdin.buffer.read()
try:
    from standardwebhooks.webhooks import Webhook
except ImportError:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    if not any(hmac.compare_digest(expected, signature) for signature in signatures.split(" ")):
        sys.exit("no signature matches")
    print("verified by hmac")
else:
    headers = {"webhook-id": message, "webhook-timestamp": timestamp, "webhook-signature": signatures}
    Webhook(secret).verify(body.decode(), headers)
    print("verified by standardwebhooks")
