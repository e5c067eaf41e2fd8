"""The manifest freezes what a node of each kind imports, each module once, and nothing of the desk."""

import os
from types import SimpleNamespace

import pytest

from tools import bundle, firmware_modules
from tools.firmware_modules import UnknownModule


class Build:
    """MicroPython's makemanifest, as far as a manifest sees it. `frozen`: target paths in order."""

    def __init__(self, folder, **options):
        self.folder = folder
        self.frozen, self.required, self.folders = [], [], []
        self._options = options

    def execute(self):
        options = SimpleNamespace(defaults=self._defaults)
        self._given = options
        names = {"freeze": self._freeze, "package": self._package, "module": self._module}
        text = (self.folder / "manifest.py").read_text(encoding="utf-8")
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            exec(compile(text, "manifest.py", "exec"), {**names, "require": self.required.append, "options": options})
        finally:
            os.chdir(before)
        return self

    def _defaults(self, **defaults):
        for name, value in {**defaults, **self._options}.items():
            setattr(self._given, name, value)

    def _freeze(self, path):
        self.folders.append(path)

    def _package(self, name, files=None, base_path="."):
        for file in files:
            assert (self.folder / base_path / name / file).is_file()
            self.frozen.append(f"{name}/{file}")

    def _module(self, name, base_path="."):
        assert (self.folder / base_path / name).is_file()
        self.frozen.append(name)


@pytest.mark.slow
@pytest.mark.parametrize("kind", firmware_modules.kinds())
def test_every_module_that_a_kind_imports_is_frozen_once_and_nothing_of_the_desk(repository, kind):
    build = Build(repository / "firmware", kind=kind).execute()
    wanted = firmware_modules.needed(kind)
    within = {name for _, name in bundle.of_kind(kind).places}
    assert "node.app" in within and within < set(wanted)
    paths = [firmware_modules.chip_path(name, path) + ".py" for name, path in wanted.items() if name not in within]
    assert sorted(build.frozen) == sorted([*paths, "core.py"])
    assert len(set(build.frozen)) == len(build.frozen)
    assert {"main.py", "boot.py", f"kinds/{kind}.py"} <= set(build.frozen)
    assert not [path for path in build.frozen if path.startswith(("gateway", "simulator", "tools", "concentrator"))]
    others = [other for other in firmware_modules.kinds() if other != kind]
    assert not [path for path in build.frozen if path in [f"kinds/{other}.py" for other in others]]
    assert build.folders == ["$(PORT_DIR)/modules"]
    assert build.required == firmware_modules.libraries(wanted)


@pytest.mark.slow
def test_drivers_that_a_kind_always_opens_stand_with_what_every_start_loads():
    """Loaded apart, three of them took 450 bytes more of an irrigation node's heap."""
    assert firmware_modules.fitted("irrigation") == ["drivers.ina226", "drivers.pcf8574", "drivers.sht4x"]
    assert firmware_modules.fitted("streetlight") == [], "a lamp loads the drivers that its settings name"
    for kind in firmware_modules.kinds():
        assert set(firmware_modules.fitted(kind)) <= {name for _, name in bundle.of_kind(kind).places}


@pytest.mark.slow
def test_without_a_kind_it_is_the_streetlight_and_without_the_port_nothing_of_it(repository):
    build = Build(repository / "firmware", port=False).execute()
    assert "kinds/streetlight.py" in build.frozen and build.folders == []


def test_a_package_of_micropython_lib_is_required_when_it_is_imported_and_only_then(tmp_path):
    for name, text in {
        "esp32/main.py": "def run():\n    import onewire\n    from kinds import a\n",
        "boards/boot_a.py": "import machine\n",
        "kinds/__init__.py": "",
        "kinds/a.py": "import kinds\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    modules = firmware_modules.needed("a", tmp_path)
    assert list(modules) == ["boot", "kinds", "kinds.a", "main"]
    assert firmware_modules.libraries(modules, tmp_path) == ["onewire"]
    (tmp_path / "kinds" / "a.py").write_text("import requests\n", encoding="utf-8")
    with pytest.raises(UnknownModule, match="requests"):
        firmware_modules.libraries(modules, tmp_path)
