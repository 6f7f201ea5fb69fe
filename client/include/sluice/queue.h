// SPDX-License-Identifier: Apache-2.0
/// Queues: both ends, and the words for them.
#pragma once

#include "sluice/queue_calls.h"
#include "sluice/queue_spec.h"
#include "sluice/receiver.h"
#include "sluice/sender.h"
#include "sluice/settlement.h"
