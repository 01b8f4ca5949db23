"""Python's own http.server, serving the directory named first on the port named second."""

import functools
import http.server
import sys


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files and says which target it was asked for."""

    def end_headers(self):
        """Adds what the tests look at."""
        self.send_header("X-Origin", "python")
        self.send_header("X-Origin-Target", ascii(self.path))
        super().end_headers()

    def log_message(self, format, *args):
        """Stays silent."""


def main():
    """Serves until it is ended."""
    directory, port = sys.argv[1], int(sys.argv[2])
    handler = functools.partial(Handler, directory=directory)
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
