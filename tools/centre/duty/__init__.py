"""Tells a fault that is worth waking a person to who is on duty, by mail and SMS, until somebody has it in hand."""
