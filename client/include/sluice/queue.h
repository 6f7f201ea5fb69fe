// SPDX-License-Identifier: Apache-2.0
/// Queues: everything of them in one include. client.h opens the ends.
#pragma once

#include "sluice/queue_receiver.h"
#include "sluice/queue_sender.h"
#include "sluice/queue_spec.h"
#include "sluice/settlement.h"
