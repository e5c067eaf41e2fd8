// The bare 32-bit machine that QEMU (`virt`) and Renode (hardware/renode/bare.repl) both have: a RV32, 64 MiB of RAM at
// 0x80000000, a 16550 at 0x10000000, a CLINT at 0x02000000, SiFive's test finisher at 0x00100000. Code and heap lie
// where the port's virt.ld puts them, below 0x80610000. tools/bare/machine.py has the same addresses.

#ifndef BOCAGE_BOARD_H
#define BOCAGE_BOARD_H

#include <stdint.h>

// The second area of heap, as a module's PSRAM is one.
#define BOARD_SECOND (0x80800000)
// What the starter tells this life, in four words; zeros: the defaults.
#define BOARD_TOLD ((const board_told_t *)0x81000000)
// Survives a reset, not a loss of power: the cause of the last reset, then what machine.RTC keeps.
#define BOARD_KEPT ((volatile uint32_t *)0x81001000)
// The flash: a partition with ROMFS images, which run in place, and one with a file system.
#define BOARD_ROM (0x82000000)
#define BOARD_ROM_BYTES (0x800000)
#define BOARD_FILES (0x83000000)
#define BOARD_FILES_BYTES (0x200000)
#define BOARD_BLOCK_BYTES (4096)
// An ESP32's task for Python has 16 KiB, of which the port keeps 1 KiB back.
#define BOARD_STACK (15 * 1024)

typedef struct _board_told_t {
    uint32_t heap;
    uint32_t second;
    uint32_t stack;
    uint32_t cut; // in this one of its erases and writes the power fails; 0: in none
} board_told_t;

// Numbers of `machine`, as on an ESP32.
enum { BOARD_PWRON_RESET = 1, BOARD_WDT_RESET = 3, BOARD_SOFT_RESET = 5 };

#define MICROPY_INTERNAL_WFE(timeout_ms) board_wait_us(2000)


void board_init(void);
void board_wait_us(uint32_t us);
__attribute__((noreturn)) void board_reset(uint32_t cause);
uint32_t board_reset_cause(void);
extern const struct _board_flash_obj_t board_files_obj;

#endif
