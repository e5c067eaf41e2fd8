"""Makes nodes at a technician's bench: their keys and settings, their module written and watched as it starts, their
labels."""

COMMANDS = {
    "new": "tools.node.new",
    "flash": "tools.node.flash",
    "dev": "tools.node.dev",
    "label": "tools.node.label",
    "replace": "tools.node.replace",
    "list": "tools.node.list",
}
