// Gives the port its clock, its waits, a watchdog, a reset with a cause, and its flash.

#include <string.h>
#include "py/mphal.h"
#include "py/mperrno.h"
#include "py/obj.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "board.h"

#define TICKS_PER_US (10)
#define MTIMECMP ((volatile uint32_t *)0x02004000)
#define MTIME ((volatile uint32_t *)0x0200bff8)
#define FINISHER (*(volatile uint32_t *)0x00100000)
#define FINISHER_RESET (0x7777)
#define FINISHER_OFF (0x5555)
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

// --- the flash ------------------------------------------------------------------------------------------------------
// A partition, with what esp32.Partition has of a block device: an erase sets all bits of a block, a write clears some.

typedef struct _board_flash_obj_t {
    mp_obj_base_t base;
    uint8_t *bytes;
    size_t size;
} board_flash_obj_t;

// Returns how many of the bytes of the next erase or write are reached: half of them where the power fails.
static size_t reached(size_t size) {
    static uint32_t done;
    return ++done == BOARD_TOLD->cut ? size / 2 : size;
}

static void end_if_cut(size_t size, size_t wanted) {
    if (size < wanted) {
        FINISHER = FINISHER_OFF;
        for (;;) {
        }
    }
}

static void erase(uint8_t *at, size_t size) {
    size_t count = reached(size);
    memset(at, 0xff, count);
    end_if_cut(count, size);
}

static uint8_t *place(size_t n_args, const mp_obj_t *args, mp_buffer_info_t *buffer, int flags) {
    board_flash_obj_t *self = MP_OBJ_TO_PTR(args[0]);
    size_t offset = mp_obj_get_int(args[1]) * BOARD_BLOCK_BYTES + (n_args == 4 ? mp_obj_get_int(args[3]) : 0);
    mp_get_buffer_raise(args[2], buffer, flags);
    if (offset > self->size || buffer->len > self->size - offset) {
        mp_raise_OSError(MP_EINVAL);
    }
    return self->bytes + offset;
}

static mp_obj_t board_flash_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buffer;
    uint8_t *at = place(n_args, args, &buffer, MP_BUFFER_WRITE);
    memcpy(buffer.buf, at, buffer.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(board_flash_readblocks_obj, 3, 4, board_flash_readblocks);

static mp_obj_t board_flash_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buffer;
    uint8_t *at = place(n_args, args, &buffer, MP_BUFFER_READ);
    if (n_args == 3) {
        erase(at, buffer.len);
    }
    size_t count = reached(buffer.len);
    for (size_t index = 0; index < count; index++) {
        at[index] &= ((uint8_t *)buffer.buf)[index];
    }
    end_if_cut(count, buffer.len);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(board_flash_writeblocks_obj, 3, 4, board_flash_writeblocks);

static mp_obj_t board_flash_ioctl(mp_obj_t self_in, mp_obj_t operation_in, mp_obj_t block_in) {
    board_flash_obj_t *self = MP_OBJ_TO_PTR(self_in);
    size_t blocks = self->size / BOARD_BLOCK_BYTES;
    switch (mp_obj_get_int(operation_in)) {
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(blocks);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(BOARD_BLOCK_BYTES);
        case MP_BLOCKDEV_IOCTL_BLOCK_ERASE: {
            size_t block = mp_obj_get_int(block_in);
            if (block >= blocks) {
                mp_raise_OSError(MP_EINVAL);
            }
            erase(self->bytes + block * BOARD_BLOCK_BYTES, BOARD_BLOCK_BYTES);
            break;
        }
    }
    return MP_OBJ_NEW_SMALL_INT(0);
}
static MP_DEFINE_CONST_FUN_OBJ_3(board_flash_ioctl_obj, board_flash_ioctl);

static const mp_rom_map_elem_t board_flash_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&board_flash_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&board_flash_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&board_flash_ioctl_obj) },
};
static MP_DEFINE_CONST_DICT(board_flash_locals, board_flash_locals_table);

static mp_int_t board_flash_buffer(mp_obj_t self_in, mp_buffer_info_t *buffer, mp_uint_t flags) {
    board_flash_obj_t *self = MP_OBJ_TO_PTR(self_in);
    buffer->buf = self->bytes;
    buffer->len = self->size;
    buffer->typecode = 'B';
    return flags == MP_BUFFER_READ ? 0 : 1;
}

static MP_DEFINE_CONST_OBJ_TYPE(
    board_flash_type, MP_QSTR_Partition, MP_TYPE_FLAG_NONE,
    buffer, board_flash_buffer,
    locals_dict, &board_flash_locals
    );

const board_flash_obj_t board_files_obj = { { &board_flash_type }, (uint8_t *)BOARD_FILES, BOARD_FILES_BYTES };
static const board_flash_obj_t board_rom_obj = { { &board_flash_type }, (uint8_t *)BOARD_ROM, BOARD_ROM_BYTES };

mp_obj_t mp_vfs_rom_ioctl(size_t n_args, const mp_obj_t *args) {
    if (mp_obj_get_int(args[0]) == MP_VFS_ROM_IOCTL_GET_SEGMENT && mp_obj_get_int(args[1]) == 0) {
        return MP_OBJ_FROM_PTR(&board_rom_obj);
    }
    return MP_OBJ_NEW_SMALL_INT(-MP_EINVAL);
}
