# SPDX-License-Identifier: Apache-2.0
"""HTTP as bytes, and as a stock client speaks it."""

import http.client
import json
import socket

from .eventually import BOUND

REQUEST = "GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(address, source=None):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), BOUND,
                                    None if source is None else (source, 0))


def answer(connection):
    """The status of what comes until the end, 0 if nothing does, and all of it."""
    came = b""
    try:
        while chunk := connection.recv(65536):
            came += chunk
    except ConnectionResetError:
        pass
    return (int(came[9:12]) if came.startswith(b"HTTP/1.") else 0), came


def ask(address, request):
    """What the answer to these bytes is, after which the connection is closed."""
    with connect(address) as connection:
        connection.sendall(request if isinstance(request, bytes) else request.encode())
        return answer(connection)


def get(address, path):
    """Status, fields and text, by a stock client."""
    connection = http.client.HTTPConnection(address, timeout=BOUND)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()


def get_json(address, path):
    status, _, text = get(address, path)
    if status != 200:
        raise AssertionError(f"{path}: {status} {text}")
    return json.loads(text)
