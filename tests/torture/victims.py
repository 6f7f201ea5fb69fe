# SPDX-License-Identifier: Apache-2.0
"""Clients that die at a point drawn from a seed: by SIGKILL, or frozen by SIGSTOP.

Run as a program it is told of victims on stdin, one JSON object a line (kind, seed, address,
signal), forks each, and tells on stdout what becomes of it, {"pid": ..., "state": ...}: born,
frozen, dead. It forks before gRPC has any thread, so that a victim costs milliseconds.
"""

import json
import os
import random
import select
import signal

import config_victims
import grpc
import queue_victims
import request_victims
import topic_victims
from death import Death, go_on
from support.client import Client

KINDS = {
    "SendStream": queue_victims.send_stream,
    "ReceiveStream": queue_victims.receive_stream,
    "Keep": queue_victims.keep,
    "PublishStream": topic_victims.publish_stream,
    "Subscribe": topic_victims.subscribe,
    "CallStream": request_victims.call_stream,
    "CallParts": request_victims.call_parts,
    "Serve": request_victims.serve,
    "Watch": config_victims.watch,
    "unary": queue_victims.unary,
    "unary of the other kinds": config_victims.unary,
}


def live_and_die(order):
    rng = random.Random(f"{order['kind']} {order['seed']}")
    death = Death(rng, order["signal"])
    client = Client(order["address"])  # as long as this lives: its streams go with it
    try:
        KINDS[order["kind"]](client, rng, death, order["seed"])
    except (grpc.RpcError, AssertionError):
        pass  # SUPERSEDED, or whatever else happens to one of many: the end comes anyway
    go_on()


def main():
    orders = open(0, "rb", buffering=0)  # what select says is then all there is
    while True:
        readable, _, _ = select.select([orders], [], [], 0.02)
        if readable:
            line = orders.readline()
            if not line:
                return
            pid = os.fork()
            if pid == 0:
                live_and_die(json.loads(line))
            tell(pid, "born")
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if os.WIFSTOPPED(status):
                tell(pid, "frozen")
            else:
                died_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
                tell(pid, "dead" if died_by == signal.SIGKILL else f"ended with {status}")


def tell(pid, state):
    print(json.dumps({"pid": pid, "state": state}), flush=True)


if __name__ == "__main__":
    main()
