"""For how long facts are kept, and how they are purged: not a record is lost track of, no sum changes."""
