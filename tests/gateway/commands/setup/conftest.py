"""The wizard on an image: a system that lies in a folder."""

import pytest

from tools import cli as command_line


@pytest.fixture
def image(tmp_path):
    """A system that is not ours, with the agent's group."""
    root = tmp_path / "image"
    (root / "etc").mkdir(parents=True)
    (root / "etc/group").write_text("root:x:0:\nbocage:x:981:\n")
    return root


@pytest.fixture
def setup(image, tmp_path, capsys):
    """Runs the command on the image with these answers; (exit status, standard output, standard error)."""

    def run(answers=None, *options, mode=0o600):
        words_ = ["gateway", "setup", "--root", str(image), *options]
        if answers is not None:
            path = tmp_path / "answers.toml"
            path.write_text(answers)
            path.chmod(mode)
            words_ += ["--answers", str(path)]
        status = command_line.main(words_)
        return (status, *capsys.readouterr())

    return run
