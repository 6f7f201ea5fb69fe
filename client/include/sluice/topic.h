// SPDX-License-Identifier: Apache-2.0
/// Topics: both ends, and the words for them.
#pragma once

#include "sluice/publisher.h"
#include "sluice/subscriber.h"
#include "sluice/topic_calls.h"
#include "sluice/topic_spec.h"
