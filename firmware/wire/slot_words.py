"""What an update asks of the file system, one small operation at a time: the words between the machines that decide
(`concentrator.update`, `node.updating`) and the shell that has files (`esp32.slot_files`).

An operation is a tuple that begins with one of these. Paths are inside the folder that the chip does not run from.
"""

READ = "read"  # path, offset -> at most PIECE_BYTES, fewer at the end; nothing for what is not there
CLEAR = "clear"  # -> True when nothing is left, False when more is, or the word of a fault
BEGIN = "begin"  # path -> "" or the word of a fault
WRITE = "write"  # data -> the same
END = "end"  # -> the same
CHOOSE = "choose"  # number -> whether it is written
CONFIRM = "confirm"  # number -> the same

# The word of a fault: the file system is full.
SPACE = "space"

MANIFEST_NAME = "manifest.bin"
# Of a file that is read back or a manifest that is written, in one turn: a few milliseconds. What is received comes in
# pieces that are smaller still; the erasure of a flash sector, 50 ms or so each 4 kB, is the driver's.
PIECE_BYTES = 512
# A file that was received so often and is not what was signed: the flash is worn out.
RECEIVED_MAX = 3
