#!/bin/sh
# `make repro-sweep`: one sweep again and again, killed with -9 at ten random moments (trainers and all) and started
# again, by one, two and three workers and, where it is installed, by a real Slurm of this machine alone. Always the
# same trials, the same table, the same SHA-256 of every trial; and the trial that was stopped at each rung is the
# one that never stopped.
set -eu
tapcut=${TAPCUT:-build/tapcut}
work=${REPRO:-build/repro-sweep}
kills=${KILLS:-10}
tapcut=$(realpath "$tapcut")
rm -rf "$work"
mkdir -p "$work"
work=$(realpath "$work")

"$tapcut" scenes --out "$work/train" --count 12 --seed 1 --width 96 --height 64 >/dev/null
"$tapcut" scenes --out "$work/val" --count 4 --seed 2 --width 96 --height 64 >/dev/null
cat >"$work/sweep.json" <<JSON
{"base": "configs/smoke.json", "method": "halving", "trials": 6, "seeds": 2, "metric": "noc90", "budget": [8, 24, 72],
 "set": {"data.train": "$work/train/instances.json", "data.val": "$work/val/instances.json", "train.size": 32,
	"train.checkpoint_every": 2, "eval.size": 32, "eval.limit": 2, "eval.every": 0},
 "vary": {"optim.lr": {"min": 1e-4, "max": 1e-2, "distribution": "log"}, "train.batch_size": [2, 4],
	"model.widths": [[8, 8, 8, 8], [12, 8, 8, 8]]}, "reduction_factor": 2}
JSON

# The tables without the columns of the clock, and the decisions.
digest() {
	{
		sed -E 's/(,[^,]*){2}$//' "$1/runs.csv"
		sed -E 's/(,[^,]*){4}$//' "$1/trials.csv"
		cat "$1/decisions.jsonl"
		for unit in "$1"/trials/*; do
			! [ -f "$unit/final.tapcut" ] || sha256sum <"$unit/final.tapcut"
		done
	} | sha256sum | cut -c1-16
}

failed=0
expect() { # expect NAME DIR
	"$tapcut" sweep report "$2" >/dev/null
	got=$(digest "$2")
	if [ "$got" = "$whole" ]; then
		echo "$got  $1"
	else
		echo "$got  $1: DIFFERS"
		failed=1
	fi
}

"$tapcut" sweep run "$work/sweep.json" --out "$work/whole" --workers 1 --quiet >/dev/null
whole=$(digest "$work/whole")
echo "$whole  1 worker, never disturbed"

# A session of its own, so that its trainers can be found and killed with it.
kill_session() {
	for pid in $(ps -o pid= -s "$1" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
}
random() { od -An -N2 -tu2 /dev/urandom | tr -d ' '; }

for workers in 1 2 3; do
	out=$work/killed$workers
	count=0
	while [ "$count" -lt "$kills" ]; do
		setsid "$tapcut" sweep run "$work/sweep.json" --out "$out" --workers "$workers" >/dev/null 2>&1 &
		pid=$!
		sleep "$(awk -v r="$(random)" 'BEGIN { printf "%.2f", 0.2 + 2.3 * r / 65536 }')"
		kill -0 "$pid" 2>/dev/null || break # it was done before
		kill_session "$pid"
		wait "$pid" 2>/dev/null || true
		count=$((count + 1))
	done
	"$tapcut" sweep run --out "$out" --workers "$workers" --quiet >/dev/null
	expect "$workers workers, killed $count times" "$out"
done

# The finished trial in one go.
finished=$(dirname "$(ls "$work"/whole/trials/*/final.tapcut | head -1)")
"$tapcut" train "$finished/config.json" --out "$work/straight" --quiet
if cmp -s "$finished/final.tapcut" "$work/straight/final.tapcut"; then
	echo "the same bytes: a trial stopped at three rungs and one never stopped"
else
	echo "a trial stopped at three rungs DIFFERS from one that never stopped"
	failed=1
fi

# --- Slurm: a cluster of this machine alone, without systemd and accounting ---

slurm_skip() {
	echo "SKIP: Slurm: $1"
	[ "$failed" -eq 0 ]
	exit
}
for program in munged slurmctld slurmd sbatch; do
	command -v "$program" >/dev/null 2>&1 || slurm_skip "no $program (apt install munge slurmctld slurmd)"
done
[ "$(id -u)" -eq 0 ] || slurm_skip "its daemons are started by root only"

export SLURM_CONF=$work/slurm.conf
host=$(hostname -s)
cat >"$SLURM_CONF" <<CONF
ClusterName=tapcut
SlurmctldHost=$host
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
StateSaveLocation=$work/slurm-state
SlurmdSpoolDir=$work/slurm-spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
NodeName=$host CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
mkdir -p "$work/slurm-state" "$work/slurm-spool" /run/munge
chown munge:munge /run/munge
own_munge=
if ! munge -n >/dev/null 2>&1; then
	runuser -u munge -- munged --pid-file="$work.munged.pid" 2>/dev/null || runuser -u munge -- munged || true
	own_munge=yes
fi
stop_slurm() {
	for name in slurmd slurmctld; do
		[ ! -f "$work/$name.pid" ] || kill "$(cat "$work/$name.pid")" 2>/dev/null || true
	done
	[ -z "$own_munge" ] || kill "$(cat /run/munge/munged.pid 2>/dev/null)" 2>/dev/null || true
}
trap stop_slurm EXIT
slurmctld || slurm_skip "slurmctld does not start: $(tail -1 "$work/slurmctld.log")"
slurmd || slurm_skip "slurmd does not start: $(tail -1 "$work/slurmd.log")"
tries=0
until sinfo -h -o %t 2>/dev/null | grep -q idle; do
	tries=$((tries + 1))
	[ "$tries" -lt 60 ] || slurm_skip "its node does not come up: $(tail -1 "$work/slurmd.log")"
	sleep 1
done
"$tapcut" sweep slurm "$work/sweep.json" --out "$work/slurm" --workers 2 >"$work/job.sh"
job=$(cd "$work" && sbatch --parsable job.sh)
sleep 3
scancel --signal=KILL --full "$job" 2>/dev/null || true # workers and trainers, in the middle
while squeue -h -j "$job" 2>/dev/null | grep -q .; do sleep 1; done
job=$(cd "$work" && sbatch --parsable job.sh) # the same script again
while squeue -h -j "$job" 2>/dev/null | grep -q .; do sleep 1; done
expect "2 workers of a Slurm array, killed and submitted again" "$work/slurm"
[ "$failed" -eq 0 ]
