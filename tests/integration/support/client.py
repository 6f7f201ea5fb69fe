# SPDX-License-Identifier: Apache-2.0
"""A stock client on a connection of its own: the generated stubs, with short names for tests."""

import grpc
from history.recording_channel import RecordingChannel

from . import wire
from .config import Config
from .eventually import BOUND
from .requests import Requests
from .streams import KeepStream, ReceiveStream, SendStream, message
from .topics import Topics

# One connection a client, no limit of its own, and no patience with a lost connection.
CHANNEL_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_send_message_length", -1),
                   ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.enable_http_proxy", 0))


# A reader that stops holds the stream at 64 KiB: the window does not grow with what it has read.
SMALL_WINDOW = (*CHANNEL_OPTIONS, ("grpc.http2.bdp_probe", 0))


class Client:
    """Calls to one address. Every unary call raises grpc.RpcError for a status other than OK."""

    def __init__(self, address, recorder=None, process="", options=CHANNEL_OPTIONS):
        """What is done is recorded, if there is a recorder, as done by `process`."""
        self.channel = grpc.insecure_channel(address, options=options)
        if recorder:
            self.channel = RecordingChannel(self.channel, recorder, process)
        self.queues = wire.QueueServiceStub(self.channel)
        self.requests = Requests(self.channel)
        self.topics = Topics(self.channel)
        self.config = Config(self.channel)
        self.sessions = wire.SessionServiceStub(self.channel)
        self.admin = wire.AdminServiceStub(self.channel)

    def close(self):
        self.channel.close()

    def declare(self, name, **spec):
        return self.queues.DeclareQueue(
            wire.DeclareQueueRequest(queue=name, spec=wire.QueueSpec(**spec)), timeout=BOUND)

    def describe(self, name):
        return self.queues.DescribeQueue(wire.DescribeQueueRequest(queue=name),
                                         timeout=BOUND).description

    def list_queues(self, **fields):
        return self.queues.ListQueues(wire.ListQueuesRequest(**fields), timeout=BOUND)

    def close_queue(self, name):
        return self.queues.CloseQueue(wire.CloseQueueRequest(queue=name), timeout=BOUND)

    def delete(self, name):
        return self.queues.DeleteQueue(wire.DeleteQueueRequest(queue=name), timeout=BOUND).deleted

    def purge(self, name):
        return self.queues.PurgeQueue(wire.PurgeQueueRequest(queue=name), timeout=BOUND).purged

    def peek(self, name, **fields):
        return self.queues.PeekQueue(wire.PeekQueueRequest(queue=name, **fields), timeout=BOUND)

    def send(self, name, *payloads, mode=wire.SEND_MODE_TRY, timeout=BOUND, **fields):
        return self.queues.Send(self._send_request(name, payloads, mode, fields), timeout=timeout)

    def send_later(self, name, *payloads, mode=wire.SEND_MODE_WAIT, timeout=BOUND * 4, **fields):
        """The future of a Send that may wait."""
        request = self._send_request(name, payloads, mode, fields)
        return self.queues.Send.future(request, timeout=timeout)

    @staticmethod
    def _send_request(name, payloads, mode, fields):
        return wire.SendRequest(queue=name, messages=[message(payload) for payload in payloads],
                                mode=mode, **fields)

    def receive(self, name, timeout=BOUND, **fields):
        return self.queues.Receive(wire.ReceiveRequest(queue=name, **fields), timeout=timeout)

    def receive_later(self, name, timeout=BOUND * 4, **fields):
        return self.queues.Receive.future(wire.ReceiveRequest(queue=name, **fields),
                                          timeout=timeout)

    def settle(self, name, lease, first, count=1, action=wire.SETTLE_ACTION_ACK, **fields):
        """The result of one settlement."""
        settlement = wire.Settlement(first_position=first, count=count, action=action, lease=lease,
                                     **fields)
        request = wire.SettleRequest(queue=name, settlements=[settlement])
        return self.queues.Settle(request, timeout=BOUND).results[0]

    def take(self, name, **fields):
        """Receives at once and acks: the payloads."""
        reply = self.receive(name, **fields)
        for run in reply.runs:
            self.settle(name, reply.lease, run.first_position, run.count)
        return [one.payload for one in reply.messages]

    def info(self):
        return self.admin.ServerInfo(wire.ServerInfoRequest(), timeout=BOUND)

    def sender(self, name, **fields):
        return SendStream(self.queues, name, **fields)

    def receiver(self, name, **fields):
        return ReceiveStream(self.queues, name, **fields)

    def keep(self, **fields):
        return KeepStream(self.sessions, **fields)
