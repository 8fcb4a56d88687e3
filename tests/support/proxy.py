"""A proxy that passes plain HTTP on, and notes what for."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_OF_ONE_CONNECTION = {"connection", "keep-alive", "proxy-connection", "transfer-encoding"}


@contextmanager
def running_proxy() -> Iterator[tuple[str, list[str]]]:
    """(its address, the requests that it was asked to pass on: "PUT /path")."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_any(self) -> None:
            address = urlsplit(self.path)
            seen.append(f"{self.command} {address.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_ONE_CONNECTION}
            onward = http.client.HTTPConnection(address.netloc, timeout=60)
            try:
                onward.request(self.command, f"{address.path}?{address.query}".rstrip("?"), body, headers)
                answer = onward.getresponse()
                content = answer.read()
            finally:
                onward.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in {*_OF_ONE_CONNECTION, "content-length"}:
                    self.send_header(name, value)
            self.send_header(
                "Content-Length",
                answer.headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(content)),
            )
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
