"""The sub-commands of `bocage gateway`: a module each with `add_arguments(parser)` and `run(config, args)`."""


class UsageError(Exception):
    """What was typed, or what the configuration says, cannot be done: one sentence in the language asked for.

    `is_complete`: it is shown without the command's name in front.
    """

    def __init__(self, sentence: str, *, is_complete: bool = False) -> None:
        super().__init__(sentence)
        self.is_complete = is_complete
