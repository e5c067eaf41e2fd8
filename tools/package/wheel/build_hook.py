"""Compiles the catalogue of sentences; hatchling runs this when a wheel, an sdist or an editable install is built."""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        # By path: at build time our packages are not importable.
        catalogue = runpy.run_path(str(Path(self.root) / "tools/package/catalogue.py"))
        catalogue["compile_all"](Path(self.root))
