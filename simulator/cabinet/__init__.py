"""A street cabinet without lamp controllers: contactors, cables, meters, its hardware fallback, and their twins."""
