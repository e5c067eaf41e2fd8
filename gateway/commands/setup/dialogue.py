"""Asks a person questions at a terminal, one line each: an empty line keeps the value shown, `-` removes an optional
value, `?` explains. Knows no question and no file.

An end of the input, or Ctrl-C, ends the whole dialogue (`Abandoned`): nothing has been written then.
"""

import getpass
from collections.abc import Callable, Sequence
from typing import TypeVar

from gateway.commands.setup.words import word

Value = TypeVar("Value")

_NOTHING = "-"


class Abandoned(Exception):
    """Raised when the person gives up."""


class Refused(ValueError):
    """Raised for an invalid answer. `word`: the reason, a key of `words`; None: only the expected form is shown."""

    def __init__(self, word: str | None = None, /, **values: str) -> None:
        super().__init__(word)
        self.word = word
        self.values = values


class Terminal:
    """Asks in one language. `question` names are keys of `words`: `ask.x` is the question, `expect.x` the expected form
    of the answer."""

    def __init__(
        self,
        language: str,
        *,
        read_line: Callable[[str], str] = input,
        read_secret: Callable[[str], str] = getpass.getpass,
        write: Callable[[str], None] = print,
    ) -> None:
        self.language = language
        self._read_line = read_line
        self._read_secret = read_secret
        self._write = write

    def title(self, name: str) -> None:
        text = word(name, self.language)
        self._write(f"\n{text}\n{'─' * len(text)}")

    def show(self, name: str, /, **values: str) -> None:
        self._write(word(name, self.language, **values))

    def show_line(self, line: str) -> None:
        """Shows a line that is not in `words`: a path, a fault."""
        self._write(line)

    def ask(
        self,
        question: str,
        read: Callable[[str], Value],
        /,
        *,
        default: str = "",
        optional: bool = False,
        choices: Sequence[str] = (),
        expect: str | None = None,
        **values: str,
    ) -> Value | None:
        """Asks until `read` accepts the answer without Refused, and returns its result. None: the value is removed.
        `expect` names the expected form where it is not under the question's own name."""
        expected, default = f"expect.{expect or question}", str(default)
        for number, choice in enumerate(choices, 1):
            self._write(f"  {number}  {choice}")
        shown = default or (_NOTHING if optional else "")
        prompt = word(f"ask.{question}", self.language, **values) + (f" [{shown}] : " if shown else " : ")
        while True:
            typed = self._line(prompt).strip() or default
            if typed == "?":
                self.show(expected, **values)
                continue
            if optional and typed in ("", _NOTHING):
                return None
            if typed.isdigit() and 1 <= int(typed) <= len(choices):
                typed = choices[int(typed) - 1]
            try:
                return read(typed)
            except Refused as refused:
                if refused.word:
                    self.show(refused.word, **refused.values)
                self.show(expected, **values)

    def confirm(self, question: str, /, *, default: bool, **values: str) -> bool:
        """Asks for yes or no."""
        yes, no = word("letter.yes", self.language), "n"
        choice = f"{yes.upper()}/{no}" if default else f"{yes}/{no.upper()}"
        prompt = f"{word(f'ask.{question}', self.language, **values)} [{choice}] : "
        while True:
            typed = self._line(prompt).strip().lower()
            if not typed:
                return default
            if typed[0] in (yes, "y", no):
                return typed[0] != no

    def choose(self, question: str, letters_key: str, /, **values: str) -> int:
        """Asks for one letter of a word of `words`, and returns its place; an empty line means the first."""
        letters = word(letters_key, self.language)
        prompt = (
            f"{word(f'ask.{question}', self.language, **values)} [{'/'.join((letters[0].upper(), *letters[1:]))}] : "
        )
        while True:
            typed = self._line(prompt).strip().lower()[:1] or letters[0]
            if typed in letters:
                return letters.index(typed)

    def secret(self, question: str, check: Callable[[str], Value]) -> Value:
        """Asks for a secret twice and never shows it. `check` raises Refused."""
        while True:
            first = self._secret(f"{word(f'ask.{question}', self.language)} : ")
            try:
                value = check(first)
            except Refused:
                self.show(f"expect.{question}")
                continue
            if self._secret(f"{word(f'ask.{question}.again', self.language)} : ") == first:
                return value
            self.show("secret.different")

    def _line(self, prompt: str) -> str:
        try:
            return self._read_line(prompt)
        except (EOFError, KeyboardInterrupt) as error:
            raise Abandoned from error

    def _secret(self, prompt: str) -> str:
        try:
            return self._read_secret(prompt)
        except (EOFError, KeyboardInterrupt) as error:
            raise Abandoned from error
