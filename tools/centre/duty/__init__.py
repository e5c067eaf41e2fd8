"""Sends mail and SMS about a serious fault to the person on duty, until a person takes the fault in hand."""
