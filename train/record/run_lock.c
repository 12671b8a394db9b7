/* See run_lock.h. */
#include "train/record/run_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 1100, TEXT_SIZE = 256, TRIES = 50 };

static enum status name_path(const char *dir, const char *name, char path[PATH_SIZE])
{
	if (snprintf(path, PATH_SIZE, "%s/%s", dir, name) >= PATH_SIZE)
		return status_fail(STATUS_LIMIT, "%.60s...: the path is too long", dir);
	return STATUS_OK;
}

static enum status cannot(const char *what, const char *path)
{
	return status_fail(STATUS_IO, "%s: cannot %s: %s", path, what, strerror(errno));
}

/* --- who ------------------------------------------------------------------ */

static void own_host(char host[64])
{
	if (gethostname(host, 64) != 0)
		snprintf(host, 64, "unknown");
	host[63] = '\0';
}

static int describe_self(char text[TEXT_SIZE])
{
	char host[64], since[32];
	time_t now = time(NULL);
	struct tm utc;
	own_host(host);
	strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
	return snprintf(text, TEXT_SIZE, "pid %ld host %s since %s\n", (long)getpid(), host, since);
}

/* What such a text says; zeros where it says nothing, as while it is being written. */
static void read_owner(int file, struct run_owner *owner)
{
	char text[TEXT_SIZE];
	*owner = (struct run_owner){.pid = 0};
	ssize_t count = pread(file, text, sizeof text - 1, 0);
	text[count > 0 ? count : 0] = '\0';
	if (sscanf(text, "pid %ld host %63s since %31s", &owner->pid, owner->host, owner->since) != 3)
		*owner = (struct run_owner){.pid = 0};
}

static enum status write_owner(int file, const char *path)
{
	char text[TEXT_SIZE];
	int length = describe_self(text);
	if (ftruncate(file, 0) != 0 || pwrite(file, text, (size_t)length, 0) != length)
		return cannot("write", path);
	return STATUS_OK;
}

static enum status refuse(const char *dir, const struct run_owner *owner, const char *advice)
{
	if (!owner->pid)
		return status_fail(STATUS_CONFIG, "%s: another process trains in this folder%s", dir, advice);
	return status_fail(STATUS_CONFIG, "%s: process %ld on %s trains in this folder since %s%s", dir, owner->pid,
			   owner->host, owner->since, advice);
}

/* --- with flock ----------------------------------------------------------- */

static void wait_a_moment(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
}

/* 0: held now; EWOULDBLOCK: by another; else why there are no locks here. Tried for a second, because those who only
 * ask (run_lock_probe) hold it for an instant. */
static int try_flock(int file)
{
	for (int i = 0; i < TRIES; i++) {
		if (flock(file, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return errno;
		wait_a_moment();
	}
	return EWOULDBLOCK;
}

/* --- without flock -------------------------------------------------------- */

/* Whether the owner's process is known to be gone. */
static bool is_gone(const struct run_owner *owner)
{
	char host[64];
	own_host(host);
	return owner->pid > 0 && strcmp(host, owner->host) == 0 && kill((pid_t)owner->pid, 0) != 0 && errno == ESRCH;
}

static bool read_owner_file(const char *path, struct run_owner *owner)
{
	*owner = (struct run_owner){.pid = 0};
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	read_owner(file, owner);
	close(file);
	return true;
}

/* Takes away the file of a process that is gone. It is moved aside first: were it another's fresh file by now, it is
 * put back. */
static void remove_stale(const char *path)
{
	char aside[PATH_SIZE + 32];
	struct run_owner owner;
	snprintf(aside, sizeof aside, "%s.stale.%ld", path, (long)getpid());
	if (rename(path, aside) != 0)
		return;
	if (read_owner_file(aside, &owner) && !is_gone(&owner) && link(aside, path) != 0) {
		/* Somebody else has made a new one meanwhile; there is nothing to put back. */
	}
	unlink(aside);
}

static enum status take_owner_file(struct run_lock *lock, const char *dir)
{
	struct run_owner owner = {.pid = 0};
	char advice[PATH_SIZE + 64];
	TRY(name_path(dir, "lock.owner", lock->owner));
	for (int i = 0; i < TRIES; i++) {
		int file = open(lock->owner, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (file >= 0) {
			enum status status = write_owner(file, lock->owner);
			if (close(file) != 0 && !status)
				status = cannot("write", lock->owner);
			return status;
		}
		if (errno != EEXIST)
			return cannot("make", lock->owner);
		if (read_owner_file(lock->owner, &owner) && owner.pid && !is_gone(&owner))
			break;
		if (is_gone(&owner))
			remove_stale(lock->owner);
		else
			wait_a_moment();
	}
	snprintf(advice, sizeof advice, "; if that process is gone, delete %s", lock->owner);
	lock->owner[0] = '\0'; /* it is not ours */
	return refuse(dir, &owner, advice);
}

/* --- both ----------------------------------------------------------------- */

enum status run_lock_take(struct run_lock *lock, const char *dir, enum run_lock_kind kind)
{
	char path[PATH_SIZE];
	*lock = (struct run_lock){.file = -1};
	TRY(name_path(dir, "lock", path));
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (file < 0)
		return cannot("open", path);
	int code = kind == RUN_LOCK_BEST ? try_flock(file) : ENOLCK;
	enum status status = STATUS_OK;
	if (code == EWOULDBLOCK) {
		struct run_owner owner;
		read_owner(file, &owner);
		status = refuse(dir, &owner, "");
	} else if (code != 0) {
		status = take_owner_file(lock, dir);
	}
	if (status == STATUS_OK)
		status = write_owner(file, path);
	lock->file = file;
	if (status != STATUS_OK)
		run_lock_release(lock);
	return status;
}

void run_lock_release(struct run_lock *lock)
{
	if (lock->file >= 0)
		close(lock->file); /* which lets go of the flock */
	if (lock->owner[0])
		unlink(lock->owner);
	*lock = (struct run_lock){.file = -1};
}

enum status run_lock_probe(const char *dir, bool *held, struct run_owner *owner)
{
	struct run_owner found;
	char path[PATH_SIZE];
	*held = false;
	owner = owner ? owner : &found;
	*owner = (struct run_owner){.pid = 0};
	TRY(name_path(dir, "lock.owner", path));
	if (read_owner_file(path, owner)) {
		*held = !is_gone(owner);
		return STATUS_OK;
	}
	TRY(name_path(dir, "lock", path));
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return errno == ENOENT || errno == ENOTDIR ? STATUS_OK : cannot("open", path);
	*held = flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	read_owner(file, owner);
	close(file);
	return STATUS_OK;
}
