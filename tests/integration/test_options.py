# SPDX-License-Identifier: Apache-2.0
"""Options: flags over environment over file over defaults, and one sentence for what cannot be."""

import unittest

from support.client import Client
from support.daemon import Daemon, run_to_end
from support.option_file import option_file


class Options(unittest.TestCase):

    def bounds(self, *options, env=None):
        """The bounds that a daemon started so has in force."""
        daemon = Daemon(*options, env=env)
        self.addCleanup(daemon.kill)
        client = Client(daemon.address)
        bounds = client.info().bounds
        client.close()
        daemon.stop()
        return bounds

    def test_flags_over_environment_over_file_over_defaults(self):
        path = option_file(self, 'default-capacity = 11\ndrain-grace-ms = 12\nmax-streams = 13\n'
                                 '[keepalive]\ntime-ms = 1400\n')
        env = {"SLUICE_DEFAULT_CAPACITY": "21", "SLUICE_DRAIN_GRACE_MS": "22",
               "SLUICE_MAX_SESSIONS": "23"}
        bounds = self.bounds("--config", path, "--default-capacity", "31", env=env)
        self.assertEqual((bounds.capacity_default, bounds.drain_grace_ms, bounds.streams_max,
                          bounds.keepalive_interval_ms, bounds.sessions_max,
                          bounds.keepalive_timeout_ms), (31, 22, 13, 1400, 23, 10_000))
        from_env = self.bounds(env={"SLUICE_CONFIG": path})
        self.assertEqual((from_env.capacity_default, from_env.streams_max), (11, 13))

    def test_every_bound_that_is_an_option(self):
        options = {"--keepalive-time-ms": ("keepalive_interval_ms", 2000),
                   "--keepalive-timeout-ms": ("keepalive_timeout_ms", 3000),
                   "--max-streams": ("streams_max", 77),
                   "--max-streams-per-connection": ("streams_per_connection_max", 55),
                   "--max-streams-per-address": ("streams_per_address_max", 66),
                   "--max-connections": ("connections_max", 88),
                   "--max-connections-per-address": ("connections_per_address_max", 99),
                   "--default-capacity": ("capacity_default", 44),
                   "--default-bytes-max": ("channel_bytes_default", 1 << 16),
                   "--memory-max": ("memory_bytes_max", 1 << 23),
                   "--message-bytes-max": ("message_bytes_max", 2048),
                   "--default-max-in-flight": ("max_in_flight_default", 33),
                   "--max-channels": ("channels_max", 22), "--max-sessions": ("sessions_max", 11),
                   "--drain-delay-ms": ("drain_delay_ms", 1),
                   "--drain-grace-ms": ("drain_grace_ms", 2)}
        arguments = [text for flag, (_, value) in options.items() for text in (flag, str(value))]
        bounds = self.bounds(*arguments)
        self.assertEqual({field: getattr(bounds, field) for field, _ in options.values()},
                         dict(options.values()))

    def assert_refused(self, *options, env=None, names=()):
        code, out, err = run_to_end(*options, env=env)
        self.assertEqual((code, out), (2, ""), err)
        self.assertEqual(len(err.strip().splitlines()), 1, err)
        self.assertTrue(err.startswith("sluiced: "), err)
        for name in names:
            self.assertIn(name, err)

    def test_bad_values_are_refused_with_a_sentence(self):
        for flag, value in (("--keepalive-time-ms", "99"), ("--keepalive-timeout-ms", "600001"),
                            ("--max-streams", "0"), ("--max-streams-per-connection", "1000001"),
                            ("--max-streams-per-address", "-1"), ("--max-connections", "0"),
                            ("--max-connections-per-address", "1000001"),
                            ("--default-capacity", "0"),
                            ("--default-capacity", "1048577"), ("--default-bytes-max", "1023"),
                            ("--memory-max", "4194303"), ("--memory-max", "-1"),
                            ("--message-bytes-max", "1048577"), ("--default-max-in-flight", "0"),
                            ("--max-channels", "0"), ("--max-sessions", "many"),
                            ("--drain-delay-ms", "-1"), ("--drain-grace-ms", "3600001"),
                            ("--grpc-queues", "257"), ("--log-level", "loud")):
            with self.subTest(flag=flag, value=value):
                self.assert_refused(flag, value, names=(flag, value))

    def test_bad_values_of_other_sources(self):
        self.assert_refused(env={"SLUICE_DEFAULT_CAPACITY": "none"}, names=("none",))
        self.assert_refused("--config", option_file(self, "default-capacity = 0\n"),
                            names=("default-capacity",))
        self.assert_refused("--config", option_file(self, "no-such-option = 1\n"),
                            names=("no-such-option",))
        self.assert_refused("--config", option_file(self, "this is not toml"), names=("TOML",))
        self.assert_refused("--config", "/no/such/file.toml", names=("/no/such/file.toml",))
        self.assert_refused("--no-such-flag", names=("--no-such-flag",))
        self.assert_refused("surplus", names=("surplus",))
        self.assert_refused("--default-capacity", names=("--default-capacity",))

    def test_plaintext_beyond_loopback_must_be_asked_for(self):
        self.assert_refused("--listen", "0.0.0.0:0", names=("0.0.0.0:0", "--insecure-bind"))
        daemon = Daemon("--insecure-bind", listen="0.0.0.0:0")
        self.addCleanup(daemon.kill)
        daemon.stop()

    def test_what_cannot_be_listened_on(self):
        daemon = Daemon()
        self.addCleanup(daemon.kill)
        code, out, err = run_to_end("--listen", daemon.address, "--http", "off")
        self.assertEqual((code, out), (1, ""), err)
        sentences = [line for line in err.splitlines() if line.startswith("sluiced: ")]
        self.assertEqual(len(sentences), 1, err)
        self.assertIn(str(daemon.port), sentences[0])
        daemon.stop()

    def test_help_and_version_are_answers(self):
        code, out, err = run_to_end("--help")
        self.assertEqual((code, err), (0, ""))
        for flag in ("--listen", "--config", "SLUICE_KEEPALIVE_TIME_MS", "--drain-grace-ms"):
            self.assertIn(flag, out)
        code, out, err = run_to_end("--version")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out.strip(), r"^sluiced \d+\.\d+\.\d+$")


if __name__ == "__main__":
    unittest.main()
