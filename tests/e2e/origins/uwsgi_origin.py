"""A WSGI application that serves the directory named as its argument."""

import os
import posixpath
import sys

SITE = sys.argv[1]


def application(environ, start_response):
    """Serves a file, or what it was asked with."""
    path = posixpath.normpath(environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"))
    if path.endswith("/env"):
        start_response("200 OK", [("Content-Type", "text/plain")])
        texts = [(name, value) for name, value in environ.items() if isinstance(value, str)]
        return ["".join(f"{name}={value}\n" for name, value in texts).encode("utf-8", "replace")]
    content = None if "\0" in path else read(SITE + path)
    if content is None:
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"not found\n"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [content]


def read(file):
    """The content of a file, or of the index of a directory; None where there is none."""
    if os.path.isdir(file):
        file = os.path.join(file, "index.html")
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError:
        return None
