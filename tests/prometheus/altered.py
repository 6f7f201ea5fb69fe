# SPDX-License-Identifier: Apache-2.0
"""Alerts about what a test cannot bring about: books that are off would be a defect of the daemon,
and no peer can make it write the 8,192 lines that its log holds. A real daemon's real page goes
through a relay that says so, and all the rest of it is true."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from causes import Cause


class _Relay(BaseHTTPRequestHandler):
    def do_GET(self):  # pylint: disable=invalid-name
        page = self.server.altered(self.server.daemon.page()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class Altered(Cause):
    """SAMPLE, as it stands on the page, is said to be one more on each scrape."""
    SAMPLE = ""

    def __init__(self):
        super().__init__()
        self._scrapes = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Relay)
        self._server.daemon_threads = True
        self._server.daemon, self._server.altered = self.daemon, self._page
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        self.held.callback(thread.join)
        self.held.callback(self._server.server_close)
        self.held.callback(self._server.shutdown)

    @property
    def target(self):
        return f"127.0.0.1:{self._server.server_address[1]}"

    def _page(self, page):
        self._scrapes += 1
        altered, count = re.subn(rf"^{re.escape(self.SAMPLE)} \S+$",
                                 f"{self.SAMPLE} {self._scrapes}", page, flags=re.MULTILINE)
        assert count == 1, f"{self.SAMPLE} is {count} times on the page"
        return altered


class WrongBooks(Altered):
    ALERTS = ("SluiceConservationBroken",)
    SAMPLE = 'sluice_conservation_imbalance{kind="queue"}'


class StuckLogReader(Altered):
    ALERTS = ("SluiceLogLinesDropped",)
    SAMPLE = "sluice_log_dropped_total"


ALL = [WrongBooks, StuckLogReader]
