"""The errors that a user can mend."""


class InputError(ValueError):
    """A config, data file or argument that cannot be used.

    The message is one sentence that names the key (or file), the value and the remedy; it is
    shown to the user as it is, without a traceback.
    """
