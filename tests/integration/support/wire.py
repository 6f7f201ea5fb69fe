# SPDX-License-Identifier: Apache-2.0
"""The generated messages and stubs of sluice.v1, and the messages of others that the daemon speaks.

TEST_STUBS is the folder that the build generated them into (tests/integration/CMakeLists.txt).
"""
# pylint: disable=unused-import,wildcard-import,unused-wildcard-import

import os
import sys

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, message_factory

STUBS = os.environ["TEST_STUBS"]
sys.path.insert(0, STUBS)

from sluice.v1.message_pb2 import *
from sluice.v1.queue_pb2 import *
from sluice.v1.request_pb2 import *
from sluice.v1.topic_pb2 import *
from sluice.v1.config_pb2 import *
from sluice.v1.session_pb2 import *
from sluice.v1.admin_pb2 import *
from sluice.v1.queue_pb2_grpc import QueueServiceStub
from sluice.v1.request_pb2_grpc import RequestServiceStub
from sluice.v1.topic_pb2_grpc import TopicServiceStub
from sluice.v1.config_pb2_grpc import ConfigServiceStub
from sluice.v1.session_pb2_grpc import SessionServiceStub
from sluice.v1.admin_pb2_grpc import AdminServiceStub


def _foreign():
    """google.rpc and grpc.* are Python packages of libraries: their messages by descriptors."""
    pool = descriptor_pool.Default()
    with open(os.path.join(STUBS, "foreign.binpb"), "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
    for file in files:
        if not file.name.startswith("google/protobuf/"):
            pool.AddSerializedFile(file.SerializeToString())
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName(name))


foreign = _foreign()
RpcStatus = foreign("google.rpc.Status")
ErrorInfo = foreign("google.rpc.ErrorInfo")
RetryInfo = foreign("google.rpc.RetryInfo")
HealthCheckRequest = foreign("grpc.health.v1.HealthCheckRequest")
HealthCheckResponse = foreign("grpc.health.v1.HealthCheckResponse")
