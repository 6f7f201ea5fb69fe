# SPDX-License-Identifier: Apache-2.0
"""For each alert: series under which it fires, and series, as near as they come, under which it
does not. Values are promtool's notation, a sample a minute: "0+6x30" rises by 6 a minute, "1x30"
stays 1."""

from dataclasses import dataclass, field

# All is looked at after this, longer than any `for:`.
EVAL_AT = "30m"
INSTANCE = 'instance="a:7401",job="sluice"'


@dataclass(frozen=True)
class Case:
    alert: str
    fires: dict   # series -> values
    quiet: dict
    labels: dict = field(default_factory=dict)  # of the alert, beside instance, job and severity


def steady(value):
    return f"{value}x30"


def rising(by):
    return f"0+{by}x30"


def _share(part, whole):
    """A case's two series: this many of one against so many of the other, a minute."""
    def made(alert, some, many, a_hundred, labels=None):
        return Case(alert, {part: rising(some), whole: rising(a_hundred)},
                    {part: rising(many), whole: rising(a_hundred)}, labels or {})
    return made


def _handled(code):
    return f'grpc_server_handled_total{{grpc_code="{code}",grpc_method="Send"}}'


def _unserved(refused=0, waited=0):
    """So many of about a hundred calls a minute."""
    return {'sluice_request_refused_total{outcome="NO_RESPONDER"}': rising(refused),
            'sluice_request_completed_total{outcome="NO_RESPONDER"}': rising(waited),
            "sluice_request_accepted_total": rising(100 - refused)}


CASES = [
    Case("SluiceDown", {"up": steady(0)}, {"up": "1x20 0 1x10"}),
    Case("SluiceNotReady", {"sluice_ready": steady(0)}, {"sluice_ready": "1x28 0x2"}),
    Case("SluiceRestarting", {"process_start_time_seconds": "100x18 200x3 300x3 400x10"},
         {"process_start_time_seconds": "100x20 200x5 300x10"}),
    Case("SluiceConservationBroken", {'sluice_conservation_imbalance{kind="queue"}': steady(-1)},
         {'sluice_conservation_imbalance{kind="queue"}': steady(0)}, {"kind": "queue"}),
    _share(_handled("Unavailable"), _handled("OK"))("SluiceErrors", 12, 9, 1000),
    Case("SluiceErrors", {_handled("Internal"): rising(1)},
         {_handled("InvalidArgument"): rising(600), _handled("Internal"): steady(3)}),
    Case("SluiceWorkerBusy", {'sluice_worker_busy_seconds_total{worker="1"}': rising(55)},
         {'sluice_worker_busy_seconds_total{worker="1"}': rising(53)}, {"worker": "1"}),
    Case("SluiceLogLinesDropped", {"sluice_log_dropped_total": "0x27 1x10"},
         {"sluice_log_dropped_total": "0x20 1x20"}),
    Case("SluiceQueueNearCapacity", {"sluice_queue_fill_ratio_max": steady(0.91)},
         {"sluice_queue_fill_ratio_max": "0.5x26 1x10"}),
    Case("SluiceOldestMessageTooOld", {"sluice_queue_oldest_unsettled_seconds_max": steady(301)},
         {"sluice_queue_oldest_unsettled_seconds_max": steady(300)}),
    Case("SluiceSendersWaiting", {"sluice_queue_oldest_wait_seconds_max": steady(61)},
         {"sluice_queue_oldest_wait_seconds_max": steady(60)}),
    _share('sluice_queue_refused_total{outcome="FULL"}', "sluice_queue_accepted_total")(
        "SluiceRefusingFull", 6, 4, 94, {"kind": "queue"}),
    _share('sluice_topic_refused_total{outcome="FULL"}', "sluice_topic_published_total")(
        "SluiceRefusingFull", 6, 4, 94, {"kind": "topic"}),
    _share('sluice_request_refused_total{outcome="FULL"}', "sluice_request_accepted_total")(
        "SluiceRefusingFull", 6, 4, 94, {"kind": "request"}),
    Case("SluiceMessagesLost", {"sluice_queue_deleted_total": "0x28 1x10"},
         {"sluice_queue_deleted_total": "0x20 7x20"}),
    _share("sluice_queue_failures_total", "sluice_queue_delivered_total")(
        "SluiceDeliveriesFailing", 21, 19, 100),
    _share("sluice_topic_missed_total", "sluice_topic_delivered_total")(
        "SluiceSubscribersMissing", 11, 9, 1000),
    Case("SluiceStreamsStalled", {"sluice_stream_stalled_seconds_max": steady(121)},
         {"sluice_stream_stalled_seconds_max": "0x29 500x10"}),
    Case("SluiceNoResponder", _unserved(refused=6), _unserved(refused=4)),
    Case("SluiceNoResponder", _unserved(waited=6), _unserved(waited=4)),
    _share('sluice_request_completed_total{outcome="RESPONDER_GONE"}',
           'sluice_request_completed_total{outcome="OK"}')("SluiceRespondersLost", 11, 9, 990),
    *(Case("SluiceBoundNear", {f"sluice_{bound}": steady(81), f"sluice_{bound}_max": steady(100)},
           {f"sluice_{bound}": steady(80), f"sluice_{bound}_max": steady(100)}, {"bound": bound})
      for bound in ("sessions", "channels", "connections")),
    Case("SluiceBoundNear", {"sluice_streams": steady(41), "sluice_unary_calls": steady(40),
                             "sluice_streams_max": steady(100)},
         {"sluice_streams": steady(40), "sluice_unary_calls": steady(40),
          "sluice_streams_max": steady(100)}, {"bound": "streams"}),
    Case("SluiceFileDescriptors", {"process_open_fds": steady(81), "process_max_fds": steady(100)},
         {"process_open_fds": steady(80), "process_max_fds": steady(100)}),
    Case("SluiceMemoryBudget",
         {"sluice_memory_used_bytes": steady(91), "sluice_memory_limit_bytes": steady(100)},
         {"sluice_memory_used_bytes": steady(91), "sluice_memory_limit_bytes": steady(0)}),
    Case("SluiceMemoryBudget",
         {"sluice_memory_used_bytes": steady(100), "sluice_memory_limit_bytes": steady(100)},
         {"sluice_memory_used_bytes": steady(90), "sluice_memory_limit_bytes": steady(100)}),
    Case("SluiceMemoryRefusing", {"sluice_memory_refused_total": "0x28 5x10"},
         {"sluice_memory_refused_total": "0x20 5x20"}),
    Case("SluiceConnectionsRefused",
         {'sluice_connections_refused_total{reason="total"}': rising(1)},
         {'sluice_connections_refused_total{reason="total"}': "0x26 9x10"}, {"reason": "total"}),
    Case("SluiceConnectionsCut", {'sluice_connections_cut_total{reason="reset"}': rising(1)},
         {'sluice_connections_cut_total{reason="reset"}': "0x26 9x10"}, {"reason": "reset"}),
]


def _of_instance(series):
    """With the labels that a scrape gives."""
    if series.endswith("}"):
        return f"{series[:-1]},{INSTANCE}}}"
    return f"{series}{{{INSTANCE}}}"


def _expected(case, severity):
    labels = {"alertname": case.alert, "alertstate": "firing", "instance": "a:7401",
              "job": "sluice", "severity": severity, **case.labels}
    inside = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()))
    return [{"labels": f"ALERTS{{{inside}}}", "value": 1}]


def promtool_tests(rules_path, severities):
    """For promtool, as an object; `severities` are by alert. What fires is there with exactly
    these labels, and beside what is quiet there is nothing."""
    tests = []
    for case in CASES:
        for series, expected in ((case.fires, _expected(case, severities[case.alert])),
                                 (case.quiet, [])):
            tests.append({
                "interval": "1m",
                "input_series": [{"series": _of_instance(name), "values": values}
                                 for name, values in series.items()],
                "promql_expr_test": [{
                    "expr": f'ALERTS{{alertname="{case.alert}",alertstate="firing"}}',
                    "eval_time": EVAL_AT, "exp_samples": expected}]})
    return {"rule_files": [rules_path], "evaluation_interval": "1m", "tests": tests}
