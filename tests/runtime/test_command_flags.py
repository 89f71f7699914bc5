"""`tf.flags` and `tf.app.run`: how options are declared, read, and refused."""

import sys

import pytest

import sessile as tf
from sessile.runtime import application, command_flags
from sessile.runtime.command_flags import FlagValues

flags = tf.flags


@pytest.fixture
def FLAGS(monkeypatch):
    """Flags of the test's own, in place of the process's."""
    values = FlagValues()
    monkeypatch.setattr(command_flags, "FLAGS", values)
    monkeypatch.setattr(application, "FLAGS", values)
    flags.DEFINE_string("text", "t", "a text")
    flags.DEFINE_integer("count", 3, "a number")
    flags.DEFINE_float("rate", 0.5, "a number")
    flags.DEFINE_boolean("fast", False, "a truth")
    flags.DEFINE_bool("safe", True, "a truth")
    flags.DEFINE_enum("mode", "train", ["train", "test"], "one of two")
    flags.DEFINE_list("names", ["a"], "several")
    return values


def test_app_has_the_same_flags():
    assert tf.app.flags.FLAGS is tf.flags.FLAGS and tf.app.flags.DEFINE_string is tf.flags.DEFINE_string


def test_values_are_read_from_the_command_line_when_first_asked_for(FLAGS, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["program", "--text=x", "-count", "4", "--unknown", "--nosafe"])
    assert not FLAGS.is_parsed()
    assert (FLAGS.text, FLAGS.count, FLAGS.safe, FLAGS.rate) == ("x", 4, False, 0.5)
    assert FLAGS.is_parsed() and FLAGS["count"].present and not FLAGS["rate"].present


def test_options_may_be_written_in_several_ways(FLAGS):
    rest = FLAGS(
        ["p", "first", "--text=", "--rate", "2", "--fast", "--safe=false", "--mode=test", "--names=a, b", "--", "-x"]
    )
    assert rest == ["p", "first", "-x"]
    assert FLAGS.flag_values_dict() == {
        "text": "",
        "count": 3,
        "rate": 2.0,
        "fast": True,
        "safe": False,
        "mode": "test",
        "names": ["a", "b"],
    }


@pytest.mark.parametrize(("word", "value"), [("0x10", 16), ("-7", -7), ("+1", 1)])
def test_whole_numbers(FLAGS, word, value):
    FLAGS(["p", f"--count={word}"])
    assert FLAGS.count == value


@pytest.mark.parametrize(
    ("words", "error", "text"),
    [
        (["--count=x"], "IllegalFlagValueError", "flag --count=x: "),
        (["--count=1.5"], "IllegalFlagValueError", "flag --count=1.5: "),
        (["--rate=fast"], "IllegalFlagValueError", "flag --rate=fast: "),
        (["--fast=maybe"], "IllegalFlagValueError", "Non-boolean argument to boolean flag: maybe"),
        (["--mode=run"], "IllegalFlagValueError", "value should be one of <train|test>"),
        (["--unknown=1"], "UnrecognizedFlagError", "Unknown command line flag 'unknown'"),
        (["--notext"], "UnrecognizedFlagError", "Unknown command line flag 'notext'"),
        (["--count"], "Error", "Missing value for flag --count"),
    ],
)
def test_wrong_options_are_errors(FLAGS, words, error, text):
    with pytest.raises(flags.Error) as raised:
        FLAGS(["p", *words])
    assert type(raised.value).__name__ == error and text in str(raised.value)


def test_unknown_options_can_be_left(FLAGS):
    assert FLAGS(["p", "--unknown=1", "--count=2", "-u"], known_only=True) == ["p", "--unknown=1", "-u"]


def test_the_older_names_of_arguments(FLAGS):
    flags.DEFINE_string(flag_name="older", default_value="o", docstring="text")
    FLAGS.mark_as_parsed()
    assert FLAGS.older == "o" and FLAGS["older"].help == "text"


def test_a_flag_may_have_no_value(FLAGS):
    flags.DEFINE_integer("missing", None, "a number")
    FLAGS(["p"])
    assert FLAGS.missing is None


def test_flags_that_may_repeat(FLAGS):
    flags.DEFINE_multi_integer("layer", [1], "sizes")
    FLAGS(["p"])
    assert FLAGS.layer == [1]
    FLAGS(["p", "--layer=2", "--layer=3"])
    assert FLAGS.layer == [2, 3]


def test_a_required_flag_must_have_a_value(FLAGS):
    flags.DEFINE_string("needed", None, "text")
    flags.mark_flag_as_required("needed")
    with pytest.raises(flags.IllegalFlagValueError, match="Flag --needed must have a value other than None"):
        FLAGS(["p"])
    FLAGS(["p", "--needed=x"])
    assert FLAGS.needed == "x"


def test_two_flags_of_one_name_are_an_error_unless_they_are_the_same(FLAGS):
    flags.DEFINE_string("text", "t", "a text")
    with pytest.raises(flags.DuplicateFlagError, match="The flag 'text' is defined twice, differently"):
        flags.DEFINE_string("text", "other", "a text")


@pytest.mark.parametrize(
    "define", [lambda: flags.DEFINE_integer("n", "x", ""), lambda: flags.DEFINE_enum("e", "z", ["x"])]
)
def test_a_default_must_be_a_value_of_the_flag(FLAGS, define):
    with pytest.raises(flags.IllegalFlagValueError):
        define()


def test_values_can_be_set_and_flags_removed(FLAGS):
    FLAGS.mark_as_parsed()
    FLAGS.count = 9
    assert FLAGS.count == 9 and FLAGS["count"].value == 9
    del FLAGS.text
    with pytest.raises(AttributeError, match="text"):
        _ = FLAGS.text
    with pytest.raises(flags.UnrecognizedFlagError, match="Unknown command line flag 'new'"):
        FLAGS.new = 1


def test_flags_are_a_container_of_themselves(FLAGS):
    FLAGS.mark_as_parsed()
    assert "count" in FLAGS and "far" not in FLAGS and len(FLAGS) == 7 and list(FLAGS)[:2] == ["text", "count"]
    assert sorted(getattr(FLAGS, "__flags"))[0] == "count"


def test_main_gets_what_is_no_flag_and_gives_the_exit_status(FLAGS):
    seen = []

    def main(argv):
        seen.append((argv, FLAGS.count))
        return 5

    with pytest.raises(SystemExit) as ended:
        tf.app.run(main, ["p", "--count=9", "rest", "--unknown"])
    assert ended.value.code == 5 and seen == [(["p", "rest", "--unknown"], 9)]


def test_main_is_that_of_the_program(FLAGS, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "main", lambda argv: None, raising=False)
    monkeypatch.setattr(sys, "argv", ["p", "--fast"])
    with pytest.raises(SystemExit) as ended:
        tf.app.run()
    assert ended.value.code is None and FLAGS.fast


def test_a_wrong_flag_ends_the_program_before_main(FLAGS):
    with pytest.raises(SystemExit, match="flag --count=x"):
        tf.app.run(lambda argv: pytest.fail("main must not run"), ["p", "--count=x"])


def test_help_is_shown(FLAGS, capsys):
    with pytest.raises(SystemExit) as ended:
        tf.app.run(lambda argv: pytest.fail("main must not run"), ["p", "--help"])
    assert ended.value.code == 0 and "  --rate: a number\n    (default: 0.5)" in capsys.readouterr().out
