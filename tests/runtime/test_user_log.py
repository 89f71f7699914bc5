"""`tf.logging`: what programs report, and from which level on it is shown."""

import logging

import pytest

import sessile as tf


@pytest.fixture(autouse=True)
def shown(caplog):
    """The messages that are shown, as (level, text)."""
    logger = logging.getLogger("tensorflow")
    level, handlers, propagate = logger.level, logger.handlers[:], logger.propagate
    logger.handlers[:], logger.propagate = [caplog.handler], False
    tf.logging.set_verbosity(tf.logging.INFO)
    yield lambda: [(record.levelname, record.getMessage()) for record in caplog.records]
    logger.handlers[:], logger.propagate = handlers, propagate
    logger.setLevel(level)


def test_each_level_has_its_function(shown):
    tf.logging.debug("not shown")
    tf.logging.info("step %d of %d", 3, 10)
    tf.logging.warn("w")
    tf.logging.warning("w")
    tf.logging.error("e")
    tf.logging.fatal("f")
    tf.logging.log(tf.logging.ERROR, "l %s", "x")
    tf.logging.TaskLevelStatusMessage("t")
    words = ["INFO step 3 of 10", "WARNING w", "WARNING w", "ERROR e", "CRITICAL f", "ERROR l x", "ERROR t"]
    assert [f"{level} {text}" for level, text in shown()] == words


def test_the_verbosity_is_a_level_or_its_name(shown):
    tf.logging.set_verbosity("ERROR")
    tf.logging.warn("not shown")
    assert shown() == [] and tf.logging.get_verbosity() == tf.logging.ERROR == 40
    with pytest.raises(ValueError, match="Unknown level: 'LOUD'"):
        tf.logging.set_verbosity("LOUD")


def test_messages_can_be_thinned_out(shown):
    for k in range(5):
        tf.logging.log_every_n(tf.logging.INFO, "every %d", 2, k)
        tf.logging.log_first_n(tf.logging.INFO, "first %d", 2, k)
        tf.logging.log_if(tf.logging.INFO, "if %d", k == 3, k)
    texts = [text for _, text in shown()]
    assert sorted(texts) == ["every 0", "every 2", "every 4", "first 0", "first 1", "if 3"]


def test_the_logger_is_pythons(shown):
    logging.getLogger("tensorflow").info("from outside")
    tf.logging.flush()
    assert shown() == [("INFO", "from outside")]
