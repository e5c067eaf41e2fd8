// A MicroPython VM that counts its own work, for `bocage bench node`: `time.ticks_cpu()` answers with the basic blocks
// executed so far, the same number on every run and desk. `bocage bench vm --counted` compiles the VM with
// -fsanitize-coverage=trace-pc and this file without. C libraries (AES, memcpy) are not counted.

unsigned int counted_blocks;

void __sanitizer_cov_trace_pc(void) {
    counted_blocks++;
}
