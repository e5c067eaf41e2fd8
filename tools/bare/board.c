// Gives the port its clock, its waits, a watchdog, a reset with a cause, and the ROMFS image in memory.

#include "py/mphal.h"
#include "py/mperrno.h"
#include "py/obj.h"
#include "extmod/vfs.h"
#include "board.h"

#define TICKS_PER_US (10)
#define MTIMECMP ((volatile uint32_t *)0x02004000)
#define MTIME ((volatile uint32_t *)0x0200bff8)
#define FINISHER (*(volatile uint32_t *)0x00100000)
#define FINISHER_RESET (0x7777)
#define MIE_MTIE "0x80"
#define MSTATUS_MIE "0x8"
// Above the numbers of causes: RAM that has just been powered holds no such word.
#define KEPT_MARK (0xb0ca6e00)

static uint64_t mtime(void) {
    uint32_t high, low;
    do {
        high = MTIME[1];
        low = MTIME[0];
    } while (high != MTIME[1]);
    return (uint64_t)high << 32 | low;
}

static void set_alarm(uint64_t at) {
    MTIMECMP[1] = UINT32_MAX; // no alarm between the two writes
    MTIMECMP[0] = at;
    MTIMECMP[1] = at >> 32;
}

void board_init(void) {
    set_alarm(UINT64_MAX);
    uint32_t bits;
    // set_interrupt_table of the port means to set mstatus.MIE too, and then writes back what it was before.
    __asm volatile ("li %0, " MIE_MTIE "\n csrs mie, %0\n csrsi mstatus, " MSTATUS_MIE : "=r" (bits));
}

// The watchdog: Python sets mtimecmp anew at each feed (machine.WDT); nothing else uses the timer's interrupt.
__attribute__((interrupt("machine"))) void mtvec_mti(void) {
    board_reset(BOARD_WDT_RESET);
}

// Halts the processor for so long, or until the watchdog is due.
void board_wait_us(uint32_t us) {
    uint64_t until = mtime() + (uint64_t)TICKS_PER_US * us;
    uint64_t watchdog = (uint64_t)MTIMECMP[1] << 32 | MTIMECMP[0];
    if (watchdog <= until) {
        return;
    }
    // A halted processor wakes for an interrupt that is disabled, too.
    __asm volatile ("csrci mstatus, " MSTATUS_MIE);
    set_alarm(until);
    while (mtime() < until) {
        __asm volatile ("wfi");
    }
    set_alarm(watchdog);
    __asm volatile ("csrsi mstatus, " MSTATUS_MIE);
}

void board_reset(uint32_t cause) {
    BOARD_KEPT[0] = KEPT_MARK | cause;
    FINISHER = FINISHER_RESET;
    for (;;) {
    }
}

uint32_t board_reset_cause(void) {
    return (BOARD_KEPT[0] & ~0xff) == KEPT_MARK ? BOARD_KEPT[0] & 0xff : BOARD_PWRON_RESET;
}

mp_uint_t mp_hal_ticks_us(void) {
    return mtime() / TICKS_PER_US;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return mtime() / (1000 * TICKS_PER_US);
}

// Instructions since the start: with QEMU's -icount a count that repeats.
mp_uint_t mp_hal_ticks_cpu(void) {
    mp_uint_t count;
    __asm volatile ("csrr %0, minstret" : "=r" (count));
    return count;
}

uint64_t mp_hal_time_ns(void) {
    return mtime() * (1000 / TICKS_PER_US);
}

void mp_hal_delay_us(mp_uint_t us) {
    uint64_t until = mtime() + (uint64_t)TICKS_PER_US * us;
    while (mtime() < until) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    uint64_t until = mtime() + (uint64_t)1000 * TICKS_PER_US * ms;
    while (mtime() < until) {
        board_wait_us(500);
    }
}

mp_obj_t mp_vfs_rom_ioctl(size_t n_args, const mp_obj_t *args) {
    if (mp_obj_get_int(args[0]) == MP_VFS_ROM_IOCTL_GET_SEGMENT && mp_obj_get_int(args[1]) == 0) {
        return mp_obj_new_memoryview('B', BOARD_ROM_BYTES, (void *)BOARD_ROM);
    }
    return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
}
