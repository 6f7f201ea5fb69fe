# SPDX-License-Identifier: Apache-2.0
"""What the dashboard shows: rows of panels, and of each panel its lines. In expressions <metric> is
that metric of the chosen daemons, see `expanded`."""

import re
from dataclasses import dataclass

CHOSEN = 'instance=~"$instance"'
# What is not ours alone is told apart by its job.
SHARED = ("process_", "grpc_server_", "up")


@dataclass(frozen=True)
class Panel:
    title: str
    unit: str
    lines: tuple  # of (expression, legend)
    description: str
    is_tile: bool = False
    least: float = 0
    most: float = None
    alarm: float = None
    must_be_high: bool = False


def _selected(match):
    metric, labels = match[1], match[2] or ""
    chosen = [CHOSEN]
    if metric.startswith(SHARED):
        chosen.append('job="sluice"')
    if labels:
        chosen.append(labels)
    return f"{metric}{{{','.join(chosen)}}}"


def expanded(expression):
    """<m> and <m|label="x"> select m of the chosen daemons; rate <m> is its rate a second over
    Grafana's interval."""
    selected = re.sub(r"<([a-z_:0-9]+)(?:\|([^<>]*))?>", _selected, expression)
    return re.sub(r"rate ([a-z_:0-9]+\{[^}]*\})", r"rate(\1[$__rate_interval])", selected)


def _lines(pairs):
    return tuple((expanded(expression), legend) for expression, legend in pairs)


def tile(title, unit, expression, description, **how):
    return Panel(title, unit, _lines([(expression, "{{instance}}")]), description, is_tile=True,
                 **how)


def graph(title, unit, description, *pairs, **how):
    return Panel(title, unit, _lines(pairs), description, **how)


def total(metric):
    """Of all chosen daemons: its rate."""
    return f"sum(rate <{metric}>)"


def now(metric):
    """Of all chosen daemons: what there is."""
    return f"sum(<{metric}>)"


def by(label, metric):
    return f"sum by ({label}) (rate <{metric}>)"


def quantile(part, metric, more="", label=""):
    """A quantile of a histogram."""
    return (f"histogram_quantile({part}, sum by (le{label}) "
            f"(rate <{metric}_bucket{'|' + more if more else ''}>))")


OVERVIEW = [
    tile("Up", "none", "min(<up>)", "0: a daemon does not answer scrapes.", alarm=1,
         must_be_high=True),
    tile("Ready", "none", "min(<sluice_ready>)", "0: /readyz of a daemon refuses.", alarm=1,
         must_be_high=True),
    tile("Up for", "s", "min(time() - <process_start_time_seconds>)", "The youngest daemon."),
    tile("Books", "none", "max(abs(<sluice_conservation_imbalance>))",
         "What conservation is off by, in all kinds. Anything but 0 is a defect.", alarm=1),
    tile("Errors", "percentunit", "max(<sluice:errors:ratio_rate5m>)",
         "Calls that the daemon could not serve.", alarm=0.01),
    tile("Memory", "percentunit",
         "max(<sluice_memory_used_bytes> / <sluice_memory_limit_bytes>)",
         "Of the memory budget.", alarm=0.9),
    tile("Fullest queue", "percentunit", "max(<sluice_queue_fill_ratio_max>)",
         "In messages or bytes, whichever is nearer its bound.", alarm=0.9),
    tile("Nearest bound", "percentunit", "max(<sluice:bound_used:ratio>)",
         "Streams, sessions, channels or connections, whichever is nearest.", alarm=0.8),
    graph("In", "ops", "Messages, calls and values accepted a second.",
          (total("sluice_queue_accepted_total"), "queues"),
          (total("sluice_topic_published_total"), "topics"),
          (total("sluice_request_accepted_total"), "calls"),
          (total('sluice_config_sets_total|outcome="OK"'), "config sets")),
    graph("Out", "ops", "Messages, calls and entries handed out a second.",
          (total("sluice_queue_delivered_total"), "queues"),
          (total("sluice_topic_delivered_total"), "topics"),
          (total('sluice_request_completed_total|outcome="OK"'), "replies"),
          (total("sluice_config_delivered_total"), "config entries")),
    graph("Refused", "ops", "Answers that are no: each is told to who asked.",
          (by("outcome", "sluice_queue_refused_total"), "queue {{outcome}}"),
          (by("outcome", "sluice_topic_refused_total"), "topic {{outcome}}"),
          (by("outcome", "sluice_request_refused_total"), "call {{outcome}}")),
    graph("Age when delivered", "s", "From acceptance to being handed to the transport.",
          (quantile(0.5, "sluice_delivery_age_seconds", label=", kind"), "{{kind}} p50"),
          (quantile(0.99, "sluice_delivery_age_seconds", label=", kind"), "{{kind}} p99")),
    graph("Short calls", "s", "From begin to status; those that wait (Receive, GetKey) included.",
          (quantile(0.5, "grpc_server_handling_seconds"), "p50"),
          (quantile(0.99, "grpc_server_handling_seconds"), "p99")),
    graph("Calls that failed", "ops", "By status; Canceled is a client that went.",
          (by("grpc_code", 'grpc_server_handled_total|grpc_code!="OK"'), "{{grpc_code}}")),
]

QUEUES = [
    graph("Flow", "ops", "What is accepted leaves settled; what comes back is delivered again.",
          (total("sluice_queue_accepted_total"), "accepted"),
          (total("sluice_queue_delivered_total"), "delivered"),
          (total("sluice_queue_settled_total"), "settled"),
          (total("sluice_queue_redelivered_total"), "delivered again")),
    graph("Held", "short", "Messages queued, out and unsettled; capacity is of all queues.",
          (now("sluice_queue_depth"), "depth"), (now("sluice_queue_in_flight"), "in flight"),
          (now("sluice_queue_delayed"), "delayed"), (now("sluice_queue_returned"), "returned"),
          (now("sluice_queue_capacity"), "capacity")),
    graph("Fullest", "percentunit", "By messages or bytes, whichever is nearer its bound.",
          ("max(<sluice_queue_fill_ratio_max>)", "fullest queue")),
    graph("Full and waiting", "short", "Queues without room, and who waits.",
          (now("sluice_queues_full"), "full queues"),
          (now("sluice_queue_waiting_sends"), "waiting sends"),
          (now("sluice_queue_waiting_receives"), "waiting receives")),
    graph("Oldest message", "s", "Of those that are not settled.",
          ("max(<sluice_queue_oldest_unsettled_seconds_max>)", "oldest")),
    graph("Undone and lost", "ops", "Failures come back; purged and deleted do not.",
          (total("sluice_queue_failures_total"), "failures"),
          (total("sluice_queue_lease_expiries_total"), "of them expired leases"),
          (total("sluice_queue_stale_settlements_total"), "stale settlements"),
          (total("sluice_queue_purged_total"), "purged"),
          (total("sluice_queue_deleted_total"), "deleted"),
          (total("sluice_queue_abandoned_total"), "abandoned in line")),
    graph("Parties", "short", "Who is attached.",
          (now("sluice_queues"), "queues"), (now("sluice_queue_producers"), "producers"),
          (now("sluice_queue_consumers"), "consumers"),
          (now("sluice_queue_standby_consumers"), "standing by"),
          (now("sluice_queue_leases"), "leases")),
    graph("Senders", "ops", "Sends that had to wait, and messages sent again.",
          (total("sluice_queue_waited_sends_total"), "sends that waited"),
          (total("sluice_queue_duplicates_total"), "duplicates recognised"),
          (by("outcome", "sluice_queue_receives_total"), "receive {{outcome}}")),
    graph("Busiest queues: depth", "short", "Of the daemon's list of busiest channels.",
          ("topk(10, <sluice_queue_channel_depth>)", "{{channel}}")),
    graph("Busiest queues: accepted", "ops", "Of the daemon's list of busiest channels.",
          ("topk(10, rate <sluice_queue_channel_accepted_total>)", "{{channel}}")),
]

TOPICS = [
    graph("Flow", "ops", "Each subscriber counts in delivered and missed.",
          (total("sluice_topic_published_total"), "published"),
          (total("sluice_topic_delivered_total"), "delivered"),
          (total("sluice_topic_missed_total"), "missed"),
          (total("sluice_topic_overwritten_total"), "overwritten"),
          (total("sluice_topic_waited_publishes_total"), "publishes that waited")),
    graph("Behind", "percentunit", "The slowest subscriber, of its topic's ring: at 1 it loses.",
          ("max(<sluice_topic_subscriber_lag_ratio_max>)", "slowest"),
          ("max(<sluice:missed:ratio_rate5m>)", "missed, of all")),
    graph("Told", "ops", "Subscribers told that they missed, or ended for it.",
          (total("sluice_topic_lags_total"), "lagged"),
          (total("sluice_topic_evicted_total"), "ended")),
    graph("Parties", "short", "Who is attached.",
          (now("sluice_topics"), "topics"), (now("sluice_topic_publishers"), "publishers"),
          (now("sluice_topic_subscribers"), "subscribers"),
          (now("sluice_topic_patterns"), "by pattern")),
    graph("Publishers held back", "short", "Policy BLOCK: they wait for a slow subscriber.",
          (now("sluice_topic_waiting_publishes"), "waiting")),
    graph("Busiest topics: missed", "ops", "Of the daemon's list of busiest channels.",
          ("topk(10, rate <sluice_topic_channel_missed_total>)", "{{channel}}")),
]

REQUESTS = [
    graph("Calls by outcome", "ops", "Every accepted call ends in one.",
          (total("sluice_request_accepted_total"), "accepted"),
          (by("outcome", "sluice_request_completed_total"), "{{outcome}}")),
    graph("Open", "short", "Calls in line, calls with a worker, and the workers.",
          (now("sluice_request_queued"), "queued"),
          (now("sluice_request_in_flight"), "in flight"),
          (now("sluice_request_workers"), "workers"),
          (now("sluice_request_responders"), "responders")),
    graph("Call to reply", "s", "Unary calls, by the daemon's clock.",
          (quantile(0.5, "grpc_server_handling_seconds", 'grpc_method="Call"'), "p50"),
          (quantile(0.99, "grpc_server_handling_seconds", 'grpc_method="Call"'), "p99")),
    graph("Nobody, or gone", "percentunit", "Calls that nobody serves; workers that left.",
          ("max(<sluice:no_responder:ratio_rate5m>)", "no responder"),
          ("max(<sluice:responder_gone:ratio_rate5m>)", "responder gone")),
    graph("Again and late", "ops", "Calls handed to a further worker, replies to nobody.",
          (total("sluice_request_redelivered_total"), "handed out again"),
          (total("sluice_request_late_replies_total"), "late replies")),
    graph("Fullest responder", "percentunit", "In calls or bytes, whichever is nearer its bound.",
          ("max(<sluice_request_fill_ratio_max>)", "fullest")),
]

CONFIG = [
    graph("Changes", "ops", "By outcome.",
          (by("outcome", "sluice_config_sets_total"), "set {{outcome}}"),
          (by("outcome", "sluice_config_deletes_total"), "delete {{outcome}}")),
    graph("Told", "ops", "Entries to watchers; coalesced ones had become old (normal).",
          (total("sluice_config_delivered_total"), "delivered"),
          (total("sluice_config_coalesced_total"), "coalesced"),
          (total("sluice_config_evicted_total"), "watchers ended")),
    graph("There", "short", "Keys, and who looks at them.",
          (now("sluice_config_keys"), "keys"),
          (now("sluice_config_ephemeral_keys"), "ephemeral"),
          (now("sluice_config_tombstones"), "tombstones"),
          (now("sluice_config_watchers"), "watchers"),
          (now("sluice_config_waiting_gets"), "waiting gets")),
]

STREAMS = [
    graph("Open calls", "short", "Watchers and subscribers are streams.",
          (now("sluice_streams"), "streams"), (now("sluice_unary_calls"), "short calls"),
          (now("sluice_streams_max"), "bound")),
    graph("Open streams by method", "short", "Begun less ended.",
          ('sum by (grpc_method) (<grpc_server_started_total|grpc_type!="unary">)'
           ' - sum by (grpc_method) (<grpc_server_handled_total|grpc_type!="unary">)',
           "{{grpc_method}}")),
    graph("Stalled", "short", "Streams whose client has not read for over a second.",
          (now("sluice_streams_stalled"), "stalled")),
    graph("Longest waits", "s", "Of clients that do not read, and of who waits for room.",
          ("max(<sluice_stream_stalled_seconds_max>)", "a stalled stream"),
          ("max(<sluice_queue_oldest_wait_seconds_max>)", "a sender"),
          ("max(<sluice_topic_oldest_wait_seconds_max>)", "a publisher")),
    graph("Frames", "ops", "Read and written, all calls.",
          (total("grpc_server_msg_received_total"), "read"),
          (total("grpc_server_msg_sent_total"), "written")),
    graph("Bytes", "Bps", "Of frames, without HTTP/2's own.",
          (total("sluice_rpc_received_bytes_total"), "read"),
          (total("sluice_rpc_sent_bytes_total"), "written")),
    graph("Sessions", "short", "Kept, and kept for one that lost its stream.",
          (now("sluice_sessions"), "kept"),
          (now("sluice_sessions_lingering"), "lingering")),
    graph("Sessions come and go", "ops", "Who lingers out did not come back in time.",
          (total("sluice_sessions_opened_total"), "opened"),
          (total("sluice_sessions_resumed_total"), "resumed"),
          (total("sluice_sessions_expired_total"), "lingered out")),
]

DEFENCE = [
    graph("Bounds in use", "percentunit", "At 1 further ones are refused.",
          ("max by (bound) (<sluice:bound_used:ratio>)", "{{bound}}"),
          ("max(<process_open_fds> / <process_max_fds>)", "file descriptors"), most=1),
    graph("Connections", "short", "Open, and the bound.",
          (now("sluice_connections"), "open"), (now("sluice_connections_max"), "bound")),
    graph("Refused and cut", "ops", "Connections, by reason.",
          (by("reason", "sluice_connections_refused_total"), "refused {{reason}}"),
          (by("reason", "sluice_connections_cut_total"), "cut {{reason}}"),
          (total("sluice_accept_errors_total"), "could not be accepted")),
    graph("Memory budget", "bytes", "Charged, against the budget.",
          (now("sluice_memory_used_bytes"), "used"), (now("sluice_memory_limit_bytes"), "budget"),
          (now("sluice_retained_bytes"), "retained by channels")),
    graph("Waiting frames", "bytes", "They stand in line for room, beside the budget.",
          (now("sluice_memory_waiting_bytes"), "waiting"),
          (now("sluice_memory_waiting_limit_bytes"), "bound")),
    graph("Refused for memory", "ops", "Messages and calls answered FULL, SERVER_MEMORY.",
          (total("sluice_memory_refused_total"), "refused")),
    graph("Refused calls", "ops", "Ended by the daemon with an error status, by reason.",
          (by("reason", "sluice_calls_refused_total"), "{{reason}}")),
]

PROCESS = [
    graph("CPU", "percentunit", "Of one core.",
          ("sum by (instance) (rate <process_cpu_seconds_total>)", "{{instance}}")),
    graph("Resident memory", "bytes", "Of the process.",
          ("<process_resident_memory_bytes>", "{{instance}}")),
    graph("File descriptors", "short", "One a connection, and a few dozen.",
          ("<process_open_fds>", "{{instance}}"), ("<process_max_fds>", "{{instance}} limit")),
    graph("Busy workers", "percentunit", "The part of its time that a worker does not wait.",
          ("rate <sluice_worker_busy_seconds_total>", "{{instance}} worker {{worker}}"), most=1),
    graph("Events a turn", "short", "What a worker finds when it looks: batches under load.",
          ("sum by (instance) (rate <sluice_worker_events_total>)"
           " / sum by (instance) (rate <sluice_worker_turns_total>)", "{{instance}}")),
    graph("Log", "ops", "Lines made, and lines dropped because nobody read them.",
          (by("level", "sluice_log_lines_total"), "{{level}}"),
          (total("sluice_log_dropped_total"), "dropped")),
    graph("HTTP port", "ops", "Scrapes, probes, views.",
          (by("code", "sluice_http_responses_total"), "{{code}}"),
          (total("sluice_http_connections_refused_total"), "connections refused"),
          (total("sluice_http_timeouts_total"), "timed out")),
    graph("Threads", "short", "Of the process.", ("<process_threads>", "{{instance}}")),
    graph("Builds", "short", "Daemons by version.",
          ("count by (version) (<sluice_build_info>)", "{{version}}")),
]

ROWS = [("Overview", OVERVIEW), ("Queues", QUEUES), ("Topics", TOPICS),
        ("Request/reply", REQUESTS), ("Config", CONFIG), ("Streams and sessions", STREAMS),
        ("Self-defence", DEFENCE), ("Process", PROCESS)]
