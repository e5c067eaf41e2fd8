"""Runs a benchmark, and its peer in the same run where there is one."""

COMMANDS = {
    "backlog": "tools.bench.backlog",
    "bytes": "tools.bench.bytes",
    "census": "tools.bench.census",
    "command": "tools.bench.command",
    "encode": "tools.bench.encode",
    "heating": "tools.bench.heating",
    "journal": "tools.bench.journal",
    "link": "tools.bench.link",
    "metered": "tools.bench.metered",
    "node": "tools.bench.node",
    "radio": "tools.bench.radio",
    "rooms": "tools.bench.rooms",
    "sim": "tools.bench.sim",
    "size": "tools.bench.size",
    "sleep": "tools.bench.sleep",
    "stray": "tools.bench.stray",
    "sun": "tools.bench.sun",
    "uplink": "tools.bench.uplink",
    "vm": "tools.bench.vm",
    "watering": "tools.bench.watering",
}
