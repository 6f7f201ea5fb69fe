# SPDX-License-Identifier: Apache-2.0
"""A status other than OK, with what the daemon tells beside it (N7)."""

from dataclasses import dataclass, field

import grpc

from . import wire


@dataclass
class Fault:
    code: grpc.StatusCode
    text: str
    reason: str = ""
    domain: str = ""
    details: dict = field(default_factory=dict)
    retry_ms: int = 0


def fault_of(call):
    """Of a finished call (also of the exception that a unary call raises). None: it was OK."""
    if call.code() == grpc.StatusCode.OK:
        return None
    fault = Fault(call.code(), call.details() or "")
    for key, value in call.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in wire.RpcStatus.FromString(value).details:
                _read_detail(fault, detail)
    return fault


def _read_detail(fault, detail):
    info, retry = wire.ErrorInfo(), wire.RetryInfo()
    if detail.Unpack(info):
        fault.reason, fault.domain, fault.details = info.reason, info.domain, dict(info.metadata)
    elif detail.Unpack(retry):
        fault.retry_ms = retry.retry_delay.ToMilliseconds()
