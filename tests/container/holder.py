# SPDX-License-Identifier: Apache-2.0
"""A consumer that settles nothing and asks for everything: holder.py ADDRESS QUEUE. It says "holds"
when it has its first message, and then waits to be stopped."""

import signal
import sys

from support.client import Client

CREDIT = 1000

client = Client(sys.argv[1])
receiver = client.receiver(sys.argv[2], credit=CREDIT)
receiver.wait_messages(1)
print("holds", flush=True)
signal.pause()
