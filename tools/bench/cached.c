// A plugin of QEMU for `bocage bench bare`: counts the lines that the data cache of an ESP32-S3 would move in each turn,
// from PSRAM (the second area of heap) and from flash (a program in place, the interpreter's constants).
//
// The cache is as ESP-IDF sets it by default: 32 KiB, 8 ways, lines of 32 bytes; here the line that was not used for
// longest goes, and it stays as it was between turns. Nothing else of a chip is here: no Wi-Fi that uses it too, no fetch
// of instructions. A turn is what lies between two readings of the count of instructions (node_vm.py). A line of the
// file for each: fetched from PSRAM, written back to it, fetched from a program in place.
//
// QEMU's header is in no package of Debian, so what is used of it is declared here (version 4 of its interface).

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *, void *, size_t);
bool qemu_plugin_mem_is_store(uint32_t);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t, void (*)(uint64_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, void (*)(unsigned, void *), int, void *);
void qemu_plugin_register_vcpu_mem_cb(
    struct qemu_plugin_insn *, void (*)(unsigned, uint32_t, uint64_t, void *), int, int, void *);
int qemu_plugin_version = 4;
enum { NO_REGISTERS = 0, READ_AND_WRITE = 3 };

enum { LINE_BYTES = 32, WAYS = 8, SETS = 32 * 1024 / LINE_BYTES / WAYS };
typedef struct { uint64_t used_at; uint32_t line; bool is_changed; } way_t;
static way_t cache[SETS][WAYS];
static uint64_t now, fetched, written, in_place;
static bool is_in_turn;
static FILE *out;

static void access_memory(unsigned cpu, uint32_t info, uint64_t address, void *data) {
    // Addresses of tools/bare/board.h and of the port's virt.ld; the first area of heap and the stack are on the chip.
    bool is_psram = address >= 0x80800000 && address < 0x81000000;
    bool is_in_place = address >= 0x82000000 && address < 0x82800000;
    bool is_constant = address >= 0x80000000 && address < 0x80400000;
    if (!is_psram && !is_in_place && !is_constant) {
        return;
    }
    uint32_t line = address / LINE_BYTES;
    way_t *set = cache[line % SETS], *way = set;
    for (way_t *each = set; each < set + WAYS; each++) {
        if (each->line == line) {
            way = each;
            break;
        }
        if (each->used_at < way->used_at) {
            way = each;
        }
    }
    if (way->line != line) {
        fetched += is_psram;
        in_place += is_in_place;
        written += way->is_changed;
        way->line = line;
        way->is_changed = false;
    }
    way->used_at = ++now;
    way->is_changed |= qemu_plugin_mem_is_store(info);
}

static void pass_mark(unsigned cpu, void *data) {
    if (is_in_turn) {
        fprintf(out, "%llu %llu %llu\n", (unsigned long long)fetched, (unsigned long long)written,
            (unsigned long long)in_place);
        fflush(out);
    }
    fetched = written = in_place = 0;
    is_in_turn = !is_in_turn;
}

static void translate(uint64_t id, struct qemu_plugin_tb *block) {
    for (size_t index = 0; index < qemu_plugin_tb_n_insns(block); index++) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, index);
        uint32_t word = 0;
        qemu_plugin_insn_data(instruction, &word, sizeof word);
        if ((word & 0xfffff07f) == 0xb0202073) { // csrr REGISTER, minstret
            qemu_plugin_register_vcpu_insn_exec_cb(instruction, pass_mark, NO_REGISTERS, NULL);
        }
        qemu_plugin_register_vcpu_mem_cb(instruction, access_memory, NO_REGISTERS, READ_AND_WRITE, NULL);
    }
}

// The one argument is `out=PATH`.
int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int count, char **arguments) {
    out = count == 1 && !strncmp(arguments[0], "out=", 4) ? fopen(arguments[0] + 4, "w") : NULL;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return out == NULL;
}
