"""Runs a proof that takes longer than CI; its result is printed as figures.

Exit status of every proof: 0 it holds, 1 a part is missing, 3 it does not hold.
"""

COMMANDS = {
    "kill": "tools.prove.kill",
    "corrupt": "tools.prove.corrupt",
    "night": "tools.prove.night",
    "bearers": "tools.prove.bearers",
    "powercut": "tools.prove.powercut",
    "storm": "tools.prove.storm",
    "fuzz": "tools.prove.fuzz",
    "fulldisk": "tools.prove.fulldisk",
    "campaign": "tools.prove.campaign",
}
