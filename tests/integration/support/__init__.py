# SPDX-License-Identifier: Apache-2.0
"""What tests over real sockets stand on: a daemon, clients, a proxy, waiting for a condition."""
