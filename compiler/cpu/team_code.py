"""The native half of a thread team, as LLVM IR: handing out the parts of a kernel and waiting for work.

A team is a block of 64-bit words, four cache lines long, shared by the caller of a program and the team's workers:

    line 0   ticket: high half the number of the job, low half one bit for each share that nobody has claimed;
             kernel, arguments, parts: the job itself, constant while its ticket has a bit set or a share runs
    line 1   finished: how many claimed shares are done
    line 2   sleepers: workers that sleep or are about to; epoch: the word they sleep on; stop: 1 ends the workers
    line 3   lock: 1 while a program uses the workers

A share is claimed by clearing its bit with compare-and-swap, which fails if the job has changed meanwhile. The caller
claims like everyone else, so a step never waits for a worker that sleeps, and a team without workers (after `fork`)
only means that the caller does it all. Jobs of more than 32 parts give every 32nd part to one share.

`run_on_team` is called by the step loop, `team_worker` by each worker's thread, `stop_team` by whoever ends the team.
"""

from __future__ import annotations

from string import Template

from sessile.compiler.target import Target

TICKET, KERNEL, ARGUMENTS, PARTS = 0, 1, 2, 3
FINISHED = 8
SLEEPERS, EPOCH, STOP = 16, 17, 18
LOCK = 24
TEAM_WORDS = 32

_SPIN_NANOSECONDS = 30_000
"""How long a worker looks for the next job before it sleeps, and a caller for the last share before it yields."""

_FUTEX_NUMBERS = {"x86_64": 202, "aarch64": 98, "riscv64": 98, "powerpc64le": 221, "s390x": 238}
# As intrinsics, for inline assembly would need a parser of the target's.
_PAUSES = {
    "x86_64": ("declare void @llvm.x86.sse2.pause()", "call void @llvm.x86.sse2.pause()"),
    "aarch64": ("declare void @llvm.aarch64.hint(i32)", "call void @llvm.aarch64.hint(i32 1)"),
}

_WAIT_WITH_FUTEX = """
  %word = bitcast i64* %epoch to i32*
  call i64 (i64, ...) @syscall(i64 $futex, i32* %word, i32 128, i32 %seen, i8* null, i8* null, i32 0)
"""
_WAKE_WITH_FUTEX = """
  %word = bitcast i64* %epoch to i32*
  call i64 (i64, ...) @syscall(i64 $futex, i32* %word, i32 129, i32 %count, i8* null, i8* null, i32 0)
"""
# Where there is no futex, sleepers look again ten thousand times a second.
_WAIT_BY_POLLING = "\n  call i32 @usleep(i32 100)\n"

_CODE = """
declare i64 @syscall(i64, ...)
declare i32 @usleep(i32)
declare i32 @sched_yield()
declare i32 @clock_gettime(i32, i64*)
declare i64 @llvm.cttz.i64(i64, i1)

$declare_pause

define internal void @pause() alwaysinline {
  $pause
  ret void
}

define internal i64 @nanoseconds() {
  %time = alloca [2 x i64]
  %seconds_at = getelementptr [2 x i64], [2 x i64]* %time, i64 0, i64 0
  %rest_at = getelementptr [2 x i64], [2 x i64]* %time, i64 0, i64 1
  call i32 @clock_gettime(i32 $clock, i64* %seconds_at)
  %seconds = load i64, i64* %seconds_at
  %rest = load i64, i64* %rest_at
  %scaled = mul i64 %seconds, 1000000000
  %sum = add i64 %scaled, %rest
  ret i64 %sum
}

define internal void @wait_for_epoch(i64* %epoch, i32 %seen) noinline {
$wait
  ret void
}

define internal void @wake_sleepers(i64* %team, i32 %count) noinline {
  %epoch = getelementptr i64, i64* %team, i64 $EPOCH
  %low = bitcast i64* %epoch to i32*
  %old = atomicrmw add i32* %low, i32 1 seq_cst
$wake
  ret void
}

; All parts of one share: the parts number `share`, `share` + 32, ...
define internal void @run_share(void (i64*, i64, i64)* %kernel, i64* %arguments, i64 %share, i64 %parts) {
entry:
  br label %loop
loop:
  %part = phi i64 [ %share, %entry ], [ %next, %loop ]
  call void %kernel(i64* %arguments, i64 %part, i64 %parts)
  %next = add i64 %part, 32
  %more = icmp slt i64 %next, %parts
  br i1 %more, label %loop, label %done
done:
  ret void
}

define internal void @run_alone(void (i64*, i64, i64)* %kernel, i64* %arguments, i64 %parts) {
entry:
  br label %loop
loop:
  %part = phi i64 [ 0, %entry ], [ %next, %loop ]
  call void %kernel(i64* %arguments, i64 %part, i64 %parts)
  %next = add i64 %part, 1
  %more = icmp slt i64 %next, %parts
  br i1 %more, label %loop, label %done
done:
  ret void
}

; Do a kernel's parts with the team's workers, or alone if there is no team or another program is using it.
define internal void @run_on_team(i64* %team, void (i64*, i64, i64)* %kernel, i64* %arguments, i64 %parts) noinline {
entry:
  %no_team = icmp eq i64* %team, null
  br i1 %no_team, label %alone, label %try
try:
  %lock = getelementptr i64, i64* %team, i64 $LOCK
  %locking = cmpxchg i64* %lock, i64 0, i64 1 acquire monotonic
  %locked = extractvalue { i64, i1 } %locking, 1
  br i1 %locked, label %publish, label %alone
alone:
  call void @run_alone(void (i64*, i64, i64)* %kernel, i64* %arguments, i64 %parts)
  ret void

publish:
  %ticket = getelementptr i64, i64* %team, i64 $TICKET
  %kernel_at = getelementptr i64, i64* %team, i64 $KERNEL
  %arguments_at = getelementptr i64, i64* %team, i64 $ARGUMENTS
  %parts_at = getelementptr i64, i64* %team, i64 $PARTS
  %finished = getelementptr i64, i64* %team, i64 $FINISHED
  %kernel_word = ptrtoint void (i64*, i64, i64)* %kernel to i64
  %arguments_word = ptrtoint i64* %arguments to i64
  store atomic i64 %kernel_word, i64* %kernel_at monotonic, align 8
  store atomic i64 %arguments_word, i64* %arguments_at monotonic, align 8
  store atomic i64 %parts, i64* %parts_at monotonic, align 8
  store atomic i64 0, i64* %finished monotonic, align 8
  %few = icmp slt i64 %parts, 32
  %shares = select i1 %few, i64 %parts, i64 32
  %above = shl i64 1, %shares
  %open = sub i64 %above, 2             ; the bits of all shares but the caller's own, number 0
  %others = sub i64 %shares, 1
  %old_ticket = load atomic i64, i64* %ticket monotonic, align 8
  %old_job = lshr i64 %old_ticket, 32
  %job = add i64 %old_job, 1
  %job_bits = shl i64 %job, 32
  %new_ticket = or i64 %job_bits, %open
  store atomic i64 %new_ticket, i64* %ticket seq_cst, align 8
  ; A worker counts itself as a sleeper before it looks at the ticket for the last time: one of the two is seen.
  %sleepers_at = getelementptr i64, i64* %team, i64 $SLEEPERS
  %sleepers = load atomic i64, i64* %sleepers_at seq_cst, align 8
  %anyone = icmp ne i64 %sleepers, 0
  br i1 %anyone, label %wake, label %work
wake:
  %count = trunc i64 %others to i32
  call void @wake_sleepers(i64* %team, i32 %count)
  br label %work

work:
  call void @run_share(void (i64*, i64, i64)* %kernel, i64* %arguments, i64 0, i64 %parts)
  br label %steal
steal:
  %own = phi i64 [ 0, %work ], [ %own, %claim ], [ %own_more, %stolen ]
  %now_ticket = load atomic i64, i64* %ticket acquire, align 8
  %left = and i64 %now_ticket, 4294967295
  %none_left = icmp eq i64 %left, 0
  br i1 %none_left, label %await, label %claim
claim:
  %share = call i64 @llvm.cttz.i64(i64 %left, i1 true)
  %bit = shl i64 1, %share
  %claimed_ticket = xor i64 %now_ticket, %bit
  %claiming = cmpxchg i64* %ticket, i64 %now_ticket, i64 %claimed_ticket acq_rel acquire
  %claimed = extractvalue { i64, i1 } %claiming, 1
  br i1 %claimed, label %stolen, label %steal
stolen:
  call void @run_share(void (i64*, i64, i64)* %kernel, i64* %arguments, i64 %share, i64 %parts)
  %own_more = add i64 %own, 1
  br label %steal

await:
  %expected = sub i64 %others, %own
  br label %check
check:
  %spins = phi i64 [ 0, %await ], [ %spins_more, %spin ], [ %spins, %yield ]
  %done_count = load atomic i64, i64* %finished acquire, align 8
  %all_done = icmp eq i64 %done_count, %expected
  br i1 %all_done, label %unlock, label %patience
patience:
  %patient = icmp slt i64 %spins, $CALLER_SPINS
  br i1 %patient, label %spin, label %yield
spin:
  call void @pause()
  %spins_more = add i64 %spins, 1
  br label %check
yield:
  call i32 @sched_yield()
  br label %check
unlock:
  store atomic i64 0, i64* %lock release, align 8
  ret void
}

; What a worker's thread does until the team stops. `number` is the share that it prefers, so that equal steps find
; their data in the cache of the same core.
define void @team_worker(i64* %team, i64 %number) {
entry:
  %ticket = getelementptr i64, i64* %team, i64 $TICKET
  %kernel_at = getelementptr i64, i64* %team, i64 $KERNEL
  %arguments_at = getelementptr i64, i64* %team, i64 $ARGUMENTS
  %parts_at = getelementptr i64, i64* %team, i64 $PARTS
  %finished = getelementptr i64, i64* %team, i64 $FINISHED
  %sleepers = getelementptr i64, i64* %team, i64 $SLEEPERS
  %epoch = getelementptr i64, i64* %team, i64 $EPOCH
  %stop = getelementptr i64, i64* %team, i64 $STOP
  %preferred = and i64 %number, 31
  %preferred_bit = shl i64 1, %preferred
  br label %fresh
fresh:
  %idle_since = call i64 @nanoseconds()
  br label %look
look:
  %looks = phi i64 [ 0, %fresh ], [ %looks_more, %look_again ], [ %looks, %choose ]
  %now_ticket = load atomic i64, i64* %ticket acquire, align 8
  %left = and i64 %now_ticket, 4294967295
  %none_left = icmp eq i64 %left, 0
  br i1 %none_left, label %idle, label %choose
choose:
  %kernel_word = load atomic i64, i64* %kernel_at monotonic, align 8
  %arguments_word = load atomic i64, i64* %arguments_at monotonic, align 8
  %parts = load atomic i64, i64* %parts_at monotonic, align 8
  %mine = and i64 %left, %preferred_bit
  %mine_taken = icmp eq i64 %mine, 0
  %lowest = call i64 @llvm.cttz.i64(i64 %left, i1 true)
  %share = select i1 %mine_taken, i64 %lowest, i64 %preferred
  %bit = shl i64 1, %share
  %claimed_ticket = xor i64 %now_ticket, %bit
  %claiming = cmpxchg i64* %ticket, i64 %now_ticket, i64 %claimed_ticket acq_rel acquire
  %claimed = extractvalue { i64, i1 } %claiming, 1
  br i1 %claimed, label %work, label %look
work:
  %kernel = inttoptr i64 %kernel_word to void (i64*, i64, i64)*
  %arguments = inttoptr i64 %arguments_word to i64*
  call void @run_share(void (i64*, i64, i64)* %kernel, i64* %arguments, i64 %share, i64 %parts)
  %before = atomicrmw add i64* %finished, i64 1 release
  br label %fresh

idle:
  call void @pause()
  %looks_more = add i64 %looks, 1
  %phase = and i64 %looks_more, 63
  %time_to_check = icmp eq i64 %phase, 0
  br i1 %time_to_check, label %check, label %look_again
look_again:
  br label %look
check:
  %stopped = load atomic i64, i64* %stop acquire, align 8
  %ended = icmp ne i64 %stopped, 0
  br i1 %ended, label %end, label %clock
clock:
  %time = call i64 @nanoseconds()
  %idle_for = sub i64 %time, %idle_since
  %tired = icmp sgt i64 %idle_for, $SPIN_NANOSECONDS
  br i1 %tired, label %lie_down, label %look_again
lie_down:
  %others_asleep = atomicrmw add i64* %sleepers, i64 1 seq_cst
  %epoch_word = bitcast i64* %epoch to i32*
  %seen = load atomic i32, i32* %epoch_word seq_cst, align 4
  %last_ticket = load atomic i64, i64* %ticket seq_cst, align 8
  %last_left = and i64 %last_ticket, 4294967295
  %last_stop = load atomic i64, i64* %stop seq_cst, align 8
  %reasons = or i64 %last_left, %last_stop
  %nothing = icmp eq i64 %reasons, 0
  br i1 %nothing, label %sleep, label %rise
sleep:
  call void @wait_for_epoch(i64* %epoch, i32 %seen)
  br label %rise
rise:
  %still_asleep = atomicrmw sub i64* %sleepers, i64 1 seq_cst
  br label %fresh
end:
  ret void
}

; Make the workers return, as soon as they have nothing to do.
define void @stop_team(i64* %team) {
  %stop = getelementptr i64, i64* %team, i64 $STOP
  store atomic i64 1, i64* %stop seq_cst, align 8
  call void @wake_sleepers(i64* %team, i32 2147483647)
  ret void
}
"""


def team_ir(clock: int, target: Target) -> str:
    """The LLVM IR of the team's functions for a target; `clock` is the number of the monotonic clock."""
    architecture = target.triple.partition("-")[0].replace("arm64", "aarch64")
    futex = _FUTEX_NUMBERS.get(architecture) if "linux" in target.triple else None
    declaration, pause = _PAUSES.get(architecture, ("", ""))
    wait, wake = (_WAIT_WITH_FUTEX, _WAKE_WITH_FUTEX) if futex else (_WAIT_BY_POLLING, "")
    return Template(_CODE).substitute(
        wait=Template(wait).substitute(futex=futex),
        wake=Template(wake).substitute(futex=futex),
        declare_pause=declaration,
        pause=pause,
        clock=clock,
        CALLER_SPINS=2000,
        SPIN_NANOSECONDS=_SPIN_NANOSECONDS,
        TICKET=TICKET,
        KERNEL=KERNEL,
        ARGUMENTS=ARGUMENTS,
        PARTS=PARTS,
        FINISHED=FINISHED,
        SLEEPERS=SLEEPERS,
        EPOCH=EPOCH,
        STOP=STOP,
        LOCK=LOCK,
    )
