"""Runs the centre on one server: ingest and warehouse, control, orders to cabinets."""

COMMANDS = {
    "check-broker": "tools.centre.commands.check_broker",
    "ingest": "tools.centre.commands.ingest",
    "receipt-key": "tools.centre.commands.receipt_key",
    "stats": "tools.centre.commands.stats",
    "alarms": "tools.centre.commands.alarms",
    "export": "tools.centre.commands.export",
    "unbind": "tools.centre.commands.unbind",
    "bind": "tools.centre.commands.bind",
    "apart": "tools.centre.commands.apart",
    "control": "tools.centre.commands.control",
    "policy publish": "tools.centre.commands.publish_policy",
    "light": "tools.centre.commands.light",
    "override": "tools.centre.commands.override",
    "end": "tools.centre.commands.end",
    "test-feeder": "tools.centre.commands.test_feeder",
    "tell": "tools.centre.commands.tell",
    "commands": "tools.centre.commands.list_commands",
    "gateways": "tools.centre.commands.list_gateways",
}
