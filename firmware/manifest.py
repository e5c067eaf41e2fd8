"""What MicroPython's build freezes into the firmware of a node (docs.micropython.org, "MicroPython manifest files"):

    make -C ports/esp32 BOARD=... FROZEN_MANIFEST=/path/to/firmware/manifest.py

and for another kind than a streetlight a manifest of one line, include("/path/to/firmware/manifest.py", kind="...").
The modules are those that the node's program imports, each once, and nothing of the desk: tools/firmware_modules.py
follows the imports. Of micropython-lib only what a driver of that kind imports is required; what each package is for
stands there in LIBRARY. Left out of the port's usual list on purpose: asyncio (one poll loop with deadlines is all
there is), requests, ntptime, mip, umqtt, webrepl (time, updates and records come from the gateway, authenticated).

Executed by MicroPython's tools/makemanifest.py with this folder as its working folder; never imported.
"""

# ruff: noqa: F821 - freeze, module, package, require and options are the build's

import os
import sys
import tempfile

sys.path.insert(0, os.path.abspath(os.pardir))
from tools import bundle, firmware_modules

options.defaults(kind="streetlight", port=True)

# The port's own start: mounts the file system that keeps settings and state; `espnow` is a module of it.
if options.port:
    freeze("$(PORT_DIR)/modules")

modules = firmware_modules.needed(options.kind)
for library in firmware_modules.libraries(modules):
    require(library)

# What tools/squeeze.py and tools/bundle.py make of the sources: constants in their places, and what is loaded at every
# start in one module.
folder = tempfile.mkdtemp()
texts = bundle.of_kind(options.kind).modules
for name in texts:
    path = modules.get(name)
    place = f"{name}.py" if path is None else firmware_modules.chip_path(name, path) + ".py"
    target = os.path.join(folder, place)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w", encoding="utf-8") as file:
        file.write(texts[name])
    # `boot` is kept under the name of its kind, and a manifest cannot rename; here it has the name of the chip.
    if "/" in place:
        top = place.split("/")[0]
        package(top, files=(place[len(top) + 1 :],), base_path=folder)
    else:
        module(place, base_path=folder)
