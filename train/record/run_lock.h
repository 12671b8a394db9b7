/* One trainer per folder. Two that wrote into one would tear each other's log and leave a config that is not the one
 * of the weights, and neither would notice.
 *
 * DIR/lock is held by flock(2) while a trainer lives: the system lets go of it when the process ends, however it
 * ends, so that there is nothing to clean up. The file stays; its text says who holds the lock or held it last. On a
 * file system without flock a file DIR/lock.owner, made with O_EXCL, is the lock instead. It is taken over when the
 * process that it names was on this machine and is gone; of a process on another machine nobody here can know that, so
 * that the message says which file to delete. */
#ifndef TRAIN_RUN_LOCK_H
#define TRAIN_RUN_LOCK_H

#include <stdbool.h>

#include "core/status.h"

struct run_owner {
	long pid; /* 0: not known */
	char host[64];
	char since[32]; /* "2026-05-01T12:00:00Z" */
};

struct run_lock {
	int file;         /* descriptor of DIR/lock; -1: nothing is held */
	char owner[1100]; /* path of DIR/lock.owner where that is the lock; else "" */
};

enum run_lock_kind { RUN_LOCK_BEST, RUN_LOCK_WITHOUT_FLOCK };

/* Takes the lock of an existing folder. STATUS_CONFIG with a sentence that names process, machine and folder where
 * another trainer has it. RUN_LOCK_BEST is the usual kind; the other does without flock, as on a file system that has
 * none. */
enum status run_lock_take(struct run_lock *lock, const char *dir, enum run_lock_kind kind);
/* Allowed twice, and on a lock whose taking failed. */
void run_lock_release(struct run_lock *lock);

/* Whether a trainer holds the lock of this folder now, and which (`owner` may be NULL). A folder without a lock file is
 * not held. */
enum status run_lock_probe(const char *dir, bool *held, struct run_owner *owner);

#endif
