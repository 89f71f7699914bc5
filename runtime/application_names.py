"""Enters `tf.app`, `tf.flags`, `tf.logging` in the table of public names; each is imported when first asked for."""

from sessile.graph.public_names import add_lazy

_FLAGS = (
    "DEFINE_bool DEFINE_boolean DEFINE_enum DEFINE_float DEFINE_integer DEFINE_list DEFINE_multi_float "
    "DEFINE_multi_integer DEFINE_multi_string DEFINE_string DuplicateFlagError Error FLAGS Flag FlagValues "
    "IllegalFlagValueError UnrecognizedFlagError mark_flag_as_required mark_flags_as_required"
)
_LOGGING = (
    "DEBUG ERROR FATAL INFO TaskLevelStatusMessage WARN debug error fatal flush get_verbosity info log log_every_n "
    "log_first_n log_if set_verbosity vlog warn warning"
)

# public module -> where it is defined, and which names it has
_OFFERED = {
    "app": ("application", "run"),
    "app.flags": ("command_flags", _FLAGS),
    "flags": ("command_flags", _FLAGS),
    "logging": ("user_log", _LOGGING),
}

for _public, (_module, _names) in _OFFERED.items():
    for _name in _names.split():
        add_lazy(f"{_public}.{_name}", f"sessile.runtime.{_module}", _name)
