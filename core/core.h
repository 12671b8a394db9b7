/* What another program includes to train with this library, and the list of what is public: the headers named here are
 * meant for users, stay what they are within a major version, and say in words what is theirs. All others are the
 * library's own (core/README.md explains the whole). */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "core/status.h" /* how a failure is told */
#include "core/tensor.h" /* shapes, and where a value lies in memory */
#include "core/rng.h"    /* random numbers as functions of what they are for */
#include "core/clock.h"  /* seconds */
#include "core/floats.h" /* aligned memory, argmax */

#include "core/params.h"    /* the parameters: named, in one flat array */
#include "core/op.h"        /* what an operator is, for who adds one */
#include "core/ops/ops.h"   /* the operators */
#include "core/graph.h"     /* the network as a list of operators */
#include "core/nn/layers.h" /* layers: parameters and operators together */

#include "core/workers.h"    /* threads */
#include "core/executor.h"   /* runs a graph on one thread */
#include "core/slot_batch.h" /* a batch on any number of threads, with the same bytes */
#include "core/optim.h"      /* SGD, Adam, AdamW, clipping, moving average */
#include "core/schedule.h"   /* learning rates by step */

#include "core/checkpoint.h" /* what survives a kill -9 and a full disk */
#include "core/sha256.h"     /* to compare two trainings */

#endif
