"""Why a feeder is as it is, in plain words: read from a running agent's document, told to people in two languages."""
