"""`tf.debugging`."""

from sessile._exports import show as _show

_show(globals(), "debugging")
