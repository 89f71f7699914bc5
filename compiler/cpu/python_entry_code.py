"""The native half of a program's entry for Python, as LLVM IR: one built-in call that feeds, runs and makes results.

`PyObject *enter(PyObject *self, PyObject *values)` reads the feeds from a list or tuple, executes the step loop, with
Python's lock released unless the table says to keep it, and returns a list of results; the number of the step that
failed; or `NotImplemented`, before anything has run, when a value is not one that it can take as it is. `self` is an
int: the address of a table of 64-bit words, which begins with what is the same for all tables and ends with the
program's own:

    feed     kind, descriptor (the dtype object), rank, address of the shape, bytes, place, places, scalar type,
             lowest, highest. An array is copied to `place`; if `places` is not 0, its address is written to so many
             words instead, whose addresses are at `place`. A scalar is of NumPy's `scalar type` or a number of
             Python's: `kind` tells which it takes, between `lowest` and `highest` if it is an integer
    result   kind, descriptor, rank, address of the shape, bytes, source. LEFT_OUT puts None into the list

An array fits if its class, dtype object, shape, order and alignment are exactly those of the feed. The layouts of
Python's objects are those of CPython 3.11 and later, that of arrays is part of NumPy's binary interface;
`python_entry` makes sure of both before anything is read by them.
"""

from __future__ import annotations

from string import Template

# The table.
ARRAY_TYPE, LIST_TYPE, TUPLE_TYPE, TUPLE_ITEMS, FLOAT_TYPE, DOUBLE_TYPE, INT_TYPE = range(7)
TRUE, FALSE, NONE, NOT_IMPLEMENTED, NEW_ARRAY, NEW_SCALAR = range(7, 13)
COMMON_WORDS = 13
FEED_COUNT, FEEDS, RESULT_COUNT, RESULTS, CONTROL, KEEPS_LOCK = range(13, 19)

KIND, DESCRIPTOR, RANK, SHAPE, BYTES, PLACE, PLACES, SCALAR_TYPE, LOWEST, HIGHEST = range(10)
FEED_WORDS = 10
NO_NUMBER, FLOAT, INTEGER, BOOL = range(4)

SOURCE = 5
RESULT_WORDS = 6
LEFT_OUT, ARRAY, SCALAR = range(3)

# Python's objects, in words from their beginning.
TYPE = 1
NUMBER = 2  # of a float and of NumPy's scalars
LENGTH, LIST_ITEMS = 2, 3
ARRAY_DATA, ARRAY_RANK, ARRAY_SHAPE, ARRAY_DESCRIPTOR, ARRAY_FLAGS = 2, 3, 4, 7, 8
CONTIGUOUS_AND_ALIGNED = 0x0101

EXACT_IN_DOUBLE = 1 << 53

PYTHON_FUNCTIONS = (
    "PyEval_RestoreThread",
    "PyEval_SaveThread",
    "PyList_New",
    "PyLong_AsLongLongAndOverflow",
    "PyLong_AsVoidPtr",
    "PyLong_FromLongLong",
    "Py_DecRef",
    "Py_IncRef",
)
"""What the code calls of Python."""

_CODE = """
declare void @PyEval_RestoreThread(i8*)
declare i8* @PyEval_SaveThread()
declare i8* @PyList_New(i64)
declare i64 @PyLong_AsLongLongAndOverflow(i8*, i32*)
declare i8* @PyLong_AsVoidPtr(i8*)
declare i8* @PyLong_FromLongLong(i64)
declare void @Py_DecRef(i8*)
declare void @Py_IncRef(i8*)

define internal i64 @word(i64* %words, i64 %index) alwaysinline {
  %at = getelementptr i64, i64* %words, i64 %index
  %word = load i64, i64* %at
  ret i64 %word
}

define internal i64 @field(i8* %object, i64 %index) alwaysinline {
  %words = bitcast i8* %object to i64*
  %word = call i64 @word(i64* %words, i64 %index)
  ret i64 %word
}

define internal i64* @words_at(i64* %words, i64 %index) alwaysinline {
  %address = call i64 @word(i64* %words, i64 %index)
  %pointer = inttoptr i64 %address to i64*
  ret i64* %pointer
}

define internal void @copy(i64 %to, i64 %from, i64 %count) alwaysinline {
  %target = inttoptr i64 %to to i8*
  %source = inttoptr i64 %from to i8*
  call i8* @memcpy(i8* %target, i8* %source, i64 %count)
  ret void
}

define internal i8* @new_reference(i64* %table, i64 %index) {
  %address = call i64 @word(i64* %table, i64 %index)
  %object = inttoptr i64 %address to i8*
  call void @Py_IncRef(i8* %object)
  ret i8* %object
}

define internal i1 @has_a_value_for_each(i64* %table, i8* %values) {
entry:
  %type = call i64 @field(i8* %values, i64 $TYPE)
  %list_type = call i64 @word(i64* %table, i64 $LIST_TYPE)
  %tuple_type = call i64 @word(i64* %table, i64 $TUPLE_TYPE)
  %is_list = icmp eq i64 %type, %list_type
  %is_tuple = icmp eq i64 %type, %tuple_type
  %is_known = or i1 %is_list, %is_tuple
  br i1 %is_known, label %known, label %unknown
known:
  %length = call i64 @field(i8* %values, i64 $LENGTH)
  %count = call i64 @word(i64* %table, i64 $FEED_COUNT)
  %has_all = icmp eq i64 %length, %count
  ret i1 %has_all
unknown:
  ret i1 false
}

define internal i64* @items_of(i64* %table, i8* %values) {
entry:
  %type = call i64 @field(i8* %values, i64 $TYPE)
  %list_type = call i64 @word(i64* %table, i64 $LIST_TYPE)
  %is_list = icmp eq i64 %type, %list_type
  br i1 %is_list, label %list, label %tuple
list:
  %list_address = call i64 @field(i8* %values, i64 $LIST_ITEMS)
  %list_items = inttoptr i64 %list_address to i64*
  ret i64* %list_items
tuple:
  %offset = call i64 @word(i64* %table, i64 $TUPLE_ITEMS)
  %first = getelementptr i8, i8* %values, i64 %offset
  %tuple_items = bitcast i8* %first to i64*
  ret i64* %tuple_items
}

define internal i1 @array_fits(i64* %feed, i8* %array) {
entry:
  %its_descriptor = call i64 @field(i8* %array, i64 $ARRAY_DESCRIPTOR)
  %descriptor = call i64 @word(i64* %feed, i64 $DESCRIPTOR)
  %same_type = icmp eq i64 %its_descriptor, %descriptor
  %rank_word = call i64 @field(i8* %array, i64 $ARRAY_RANK)
  %its_rank = and i64 %rank_word, 4294967295
  %rank = call i64 @word(i64* %feed, i64 $RANK)
  %same_rank = icmp eq i64 %its_rank, %rank
  %flags_word = call i64 @field(i8* %array, i64 $ARRAY_FLAGS)
  %flags = and i64 %flags_word, $CONTIGUOUS_AND_ALIGNED
  %is_dense = icmp eq i64 %flags, $CONTIGUOUS_AND_ALIGNED
  %same = and i1 %same_type, %same_rank
  %may_fit = and i1 %same, %is_dense
  br i1 %may_fit, label %sizes, label %misfit
sizes:
  %shape = call i64* @words_at(i64* %feed, i64 $SHAPE)
  %shape_address = call i64 @field(i8* %array, i64 $ARRAY_SHAPE)
  %its_shape = inttoptr i64 %shape_address to i64*
  br label %loop
loop:
  %axis = phi i64 [ 0, %sizes ], [ %next, %compare ]
  %more = icmp ult i64 %axis, %rank
  br i1 %more, label %compare, label %fit
compare:
  %size = call i64 @word(i64* %shape, i64 %axis)
  %its_size = call i64 @word(i64* %its_shape, i64 %axis)
  %next = add i64 %axis, 1
  %same_size = icmp eq i64 %size, %its_size
  br i1 %same_size, label %loop, label %misfit
fit:
  ret i1 true
misfit:
  ret i1 false
}

define internal void @take_array(i64* %feed, i8* %array) {
entry:
  %data = call i64 @field(i8* %array, i64 $ARRAY_DATA)
  %places = call i64 @word(i64* %feed, i64 $PLACES)
  %is_copied = icmp eq i64 %places, 0
  br i1 %is_copied, label %copy, label %point
copy:
  %place = call i64 @word(i64* %feed, i64 $PLACE)
  %bytes = call i64 @word(i64* %feed, i64 $BYTES)
  call void @copy(i64 %place, i64 %data, i64 %bytes)
  ret void
point:
  %addresses = call i64* @words_at(i64* %feed, i64 $PLACE)
  br label %loop
loop:
  %index = phi i64 [ 0, %point ], [ %next, %loop ]
  %target = call i64* @words_at(i64* %addresses, i64 %index)
  store i64 %data, i64* %target
  %next = add i64 %index, 1
  %more = icmp ult i64 %next, %places
  br i1 %more, label %loop, label %done
done:
  ret void
}

define internal i1 @take_int(i64* %feed, i8* %value, i1 %as_float) {
entry:
  %overflow_at = alloca i32
  %number = call i64 @PyLong_AsLongLongAndOverflow(i8* %value, i32* %overflow_at)
  %overflow = load i32, i32* %overflow_at
  %in_word = icmp eq i32 %overflow, 0
  %lowest = call i64 @word(i64* %feed, i64 $LOWEST)
  %highest = call i64 @word(i64* %feed, i64 $HIGHEST)
  %above = icmp sge i64 %number, %lowest
  %below = icmp sle i64 %number, %highest
  %between = and i1 %above, %below
  %fits = and i1 %in_word, %between
  br i1 %fits, label %store, label %misfit
misfit:
  ret i1 false
store:
  br i1 %as_float, label %float, label %integer
float:
  %converted = sitofp i64 %number to double
  call void @store_float(i64* %feed, double %converted)
  ret i1 true
integer:
  %place = call i64* @words_at(i64* %feed, i64 $PLACE)
  %bytes = call i64 @word(i64* %feed, i64 $BYTES)
  switch i64 %bytes, label %word [ i64 1, label %byte i64 2, label %short i64 4, label %half ]
byte:
  %byte_at = bitcast i64* %place to i8*
  %as_byte = trunc i64 %number to i8
  store i8 %as_byte, i8* %byte_at
  ret i1 true
short:
  %short_at = bitcast i64* %place to i16*
  %as_short = trunc i64 %number to i16
  store i16 %as_short, i16* %short_at
  ret i1 true
half:
  %half_at = bitcast i64* %place to i32*
  %as_half = trunc i64 %number to i32
  store i32 %as_half, i32* %half_at
  ret i1 true
word:
  store i64 %number, i64* %place
  ret i1 true
}

define internal void @store_float(i64* %feed, double %number) {
entry:
  %place = call i64* @words_at(i64* %feed, i64 $PLACE)
  %bytes = call i64 @word(i64* %feed, i64 $BYTES)
  %is_double = icmp eq i64 %bytes, 8
  br i1 %is_double, label %double, label %single
double:
  %double_at = bitcast i64* %place to double*
  store double %number, double* %double_at
  ret void
single:
  %single_at = bitcast i64* %place to float*
  %rounded = fptrunc double %number to float
  store float %rounded, float* %single_at
  ret void
}

define internal i1 @take_scalar(i64* %table, i64* %feed, i8* %value, i64 %type) {
entry:
  %scalar_type = call i64 @word(i64* %feed, i64 $SCALAR_TYPE)
  %is_own = icmp eq i64 %type, %scalar_type
  br i1 %is_own, label %own, label %python
own:
  %place = call i64 @word(i64* %feed, i64 $PLACE)
  %address = ptrtoint i8* %value to i64
  %number_at = add i64 %address, 16
  %bytes = call i64 @word(i64* %feed, i64 $BYTES)
  call void @copy(i64 %place, i64 %number_at, i64 %bytes)
  ret i1 true
python:
  %float_type = call i64 @word(i64* %table, i64 $FLOAT_TYPE)
  %double_type = call i64 @word(i64* %table, i64 $DOUBLE_TYPE)
  %int_type = call i64 @word(i64* %table, i64 $INT_TYPE)
  %is_python_float = icmp eq i64 %type, %float_type
  %is_double = icmp eq i64 %type, %double_type
  %is_float = or i1 %is_python_float, %is_double
  %is_int = icmp eq i64 %type, %int_type
  %kind = call i64 @word(i64* %feed, i64 $KIND)
  switch i64 %kind, label %misfit [
    i64 $FLOAT, label %for_float
    i64 $INTEGER, label %for_integer
    i64 $BOOL, label %for_bool
  ]
misfit:
  ret i1 false
for_float:
  br i1 %is_float, label %float, label %for_integer
float:
  %bits = call i64 @field(i8* %value, i64 $NUMBER)
  %number = bitcast i64 %bits to double
  call void @store_float(i64* %feed, double %number)
  ret i1 true
for_integer:
  br i1 %is_int, label %int, label %misfit
int:
  %as_float = icmp eq i64 %kind, $FLOAT
  %taken = call i1 @take_int(i64* %feed, i8* %value, i1 %as_float)
  ret i1 %taken
for_bool:
  %identity = ptrtoint i8* %value to i64
  %true = call i64 @word(i64* %table, i64 $TRUE)
  %false = call i64 @word(i64* %table, i64 $FALSE)
  %is_true = icmp eq i64 %identity, %true
  %is_false = icmp eq i64 %identity, %false
  %is_bool = or i1 %is_true, %is_false
  br i1 %is_bool, label %bool, label %misfit
bool:
  %words = call i64* @words_at(i64* %feed, i64 $PLACE)
  %byte_at = bitcast i64* %words to i8*
  %byte = zext i1 %is_true to i8
  store i8 %byte, i8* %byte_at
  ret i1 true
}

define internal i1 @take_feed(i64* %table, i64* %feed, i8* %value) {
entry:
  %type = call i64 @field(i8* %value, i64 $TYPE)
  %array_type = call i64 @word(i64* %table, i64 $ARRAY_TYPE)
  %is_array = icmp eq i64 %type, %array_type
  br i1 %is_array, label %array, label %scalar
array:
  %fits = call i1 @array_fits(i64* %feed, i8* %value)
  br i1 %fits, label %fit, label %misfit
fit:
  call void @take_array(i64* %feed, i8* %value)
  ret i1 true
misfit:
  ret i1 false
scalar:
  %taken = call i1 @take_scalar(i64* %table, i64* %feed, i8* %value, i64 %type)
  ret i1 %taken
}

define internal i1 @take_feeds(i64* %table, i64* %items) {
entry:
  %count = call i64 @word(i64* %table, i64 $FEED_COUNT)
  %feeds = call i64* @words_at(i64* %table, i64 $FEEDS)
  br label %loop
loop:
  %index = phi i64 [ 0, %entry ], [ %next, %take ]
  %more = icmp ult i64 %index, %count
  br i1 %more, label %take, label %fit
take:
  %offset = mul i64 %index, $FEED_WORDS
  %feed = getelementptr i64, i64* %feeds, i64 %offset
  %address = call i64 @word(i64* %items, i64 %index)
  %value = inttoptr i64 %address to i8*
  %next = add i64 %index, 1
  %taken = call i1 @take_feed(i64* %table, i64* %feed, i8* %value)
  br i1 %taken, label %loop, label %misfit
fit:
  ret i1 true
misfit:
  ret i1 false
}

define internal i8* @make_result(i64* %table, i64* %result) {
entry:
  %kind = call i64 @word(i64* %result, i64 $KIND)
  switch i64 %kind, label %left_out [ i64 $ARRAY, label %new_array i64 $SCALAR, label %new_scalar ]
left_out:
  %none = call i8* @new_reference(i64* %table, i64 $NONE)
  ret i8* %none
new_scalar:
  %scalar_address = call i64 @word(i64* %table, i64 $NEW_SCALAR)
  %make_scalar = inttoptr i64 %scalar_address to i8* (i8*, i8*, i8*)*
  %number = call i64* @words_at(i64* %result, i64 $SOURCE)
  %number_at = bitcast i64* %number to i8*
  %scalar_words = call i64* @words_at(i64* %result, i64 $DESCRIPTOR)
  %scalar_descriptor = bitcast i64* %scalar_words to i8*
  %made = call i8* %make_scalar(i8* %number_at, i8* %scalar_descriptor, i8* null)
  ret i8* %made
new_array:
  %array_address = call i64 @word(i64* %table, i64 $NEW_ARRAY)
  %make_array = inttoptr i64 %array_address to i8* (i8*, i8*, i32, i64*, i64*, i8*, i32, i8*)*
  %type_words = call i64* @words_at(i64* %table, i64 $ARRAY_TYPE)
  %type = bitcast i64* %type_words to i8*
  %rank_word = call i64 @word(i64* %result, i64 $RANK)
  %rank = trunc i64 %rank_word to i32
  %shape = call i64* @words_at(i64* %result, i64 $SHAPE)
  %dtype = call i8* @new_reference(i64* %result, i64 $DESCRIPTOR)
  %array = call i8* %make_array(i8* %type, i8* %dtype, i32 %rank, i64* %shape, i64* null, i8* null, i32 0, i8* null)
  %is_made = icmp ne i8* %array, null
  br i1 %is_made, label %fill, label %made_none
fill:
  %to = call i64 @field(i8* %array, i64 $ARRAY_DATA)
  %from = call i64 @word(i64* %result, i64 $SOURCE)
  %bytes = call i64 @word(i64* %result, i64 $BYTES)
  call void @copy(i64 %to, i64 %from, i64 %bytes)
  br label %made_none
made_none:
  ret i8* %array
}

define internal i8* @make_results(i64* %table) {
entry:
  %count = call i64 @word(i64* %table, i64 $RESULT_COUNT)
  %results = call i64* @words_at(i64* %table, i64 $RESULTS)
  %list = call i8* @PyList_New(i64 %count)
  %has_list = icmp ne i8* %list, null
  br i1 %has_list, label %fill, label %failed
failed:
  ret i8* null
fill:
  %items_address = call i64 @field(i8* %list, i64 $LIST_ITEMS)
  %items = inttoptr i64 %items_address to i8**
  br label %loop
loop:
  %index = phi i64 [ 0, %fill ], [ %next, %put ]
  %more = icmp ult i64 %index, %count
  br i1 %more, label %make, label %done
make:
  %offset = mul i64 %index, $RESULT_WORDS
  %result = getelementptr i64, i64* %results, i64 %offset
  %made = call i8* @make_result(i64* %table, i64* %result)
  %is_made = icmp ne i8* %made, null
  br i1 %is_made, label %put, label %lost
put:
  %item_at = getelementptr i8*, i8** %items, i64 %index
  store i8* %made, i8** %item_at
  %next = add i64 %index, 1
  br label %loop
lost:
  call void @Py_DecRef(i8* %list)
  ret i8* null
done:
  ret i8* %list
}

define i8* @enter(i8* %self, i8* %values) {
entry:
  %table_at = call i8* @PyLong_AsVoidPtr(i8* %self)
  %table = bitcast i8* %table_at to i64*
  %has_values = call i1 @has_a_value_for_each(i64* %table, i8* %values)
  br i1 %has_values, label %take, label %misfit
take:
  %items = call i64* @items_of(i64* %table, i8* %values)
  %fits = call i1 @take_feeds(i64* %table, i64* %items)
  br i1 %fits, label %run, label %misfit
misfit:
  %not_implemented = call i8* @new_reference(i64* %table, i64 $NOT_IMPLEMENTED)
  ret i8* %not_implemented
run:
  %control = call i64* @words_at(i64* %table, i64 $CONTROL)
  %lock_word = call i64 @word(i64* %table, i64 $KEEPS_LOCK)
  %keeps_lock = icmp ne i64 %lock_word, 0
  br i1 %keeps_lock, label %run_locked, label %run_unlocked
run_locked:
  %failed_locked = call i64 @run_steps(i64* %control)
  br label %ran
run_unlocked:
  %thread = call i8* @PyEval_SaveThread()
  %failed_unlocked = call i64 @run_steps(i64* %control)
  call void @PyEval_RestoreThread(i8* %thread)
  br label %ran
ran:
  %failed = phi i64 [ %failed_locked, %run_locked ], [ %failed_unlocked, %run_unlocked ]
  %is_done = icmp eq i64 %failed, 0
  br i1 %is_done, label %results, label %failure
failure:
  %number = call i8* @PyLong_FromLongLong(i64 %failed)
  ret i8* %number
results:
  %made = call i8* @make_results(i64* %table)
  ret i8* %made
}
"""


def python_entry_ir() -> str:
    """The LLVM IR of `enter`, which calls `run_steps` and `memcpy`."""
    layout = {name: value for name, value in globals().items() if name.isupper() and isinstance(value, int)}
    return Template(_CODE).substitute(layout)
