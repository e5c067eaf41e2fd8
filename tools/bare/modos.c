// os.urandom for a machine without a source of chance: each life draws the same numbers.

static mp_obj_t mp_os_urandom(mp_obj_t count_in) {
    static uint32_t state = 2463534242;
    vstr_t bytes;
    vstr_init_len(&bytes, mp_obj_get_int(count_in));
    for (size_t at = 0; at < bytes.len; at++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes.buf[at] = state;
    }
    return mp_obj_new_bytes_from_vstr(&bytes);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);
