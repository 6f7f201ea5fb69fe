# SPDX-License-Identifier: Apache-2.0
"""What tests over real sockets stand on: a daemon, clients, a proxy, waiting for a condition."""

import os
import sys

# The package `history` stands beside tests/integration; it must not hide what is there.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
