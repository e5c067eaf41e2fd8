#define MICROPY_HW_BOARD_NAME                   "Bocage, ESP32-S3 with 8 MB of flash and PSRAM"
#define MICROPY_HW_MCU_NAME                     "ESP32S3"

// Programs run in place from the partition "romfs"; no build of the port has this by itself.
#define MICROPY_VFS_ROM                         (1)

// A serial adapter's console, as in the official build.
#define MICROPY_HW_ENABLE_UART_REPL             (1)
// An unused service on port 5353.
#define MICROPY_HW_ENABLE_MDNS_QUERIES          (0)
#define MICROPY_HW_ENABLE_MDNS_RESPONDER        (0)
// Nothing here speaks Bluetooth.
#define MICROPY_PY_BLUETOOTH                    (0)
