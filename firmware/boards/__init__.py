"""Pin maps, generated from hardware/. Never edited by hand."""
