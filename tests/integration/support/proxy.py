# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy between a client and the daemon that can die in the ways of networks: by reset, and
by falling silent, which neither side is told. What it holds is bounded by HTTP/2's own windows."""

import os
import selectors
import socket
import struct
import threading


class _End:
    """One socket of a connection, and what waits to be written to it."""

    def __init__(self, sock):
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket, self.other, self.waiting, self.is_open = sock, None, bytearray(), True


class Proxy:
    """Forwards from `port` to the daemon. One thread."""

    def __init__(self, target_port):
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._wake_read, self._wake_write = os.pipe()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._ends = []
        self._is_silent = False
        self._order = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def fall_silent(self):
        """From now on nothing comes through, and nobody is told: connections stay open."""
        self._is_silent = True

    def reset(self):
        """Ends every connection by RST, on both sides, and takes no new ones. Returns when done."""
        self._tell("reset")

    def cut(self):
        """Ends every connection by RST, on both sides; who comes again is let through."""
        self._tell("cut")

    def close(self):
        if self._thread.is_alive():
            self._tell("close")
            self._thread.join()
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _tell(self, order):
        self._done.clear()
        self._order = order
        os.write(self._wake_write, b"x")
        self._done.wait(10)

    def _run(self):
        while True:
            for key, events in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj == self._wake_read:
                    os.read(self._wake_read, 16)
                    if self._order != "cut":
                        self._stop_listening()
                    self._end_all()
                    self._done.set()
                    if self._order == "close":
                        self._selector.close()
                        return
                elif key.data.is_open:
                    self._serve(key.data, events)

    def _accept(self):
        try:
            client, server = self._listener.accept()[0], socket.create_connection(self._target)
        except OSError:
            return
        near, far = _End(client), _End(server)
        near.other, far.other = far, near
        for end in (near, far):
            self._ends.append(end)
            self._selector.register(end.socket, selectors.EVENT_READ, end)

    def _serve(self, end, events):
        try:
            if events & selectors.EVENT_READ:
                data = end.socket.recv(64 * 1024)
                if not data and not self._is_silent:
                    self._flush(end.other)
                    self._end(end)
                    self._end(end.other)
                    return
                if not data:  # the rest of a silent connection is not worth looking at
                    self._selector.unregister(end.socket)
                    end.is_open = False
                    return
                if not self._is_silent:
                    end.other.waiting += data
            for side in (end, end.other):
                self._flush(side)
        except OSError:
            self._end(end)
            self._end(end.other)

    def _flush(self, end):
        if not end.is_open:
            return
        if end.waiting and not self._is_silent:
            try:
                del end.waiting[:end.socket.send(end.waiting)]
            except BlockingIOError:
                pass
        writes = selectors.EVENT_WRITE if end.waiting and not self._is_silent else 0
        self._selector.modify(end.socket, selectors.EVENT_READ | writes, end)

    def _end(self, end, by_reset=False):
        if not end.is_open:
            return
        end.is_open = False
        self._selector.unregister(end.socket)
        if by_reset:
            end.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.socket.close()

    def _stop_listening(self):
        if self._listener.fileno() != -1:
            self._selector.unregister(self._listener)
            self._listener.close()

    def _end_all(self):
        for end in self._ends:
            if end.is_open:
                self._end(end, by_reset=True)
            else:
                end.socket.close()
        self._ends.clear()
