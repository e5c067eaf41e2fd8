"""`bocage gateway setup`: asks what is in the cabinet and writes /etc/bocage, so that no TOML is edited at the
roadside.

`wizard` runs it; `questions` holds what is asked, `dialogue` how; `machine` and `site` know the machine and France,
`gateway.io.identity` the key of the link; `files` writes. Nothing is written before everything is checked, and nothing
secret is shown.
"""
