"""What a command of `bocage policy` says when it stops: the world refused, or a file is not what it must be."""

from tools.policy.words import word


class Refused(Exception):
    """`key` is of `words`; its remedy stands there under `key.do`."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values

    def text(self, language: str) -> str:
        remedy = word("to_do", language, text=word(f"{self.key}.do", language, **self.values))
        return f"{word(self.key, language, **self.values)}\n  {remedy}"
