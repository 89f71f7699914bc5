"""`tf.bitwise`."""

from sessile._exports import show as _show

_show(globals(), "bitwise")
