# SPDX-License-Identifier: Apache-2.0
"""A little of everything that clients do, on a daemon, recorded: the history that faults are
planted in."""

from support import wire
from support.client import Client
from support.eventually import eventually

from .recorder import Recorder

BIG = b"x" * 200_000


def recorded(daemon):
    """The events, when all is done and every client has left."""
    recorder = Recorder()
    clients = [Client(daemon.address, recorder, f"{daemon.pid}:{i}") for i in range(3)]
    for part in (use_queue, use_topic, use_keys, use_calls):
        part(*clients)
    for client in clients:
        client.close()
    return recorder.finish()


def use_queue(first, second, watcher):
    first.declare("jobs", capacity=100)
    receiver = second.receiver("jobs", credit=4)
    receiver.wait_attached()
    sender = first.sender("jobs")
    for i in range(5):
        sender.send(f"{i}.a", f"{i}.b")
    sender.wait_told(10)
    for i in range(5):
        watcher.send("jobs", f"{i}.c")
    settled = 0
    while settled < 16:
        received = receiver.wait_messages(settled + 1)[settled]
        again = received.position == 3 and received.attempts == 1
        receiver.settle(wire.SETTLE_ACTION_NACK if again else wire.SETTLE_ACTION_ACK,
                        received.position)
        receiver.wait_settled(settled + 1)
        settled += 1
    sender.half_close()
    sender.end()
    watcher.describe("jobs")
    watcher.describe("jobs")


def use_topic(first, second, watcher):
    topic = first.topics.declare("news", capacity=4).description
    fast = second.topics.subscriber("news").wait_ready()
    slow = watcher.topics.subscriber("news").wait_ready()
    slow.pause()
    publisher = first.topics.publisher("news")
    for i in range(40):
        publisher.send(BIG + str(i).encode())
        publisher.wait_told(i + 1)
        fast.wait_position(i + 2)
    slow.resume()
    slow.wait_position(41)
    late = watcher.topics.come_back(("news", topic.epoch, 10), name="news")
    late.wait_position(41)
    first.topics.describe("news")
    first.topics.close("news")
    for stream in (fast, slow, late):
        stream.end()
    other = first.topics.declare("empty", resume_window_ms=0).description.name
    first.topics.publish(other, "to nobody")
    reader = second.topics.subscriber(other).wait_ready()
    first.topics.publish(other, "to somebody")
    reader.wait_position(2)


def use_keys(first, second, watcher):
    stream = watcher.config.watcher(prefixes=[""])
    stream.wait_end_mark()
    for i in range(4):
        entry = first.config.set("colour", i).entry
        first.config.get("colour")
        entry = second.config.set("colour", f"{i}!", expect=version_of(entry)).entry
        second.config.get("colour")
        first.config.set("colour", "late", expect=wire.KeyVersion(
            epoch=entry.epoch, version=entry.version - 1))
        first.config.set(f"shape/{i}", i, expect=wire.KeyVersion())
    first.config.list()
    second.config.delete("colour", expect=version_of(entry))
    second.config.get("colour")
    last = first.config.set("colour", "new", expect=wire.KeyVersion()).entry
    stream.wait_revision(last.revision)
    again = second.config.watcher("colour", resume=(stream.point[0], entry.revision))
    again.wait_end_mark()
    snapshot = second.config.watcher(prefixes=["shape/"])
    snapshot.wait_end_mark()


def version_of(entry):
    return wire.KeyVersion(epoch=entry.epoch, version=entry.version)


def use_calls(first, second, watcher):
    first.requests.declare("answers")
    workers = [second.requests.serve("answers", credit=5, answer=answer) for _ in range(2)]
    for worker in workers:
        worker.wait_attached()
    for i in range(5):
        first.requests.call("answers", f"unary {i}")
    stream = watcher.requests.stream()
    for i in range(5):
        stream.start("answers", f"stream {i}", parts=i % 2 == 0)
        stream.wait_last(i + 1)
    stream.half_close()
    stream.end()
    first.requests.call("answers", "fail")
    first.requests.parts("answers", "parts").end()
    eventually(lambda: first.requests.describe("answers").accepted == 12, what="the count")
    for worker in workers:
        worker.finish()
        worker.end()


def answer(worker, assignment):
    asked = assignment.request.payload
    if asked == b"fail":
        worker.fail(assignment.call_id)
        return
    if assignment.parts:
        worker.reply(assignment.call_id, b"first, ", last=False)
    worker.reply(assignment.call_id, b"re: " + asked)
