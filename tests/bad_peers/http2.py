# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 by hand, for peers that break its rules (RFC 9113): every frame goes out as it is told,
nothing is answered that was not asked for. Header blocks are literals without a table (RFC 7541,
6.2.2), so that none depends on another."""

import select
import socket
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, \
    CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE, INITIAL_WINDOW = 4, 65_535
CANCEL = 8
FRAME_BYTES_MAX = 16_384  # what a peer takes that has not said otherwise
WINDOW_MAX = (1 << 31) - 1
# A peer that reads nothing for so long has stopped reading.
STUCK_S = 1.0
# Longer than anything takes here; it only ends a test that has failed.
BOUND = 60.0
# Where bad peers come from: a bound on connections of one address meets them alone.
BAD_ADDRESS = "127.0.0.66"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def integer(value, prefix_bits, first=0):
    """RFC 7541, 5.1."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes([first | value])
    encoded, value = bytearray([first | most]), value - most
    while value >= 128:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return integer(len(data), 7) + data


def block(*fields):
    """The header block of these (name, value)."""
    return b"".join(b"\x00" + string(name) + string(value) for name, value in fields)


def call_fields(path, *more, **changed):
    """What a gRPC client sends to call `path`. `changed` are fields to differ (None: without it);
    a leading _ stands for the colon."""
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost",
              "te": "trailers", "content-type": "application/grpc"}
    for name, value in changed.items():
        fields[name.replace("_", ":", 1) if name.startswith("_") else name] = value
    return [(name, value) for name, value in fields.items() if value is not None] + list(more)


def headers(stream, fields, flags=END_HEADERS):
    """HEADERS, and CONTINUATION where the block is longer than a frame."""
    whole = block(*fields) if not isinstance(fields, bytes) else fields
    pieces = [whole[i:i + FRAME_BYTES_MAX] for i in range(0, len(whole), FRAME_BYTES_MAX)] or [b""]
    frames = []
    for i, piece in enumerate(pieces):
        is_last = i == len(pieces) - 1
        ended = flags if is_last else flags & ~END_HEADERS
        frames.append(frame(HEADERS if i == 0 else CONTINUATION,
                            ended if i == 0 else ended & END_HEADERS, stream, piece))
    return b"".join(frames)


def settings(**values):
    """SETTINGS; values by number: settings(_4=0)."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", int(number[1:]), value)
                                          for number, value in values.items()))


def message(content, compressed=0, length=None):
    """One message of gRPC; its length may be a lie."""
    return struct.pack(">BI", compressed, len(content) if length is None else length) + content


def data(stream, content, flags=0):
    """DATA frames, as many as it takes."""
    pieces = [content[i:i + FRAME_BYTES_MAX]
              for i in range(0, len(content), FRAME_BYTES_MAX)] or [b""]
    return b"".join(frame(DATA, flags if i == len(pieces) - 1 else 0, stream, piece)
                    for i, piece in enumerate(pieces))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", increment))


def reset(stream, code=CANCEL):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def connect(port):
    """A plain socket to the daemon, from the address of bad peers."""
    return socket.create_connection(("127.0.0.1", port), BOUND, (BAD_ADDRESS, 0))


def abort(sock):
    """Closes by RST: no port is left waiting on either side."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Peer:
    """One connection. `came` has the frames that were read, as (kind, flags, stream, payload);
    `is_cut`: the daemon has ended the connection."""

    def __init__(self, port, greeting=PREFACE + settings()):
        self.socket = connect(port)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = "ipv4:%s:%d" % self.socket.getsockname()  # as the daemon writes it
        self.came, self.is_cut, self._unread = [], False, b""
        if greeting:
            self.pour(greeting)

    def pour(self, content, is_reading=True):
        """Writes until all is taken, the connection is cut, or the daemon stops reading. Returns
        how many bytes went. Reads what comes meanwhile, unless told otherwise."""
        self.socket.setblocking(False)
        view, sent, moved = memoryview(content), 0, time.monotonic()
        while sent < len(view) and not self.is_cut and time.monotonic() - moved < STUCK_S:
            readers = [self.socket] if is_reading else []
            readable, writable, _ = select.select(readers, [self.socket], [], 0.1)
            if readable:
                self._read_some()
            if writable and not self.is_cut:
                try:
                    sent += self.socket.send(view[sent:sent + (256 << 10)])
                    moved = time.monotonic()
                except BlockingIOError:
                    pass
                except OSError:
                    self.is_cut = True
        return sent

    def pour_data(self, stream, content):
        """DATA as far as the daemon opens its windows: the bytes that went."""
        sent = 0
        while sent < len(content) and not self.is_cut and not self.is_over(stream):
            room = min(self._window(0), self._window(stream)) - sent
            if room <= 0:
                known = len(self.came)
                if not self.read_until(lambda n=known: len(self.came) > n, STUCK_S):
                    break
                continue
            piece = content[sent:sent + min(room, 1 << 20)]
            self.pour(data(stream, piece))
            sent += len(piece)
        return sent

    def _window(self, stream):
        """What may be sent in all on this stream, if nothing else is; 0 is the connection."""
        window = INITIAL_WINDOW
        for kind, flags, of, payload in self.came:
            if kind == WINDOW_UPDATE and of == stream:
                window += struct.unpack(">I", payload)[0]
            elif kind == SETTINGS and stream and not flags & ACK:
                for number, value in struct.iter_unpack(">HI", payload):
                    if number == INITIAL_WINDOW_SIZE:
                        window += value - INITIAL_WINDOW
        return window

    def read_until(self, condition, bound=BOUND):
        """Reads until condition() is true, and gives its answer; or that of the end."""
        deadline = time.monotonic() + bound
        self.socket.setblocking(False)
        while not (answer := condition()) and not self.is_cut:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            if select.select([self.socket], [], [], left)[0]:
                self._read_some()
        return answer

    def _read_some(self):
        try:
            content = self.socket.recv(256 << 10)
        except BlockingIOError:
            return
        except OSError:
            content = b""
        self.is_cut = not content
        unread = self._unread + content
        while len(unread) >= 9:
            length = int.from_bytes(unread[:3], "big")
            if len(unread) < 9 + length:
                break
            kind, flags, stream = struct.unpack(">BBI", unread[3:9])
            self.came.append((kind, flags, stream, unread[9:9 + length]))
            unread = unread[9 + length:]
        self._unread = unread

    def greet(self):
        """The rest of the handshake: waits for SETTINGS, and acknowledges them."""
        self.read_until(lambda: any(one[0] == SETTINGS for one in self.came))
        self.pour(frame(SETTINGS, ACK, 0))
        return self

    def wait_cut(self, bound=BOUND):
        """Reads until the daemon has ended the connection."""
        self.read_until(lambda: False, bound)
        return self.is_cut

    def wait_answer(self, stream):
        """Until the stream is ended by the daemon, or all are: True if it was."""
        return self.read_until(lambda: self.is_over(stream)) or self.is_cut

    def is_over(self, stream):
        """RST_STREAM, or a frame with END_STREAM, has come."""
        return any(one[2] == stream and (one[0] == RST_STREAM or one[0] in (HEADERS, DATA) and
                                         one[1] & END_STREAM) for one in self.came)

    def over(self):
        """Streams that the daemon has ended, by answer or reset."""
        return {stream for kind, flags, stream, _ in self.came if kind == RST_STREAM or
                kind in (HEADERS, DATA) and flags & END_STREAM}

    def goaway(self):
        """(error code, its text) of GOAWAY; None: none came."""
        for kind, _, _, payload in self.came:
            if kind == GOAWAY:
                return struct.unpack(">I", payload[4:8])[0], payload[8:]
        return None

    def says(self, text):
        """In a header or a message of what came: literals are sent as they are."""
        return any(text in payload for _, _, _, payload in self.came)

    def close(self):
        if self.socket.fileno() != -1:
            abort(self.socket)
