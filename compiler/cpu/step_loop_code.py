"""The native half of the step loop, as LLVM IR: `run_steps`, and `run_steps_traced`, which also takes the time.

`int64_t run_steps(int64_t *control)` executes the steps that `control` describes and returns 0, or the index + 1 of
the kernel step after which `status[0]` was not 0. All entries are 64-bit words:

    control   step count, address of the status words, address of the thread team or 0, address of the trace or 0,
              four unused words, then 8 words for each step
    step      kind, then by kind
                KERNEL, FALLIBLE_KERNEL   function, arguments, parts
                BRANCH_IF_FALSE           address of a byte, target step
                JUMP                      target step
                COPY_BYTES                to, from, count: the two do not overlap
                SWAP_WORDS                address of a word, address of another
    trace     capacity, number of records (it grows past the capacity when records are lost),
              then for each record: step, start, end in nanoseconds of the monotonic clock

A step with `parts` > 1 is done by the team, any other by the caller. A target equal to the step count ends the run.
"""

from __future__ import annotations

from string import Template

STEP_COUNT, STATUS, TEAM, TRACE = 0, 1, 2, 3
HEADER_WORDS = STEP_WORDS = 8
KERNEL, FALLIBLE_KERNEL, BRANCH_IF_FALSE, JUMP, COPY_BYTES, SWAP_WORDS = range(6)
TRACE_CAPACITY, TRACE_COUNT, TRACE_HEADER, TRACE_RECORD = 0, 1, 2, 3

_DECLARATIONS = """
declare i8* @memcpy(i8*, i8*, i64)

define internal i64 @step_index(i64* %steps, i64* %step) alwaysinline {
  %here = ptrtoint i64* %step to i64
  %start = ptrtoint i64* %steps to i64
  %bytes = sub i64 %here, %start
  %words = sdiv i64 %bytes, 8
  %index = sdiv i64 %words, $STEP_WORDS
  ret i64 %index
}

define internal void @record(i64* %trace, i64 %step, i64 %start, i64 %end) {
entry:
  %count_at = getelementptr i64, i64* %trace, i64 $TRACE_COUNT
  %capacity = load i64, i64* %trace
  %count = load i64, i64* %count_at
  %count_more = add i64 %count, 1
  store i64 %count_more, i64* %count_at
  %room = icmp slt i64 %count, %capacity
  br i1 %room, label %write, label %full
write:
  %offset = mul i64 %count, $TRACE_RECORD
  %place = add i64 %offset, $TRACE_HEADER
  %step_at = getelementptr i64, i64* %trace, i64 %place
  %start_at = getelementptr i64, i64* %step_at, i64 1
  %end_at = getelementptr i64, i64* %step_at, i64 2
  store i64 %step, i64* %step_at
  store i64 %start, i64* %start_at
  store i64 %end, i64* %end_at
  br label %full
full:
  ret void
}
"""

_LOOP = """
define i64 @$name(i64* %control) {
entry:
  %count = load i64, i64* %control
  %status_at = getelementptr i64, i64* %control, i64 $STATUS
  %status_word = load i64, i64* %status_at
  %status = inttoptr i64 %status_word to i64*
  %team_at = getelementptr i64, i64* %control, i64 $TEAM
  %team_word = load i64, i64* %team_at
  %team = inttoptr i64 %team_word to i64*
  %trace_at = getelementptr i64, i64* %control, i64 $TRACE
  %trace_word = load i64, i64* %trace_at
  %trace = inttoptr i64 %trace_word to i64*
  %steps = getelementptr i64, i64* %control, i64 $HEADER_WORDS
  %words = mul i64 %count, $STEP_WORDS
  %end = getelementptr i64, i64* %steps, i64 %words
  br label %loop

loop:
  %step = phi i64* [ %steps, %entry ], [ %next, %advance ], [ %target, %jump ]
  %more = icmp ult i64* %step, %end
  br i1 %more, label %execute, label %finish
finish:
  ret i64 0
advance:
  %next = getelementptr i64, i64* %step, i64 $STEP_WORDS
  br label %loop

execute:
  %kind = load i64, i64* %step
  %at_1 = getelementptr i64, i64* %step, i64 1
  %word_1 = load i64, i64* %at_1
  %at_2 = getelementptr i64, i64* %step, i64 2
  %word_2 = load i64, i64* %at_2
  %at_3 = getelementptr i64, i64* %step, i64 3
  %word_3 = load i64, i64* %at_3
$start
  switch i64 %kind, label %finish [
    i64 $KERNEL, label %kernel
    i64 $FALLIBLE_KERNEL, label %kernel
    i64 $BRANCH_IF_FALSE, label %branch
    i64 $JUMP, label %jump
    i64 $COPY_BYTES, label %copy
    i64 $SWAP_WORDS, label %swap
  ]

kernel:
  %function = inttoptr i64 %word_1 to void (i64*, i64, i64)*
  %arguments = inttoptr i64 %word_2 to i64*
  %shared = icmp sgt i64 %word_3, 1
  br i1 %shared, label %together, label %alone
together:
  call void @run_on_team(i64* %team, void (i64*, i64, i64)* %function, i64* %arguments, i64 %word_3)
  br label %called
alone:
  call void %function(i64* %arguments, i64 0, i64 1)
  br label %called
called:
$end
  %fallible = icmp eq i64 %kind, $FALLIBLE_KERNEL
  br i1 %fallible, label %check, label %advance
check:
  %code = load i64, i64* %status
  %failed = icmp ne i64 %code, 0
  br i1 %failed, label %fail, label %advance
fail:
  %failed_index = call i64 @step_index(i64* %steps, i64* %step)
  %position = add i64 %failed_index, 1
  ret i64 %position

branch:
  %condition_at = inttoptr i64 %word_1 to i8*
  %condition = load i8, i8* %condition_at
  %holds = icmp ne i8 %condition, 0
  br i1 %holds, label %advance, label %jump
jump:
  %target_index = phi i64 [ %word_1, %execute ], [ %word_2, %branch ]
  %target_words = mul i64 %target_index, $STEP_WORDS
  %target = getelementptr i64, i64* %steps, i64 %target_words
  br label %loop

copy:
  %copy_to = inttoptr i64 %word_1 to i8*
  %copy_from = inttoptr i64 %word_2 to i8*
  call i8* @memcpy(i8* %copy_to, i8* %copy_from, i64 %word_3)
  br label %called

swap:
  %first_at = inttoptr i64 %word_1 to i64*
  %second_at = inttoptr i64 %word_2 to i64*
  %first = load i64, i64* %first_at
  %second = load i64, i64* %second_at
  store i64 %second, i64* %first_at
  store i64 %first, i64* %second_at
  br label %advance
}
"""

_START = "  %started = call i64 @nanoseconds()"
_END = """
  %ended = call i64 @nanoseconds()
  %index = call i64 @step_index(i64* %steps, i64* %step)
  call void @record(i64* %trace, i64 %index, i64 %started, i64 %ended)
"""


def step_loop_ir() -> str:
    """The LLVM IR of both loops; they call functions of `team_code`."""
    layout = {name: value for name, value in globals().items() if name.isupper() and isinstance(value, int)}
    parts = [Template(_DECLARATIONS).substitute(layout)]
    for name, start, end in (("run_steps", "", ""), ("run_steps_traced", _START, _END)):
        parts.append(Template(_LOOP).substitute(layout, name=name, start=start, end=end))
    return "\n".join(parts)
