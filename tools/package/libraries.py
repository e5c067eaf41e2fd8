"""Takes the few libraries that Debian does not have from the environment that builds the package, byte for byte.

The repository holds none of them: pyproject.toml pins their versions, and the digest here is that of the files that
were looked at, so a package has these or is not built. Only pure Python may be here, for the package is one for all
processors. Their licences stand in the package's copyright file. A new version: change the pin, build, look at what
has changed, and write down the digest that the refusal names.
"""

import importlib.metadata
from collections.abc import Iterator
from hashlib import sha256
from pathlib import PurePosixPath
from typing import NamedTuple

_SUFFIXES = frozenset((".py", ".mo", ".html", ".css", ".js", ".png", ".svg"))
_METADATA = "METADATA"  # whence a library may read its own version


class Library(NamedTuple):
    """Names one library. digest: SHA-256 of its files, as `digest` counts it."""

    distribution: str
    version: str
    licence: str
    digest: str


class Missing(Exception):
    """Is raised where the environment has another library than the package wants; its text gives the remedy."""


def files(library: Library) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yields the files of a library in order, by their place beside the modules. Missing where they are others."""
    try:
        distribution = importlib.metadata.distribution(library.distribution)
    except importlib.metadata.PackageNotFoundError:
        raise Missing(_wanted(library, "is not here")) from None
    found = {}
    for path in distribution.files or ():
        place = PurePosixPath(path)
        is_metadata = place.name == _METADATA and place.parent.suffix == ".dist-info"
        if is_metadata or (place.suffix in _SUFFIXES and not {"tests", "__pycache__", ".."} & {*place.parts}):
            found[place] = distribution.locate_file(path).read_bytes()  # type: ignore[attr-defined]
    if digest(found) != library.digest:
        raise Missing(_wanted(library, f"has digest {digest(found)} here, as version {distribution.version}"))
    yield from sorted(found.items())


def copyright_of(library: Library) -> str:
    """Returns the paragraph of Debian's copyright file for a library."""
    distribution = importlib.metadata.distribution(library.distribution)
    licences = [path for path in distribution.files or () if ".dist-info/licenses/" in str(path)]
    text = "\n".join(distribution.locate_file(path).read_text() for path in licences)
    text = text or "The distribution brings no text of it; its METADATA names it."
    lines = "".join(f" {line.strip() or '.'}\n" for line in text.splitlines())
    return (
        f"\nFiles: usr/share/bocage/{_top(library)}/*\nCopyright: the authors of {library.distribution}\n"
        f"License: {library.licence}\n{lines}"
    )


def digest(found: dict[PurePosixPath, bytes]) -> str:
    """Returns the SHA-256 of names and contents, in the order of the names."""
    every = sha256()
    for place, data in sorted(found.items()):
        every.update(f"{sha256(data).hexdigest()}  {place}\n".encode())
    return every.hexdigest()


def _top(library: Library) -> str:
    return next(place.parts[0] for place, _ in files(library) if place.suffix == ".py")


def _wanted(library: Library, found: str) -> str:
    name = f"{library.distribution}=={library.version}"
    return f"{library.distribution} {found}; the screens want that of the sources: pip install {name}"
