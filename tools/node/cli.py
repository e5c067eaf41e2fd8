"""Makes nodes at a technician's bench: their keys and settings, their module written and watched as it starts."""

COMMANDS = {
    "new": "tools.node.new",
    "flash": "tools.node.flash",
    "list": "tools.node.list",
}
