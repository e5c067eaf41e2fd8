"""A commune's policy, from the text that people write to the signed document: `bocage policy`.

`compiler` and what it uses turn TOML into a `policy.document.Policy` or into every fault with its line; `keys` makes
keys and signs; `description` says in words what a file means. A private key is never printed and never logged.
"""
