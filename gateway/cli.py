"""Runs the agent of a street cabinet, and answers how it is, why, and what it had to let go of.

    sudo bocage gateway setup
    bocage gateway check --config gateway.toml
    bocage gateway run --config gateway.toml
    bocage gateway status --config gateway.toml --lang en
    bocage gateway explain bourg --config gateway.toml --at "demain 05:30"
    sudo bocage gateway adopt --config gateway.toml 7c1f0a2c01000001.key

Exit status of `status`: 0 well, 1 something needs attention, 2 no agent answers, or bad usage; of `explain`: 0
explained, 2 no agent answers, or no such feeder or time; of the others: 0 done, 1 the system or its surroundings
refused it, 2 the configuration or the usage is at fault.
"""

# A sub-command is one module and one line here; see `gateway/commands` for what the module has.
COMMANDS = {
    "setup": "gateway.commands.setup.wizard",
    "check": "gateway.commands.check",
    "run": "gateway.commands.run",
    "status": "gateway.commands.status",
    "explain": "gateway.commands.explain",
    "losses": "gateway.commands.losses",
    "audit": "gateway.commands.audit",
    "adopt": "gateway.commands.adopt",
    "images": "gateway.commands.images",
    "concentrator": "gateway.commands.concentrator",
    "tell": "gateway.commands.tell",
    "update": "gateway.commands.update",
}
