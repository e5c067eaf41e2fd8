// A MicroPython VM that counts its own work, for `bocage bench node`: `time.ticks_cpu()` answers with the basic blocks
// executed so far, the same number on every run and desk. `bocage bench vm --counted` compiles the VM with
// -fsanitize-coverage=trace-pc and this file without. C libraries (AES, memcpy) are not counted.

unsigned int counted_blocks;` and `#define mp_hal_ticks_cpu() counted_blocks`;
//   * this file compiled by itself, without the option that follows;
//   * make CROSS_COMPILE=i686-linux-gnu- COPT="-Os -DNDEBUG -fdata-sections -ffunction-sections" LDFLAGS_EXTRA=counted.o
//     FROZEN_MANIFEST=<firmware/manifest.py of a kind, port=False> CFLAGS_EXTRA="-fsanitize-coverage=trace-pc
//     -DMICROPY_FLOAT_IMPL=MICROPY_FLOAT_IMPL_FLOAT"
//
// C libraries (AES, memcpy) are not counted.

unsigned int counted_blocks;

void __sanitizer_cov_trace_pc(void) {
    counted_blocks++;
}
