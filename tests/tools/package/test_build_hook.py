"""What hatchling runs when it builds: the catalogue is compiled, and what is compiled ships."""

import runpy
import sys
import tomllib
from types import ModuleType

from tools.package import catalogue

HATCH = tomllib.loads((catalogue.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]


class Interface:
    """The part of hatchling's interface that the hook uses."""

    def __class_getitem__(cls, _kind):
        return cls

    def __init__(self, root):
        self.root = root


def test_the_hook_compiles_every_translation(tmp_path, monkeypatch):
    for name in ("hatchling", "hatchling.builders", "hatchling.builders.hooks", "hatchling.builders.hooks.plugin"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    module = ModuleType("hatchling.builders.hooks.plugin.interface")
    module.BuildHookInterface = Interface
    monkeypatch.setitem(sys.modules, module.__name__, module)
    hook = runpy.run_path(str(catalogue.ROOT / HATCH["hooks"]["custom"]["path"]))["CatalogueHook"]
    (po,) = catalogue.po_files(catalogue.ROOT)
    copy = tmp_path / po.relative_to(catalogue.ROOT)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(po.read_bytes())
    tool = tmp_path / "tools/package/catalogue.py"
    tool.parent.mkdir(parents=True)
    tool.write_bytes((catalogue.ROOT / "tools/package/catalogue.py").read_bytes())
    hook(str(tmp_path)).initialize("editable", {})
    assert copy.with_suffix(".mo").stat().st_size > 10_000


def test_what_git_does_not_have_ships_all_the_same():
    (pattern,) = HATCH["artifacts"]
    assert [path.suffix for path in catalogue.ROOT.glob(pattern)] == [".mo"]
