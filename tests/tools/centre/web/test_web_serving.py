"""A port that another program has is refused by a sentence, before an address is printed."""

import socket
import subprocess
import sys
from contextlib import closing

import pytest

from tools import cli
from tools.centre.store import schema


@pytest.mark.parametrize("command", ["centre web", "demo"])
@pytest.mark.parametrize(("language", "said"), [("fr", "un autre programme"), ("en", "another program")])
def test_port_that_is_taken_is_named_with_the_remedy(tmp_path, capsys, monkeypatch, command, language, said):
    monkeypatch.chdir(tmp_path)
    schema.open_to_write("centre.db").close()
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        words = ["--db", "centre.db"] if command == "centre web" else ["--no-browser"]
        assert cli.main([*command.split(), *words, "--port", port, "--lang", language]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert port in captured.err and said in captured.err and "--port" in captured.err


@pytest.mark.slow
def test_accounts_that_are_made_at_once_find_one_key_and_one_set_of_tables(tmp_path):
    words = [sys.executable, "-m", "tools", "centre", "web", "account"]
    made = [
        subprocess.Popen(
            [*words, f"Person {number}", "--data", str(tmp_path / "web.sqlite3")], stderr=subprocess.PIPE, text=True
        )
        for number in range(3)
    ]
    assert [process.communicate()[1] for process in made] == ["", "", ""]
    assert [process.returncode for process in made] == [0, 0, 0]
