"""An origin that serves only what came through the gate. Needs `pip install cryptography`.

    GATE=https://api.example.com AUDIENCE=origin.example.com python3 origin.py

GATE is where callers find the gate, AUDIENCE the host (and port) of the gate's ORIGIN. The key is
Ed25519, as `npm run keygen` makes it. A gate that gets a new ASSERTION_KEY needs a restart here.
"""

import base64
import json
import os
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GATE = os.environ["GATE"]
AUDIENCE = os.environ["AUDIENCE"]
PORT = int(os.environ.get("PORT", "8080"))


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def load_key():
    with urllib.request.urlopen(f"{GATE}/_tollgate/jwks.json", timeout=5) as response:
        key = json.load(response)["keys"][0]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519"), "this example checks Ed25519"
    return Ed25519PublicKey.from_public_bytes(decoded(key["x"]))


def caller(assertion, key):
    """The verified claims, or None for whoever went around the gate."""
    try:
        header, payload, signature = assertion.split(".")
        key.verify(decoded(signature), f"{header}.{payload}".encode("ascii"))
        claims = json.loads(decoded(payload))
        fits = (claims["iss"], claims["aud"]) == (GATE, AUDIENCE) and time.time() < claims["exp"]
        return claims if fits else None
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return None


class Origin(BaseHTTPRequestHandler):
    # The gate's keys are asked for with the first request: the gate may start after its origin.
    key = None

    def do_GET(self):
        Origin.key = Origin.key or load_key()
        claims = caller(self.headers.get("Tollgate-Assertion", ""), Origin.key)
        body = json.dumps(claims or {"error": "Please come through the gate."}).encode()
        self.send_response(200 if claims else 403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("", PORT), Origin).serve_forever()
