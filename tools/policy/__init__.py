"""Implements `bocage policy`: a commune's policy, from the text that people write to the signed document.

`compiler` and what it uses turn TOML into a `policy.document.Policy` or into every fault with its line; `keys` makes
keys and signs; `description` shows in words what a file means. A private key must never be printed or logged.
"""
