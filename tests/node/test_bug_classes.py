"""The fifteen bug classes of other makers' nodes, and the test by which each part of each holds at ours.

SHOWN has, by class and part, the tests that show it; WITHOUT the parts that no test shows, each with its reason.
Together they are the test column of the project's reference (nodes, part c), no part twice and none left out.
"""

import pytest

HEAT, LIGHT, LINK, METERS, ORDERS, TIME, WATER = (
    f"tests/node/test_bug_classes_{name}.py" for name in ("heat", "light", "link", "meters", "orders", "time", "water")
)
START = "tests/esp32/test_bug_classes_start.py"
BOILER, WIFI = "tests/heating/test_boiler.py", "tests/links/test_udp_wifi.py"
HEAT_CUTS, WATER_CUTS = "tests/heating/test_power_cuts.py", "tests/watering/test_power_cuts.py"
WATER_STATE, WEATHER = "tests/watering/test_recomputed.py", "tests/watering/test_weather.py"
HOSTILE = "tests/gateway/core/link/test_downlink_hostile.py"
UPDATING, TRIAL = "tests/node/test_updating.py", "tests/node/test_trial.py"
STORE, GUARD, SLOTS = (f"tests/esp32/test_{name}.py" for name in ("settings_store", "guard", "slots"))
RECORDS, FLASH = "tests/node/test_record_log.py", "tests/esp32/test_flash.py"

# Class: what is tested, in the words of the reference.
PARTS = {
    1: (
        "a sensor that is killed, at each duty", "that sticks", "that says NaN", "that is absent at boot",
        "safe duty within 5 min", "the frost floor still works",
    ),
    2: ("the network task blocked for 10 min", "the broker killed", "DNS that hangs",
        "OpenTherm frames never > 1 s apart", "id 57 asserted"),
    3: ("a power cut at every step of a run", "a power cut at each pulse", "all valves closed < 2 s after boot",
        "commanded and measured differ: an alarm"),
    4: ("cuts across each edge: lamp", "cuts across each edge: heating", "cuts at many instants: watering",
        "the state equals the recomputed one"),
    5: ("72 h without gateway: lamps", "72 h without gateway: rooms", "72 h without gateway: valves", "zero reboots"),
    6: ("50 power cycles at random", "firmware up- and downgrade", "the digest of the configuration unchanged"),
    7: ("retained", "duplicated", "reordered", "expired", "wrong counter", "refused with a reason"),
    8: ("boot with no time", "false time by an hour", "2000, 2036, 2100", "both nights of summer time",
        "a step of time during a run", "durations from the monotonic clock"),
    9: ("silence after each byte", "wrong acknowledgements", "70 000 publications", "ids that wrap", "oversize message",
        "slow TLS"),
    10: ("each failure status of the driver", "connect while connecting", "1000 flaps of the access point",
         "the channel changes"),
    11: ("the loop while each I/O call blocks 30 s", "nothing that blocks is called", "a day's heap",
         "fragmentation, largest block", "a radio that goes silent"),
    12: ("a power cut at every block", "a bad signature", "an old counter", "the wrong class",
         "a crash before and after confirming", "no link after the update"),
    13: ("out of range", "missing", "duplicated", "late and out of order", "another unit",
         "the bucket within 0 and TAW", "rain counted once"),
    14: ("reboots at random: lamp", "reboots at random: heating", "reboots at random: water", "an hour lost at most",
         "a budget of ten years of writes", "200 Hz of pulses", "a zone without meter reads 0"),
    15: ("a cut at every write to flash", "boot finds the last good record", "settings that are corrupted",
         "a corrupted folder of programs", "a file system that cannot be mounted still reaches the rescue"),
}  # fmt: skip

# Class: {part: [(file, test, test, ...), ...]}.
SHOWN = {
    1: {
        "a sensor that is killed, at each duty": [
            (HEAT, "test_1_a_sensor_that_dies_at_any_duty_leads_to_the_safe_duty_within_five_minutes"),
        ],
        "that sticks": [(HEAT, "test_1_a_sensor_that_sticks_at_full_heat_is_found_out_after_three_hours")],
        "that is absent at boot": [
            (HEAT, "test_1_a_sensor_that_is_absent_from_boot_heats_by_the_safe_duty_and_the_room_does_not_freeze"),
        ],
        "safe duty within 5 min": [
            (HEAT, "test_1_a_sensor_that_dies_at_any_duty_leads_to_the_safe_duty_within_five_minutes"),
        ],
        "the frost floor still works": [
            (HEAT, "test_1_the_frost_floor_works_again_as_soon_as_the_sensor_does",
             "test_1_with_nobody_to_say_how_cold_it_is_outside_winter_has_a_floor_and_summer_has_not"),
        ],
    },
    2: {
        "the network task blocked for 10 min": [
            (HEAT, "test_2_ten_minutes_without_network_change_nothing_for_the_boiler"),
        ],
        "DNS that hangs": [
            (WIFI, "test_names_are_not_literal"),
            ("tests/esp32/test_no_blocking_calls.py", "test_no_module_of_a_node_blocks"),
        ],
        "OpenTherm frames never > 1 s apart": [
            (HEAT, "test_2_ten_minutes_without_network_change_nothing_for_the_boiler",
             "test_2_a_block_of_thirty_seconds_leaves_no_gap_and_a_dead_node_leaves_no_boiler_at_maximum"),
        ],
        "id 57 asserted": [
            (HEAT, "test_2_ten_minutes_without_network_change_nothing_for_the_boiler"),
            (BOILER, "test_the_highest_flow_temperature_is_asserted_once_and_bounds_every_setpoint"),
        ],
    },
    3: {
        "a power cut at every step of a run": [
            (WATER, "test_3_a_power_cut_at_any_step_of_a_run_leaves_every_valve_shut_2s_after_the_boot"),
        ],
        "a power cut at each pulse": [
            (WATER_CUTS, "test_a_power_cut_before_within_and_after_each_pulse_leaves_no_valve_open_2s_after_the_boot",
             "test_a_power_cut_within_each_pulse_of_the_boot_itself_leaves_no_valve_open"),
        ],
        "all valves closed < 2 s after boot": [
            (WATER_CUTS, "test_nine_valves_that_were_open_are_shut_within_2s_of_a_start",
             "test_nine_valves_are_shut_within_2s_with_the_longest_pulses_that_settings_may_have",
             "test_from_cold_it_is_2s_from_when_the_capacitor_is_charged"),
        ],
        "commanded and measured differ: an alarm": [
            (WATER, "test_3_a_valve_that_stays_open_is_seen_by_its_water_told_and_pulsed_again",
             "test_3_a_valve_that_does_not_open_is_told_and_its_run_ended"),
        ],
    },
    4: {
        "cuts across each edge: lamp": [
            (LIGHT, "test_4_power_that_returns_across_each_edge_finds_the_state_recomputed"),
        ],
        "cuts across each edge: heating": [
            (HEAT_CUTS, "test_4_power_that_returns_across_each_edge_finds_the_state_of_a_node_that_was_never_cut"),
        ],
        "cuts at many instants: watering": [
            (WATER_STATE, "test_4_power_cut_at_many_instants_of_a_day_changes_no_start_and_doubles_no_water"),
        ],
        "the state equals the recomputed one": [
            ("tests/node/test_app.py", "test_mains_that_comes_back_across_an_edge_finds_the_recomputed_level"),
            (LIGHT, "test_4_a_cut_within_day_and_night_changes_nothing_but_the_first_seconds"),
            (WATER_STATE, "test_4_a_start_that_the_cut_covers_is_made_up_for"),
        ],
    },
    5: {
        "72 h without gateway: lamps": [
            ("tests/node/test_app.py", "test_72_h_without_a_gateway_change_nothing_for_the_street"),
            ("tests/simulator/test_without_gateway.py", "test_lamps_move_by_their_calendar_alone"),
            ("tests/node/test_months_alone.py",
             "test_120_days_without_a_gateway_every_edge_comes_once_by_the_calendar_and_within_the_nodes_doubt"),
        ],
        "72 h without gateway: rooms": [
            ("tests/simulator/test_without_gateway.py",
             "test_rooms_follow_their_programme_and_are_warm_when_people_are_there"),
        ],
        "72 h without gateway: valves": [
            ("tests/simulator/test_without_gateway.py", "test_valves_open_by_their_programme_at_its_hour_and_shut"),
        ],
        "zero reboots": [
            ("tests/simulator/test_without_gateway.py", "test_nobody_restarts_for_want_of_a_gateway"),
            ("tests/node/test_months_alone.py",
             "test_120_days_without_a_gateway_are_one_boot_and_a_bounded_memory"),
        ],
    },
    6: {
        "50 power cycles at random": [
            (GUARD, "test_fifty_short_cuts_of_the_mains_are_no_strike"),
            (STORE, "test_power_cycles_of_settings_on_trial_are_no_crashes"),
        ],
        "firmware up- and downgrade": [
            (STORE, "test_a_downgrade_finds_older_good_settings_that_it_understands"),
            (FLASH, "test_an_update_in_the_field_keeps_boots_and_lamp_hours"),
        ],
        "the digest of the configuration unchanged": [
            (STORE, "test_fifty_power_cycles_amid_changes_lose_no_good_settings_and_accuse_no_new_ones"),
        ],
    },
    7: {
        "duplicated": [
            (ORDERS, "test_7_a_genuine_order_that_is_sent_again_switches_nothing_and_says_nothing"),
            (HOSTILE, "test_what_was_delivered_already"),
        ],
        "reordered": [
            (ORDERS, "test_7_of_two_orders_that_come_in_the_wrong_order_the_older_one_is_refused_as_later"),
            (HOSTILE, "test_held_until_after_a_newer_order"),
        ],
        "expired": [
            (ORDERS, "test_7_one_that_was_held_past_its_expiry_lights_nothing"),
            (HOSTILE, "test_held_until_after_its_expiry_before_a_node_without_a_clock"),
        ],
        "wrong counter": [
            ("tests/node/test_orders.py", "test_numbers_only_rise"),
            (HOSTILE, "test_held_over_the_nodes_reboot", "test_a_strangers"),
        ],
        "refused with a reason": [
            (ORDERS, "test_7_of_two_orders_that_come_in_the_wrong_order_the_older_one_is_refused_as_later",
             "test_7_one_that_was_held_past_its_expiry_lights_nothing"),
            ("tests/node/test_orders.py", "test_what_cannot_be_read_is_told_once_under_the_same_keys"),
        ],
    },
    8: {
        "boot with no time": [
            (LIGHT, "test_8_a_boot_without_time_is_lit_and_the_programme_runs_once_the_time_comes"),
            (HEAT, "test_8_a_boot_without_time_and_a_clock_of_long_ago_are_no_reason_to_be_cold"),
            (WATER, "test_8_without_a_clock_nothing_is_watered_and_somebody_is_told"),
            (TIME, "test_no_time_at_boot_is_uptime_for_weeks"),
        ],
        "false time by an hour": [
            (LIGHT, "test_8_a_false_time_that_is_put_right_leaves_the_state_of_the_right_one"),
            (TIME, "test_an_hour_of_false_time_moves_the_clock_and_back_but_not_the_rate"),
        ],
        "2000, 2036, 2100": [
            (TIME, "test_1970_2000_and_2100_are_never_taken_from_anybody",
             "test_2036_is_a_step_that_the_gateway_puts_right"),
            (WATER, "test_8_a_clock_that_was_in_another_century_stops_nothing_for_good"),
            (LIGHT, "test_8_far_years_run_their_own_nights"),
        ],
        "both nights of summer time": [
            (LIGHT, "test_8_both_nights_of_summer_time_have_each_edge_once"),
            (HEAT, "test_8_in_both_nights_of_summer_time_each_span_happens_once"),
            (WATER, "test_8_on_the_nights_when_legal_time_changes_each_program_starts_once_a_day"),
        ],
        "a step of time during a run": [
            (WATER, "test_8_a_clock_that_is_set_during_a_run_doubles_and_shortens_nothing",
             "test_8_a_clock_that_is_set_before_a_start_skips_and_doubles_nothing"),
            (HEAT, "test_8_least_times_of_a_relay_hold_through_every_jump_of_the_clock"),
            ("tests/simulator/hosts/test_vm_silence.py", "test_a_dusk_that_the_gateway_answers_lights_the_lamp_once"),
        ],
        "durations from the monotonic clock": [
            (TIME, "test_durations_go_by_the_monotonic_clock_whatever_the_time_does"),
        ],
    },
    9: {
        "silence after each byte": [
            (LINK, "test_9_answers_cut_at_each_length_are_no_answers_and_the_next_whole_one_is",
             "test_9_silence_after_each_answer_is_waited_out_and_every_record_arrives"),
        ],
        "wrong acknowledgements": [
            (LINK, "test_9_an_answer_with_a_foreign_token_acknowledges_nothing",
             "test_9_each_answer_a_hundred_times_over_is_one_answer"),
        ],
        "ids that wrap": [
            (LINK, "test_9_thousands_of_exchanges_over_the_wrap_of_the_message_id_and_nothing_grows",
             "test_9_an_id_that_comes_round_again_while_its_first_exchange_is_remembered_is_an_exchange_of_its_own"),
            ("tests/wire/test_coap.py", "test_message_ids_start_where_told_and_wrap"),
        ],
        "oversize message": [(WIFI, "test_a_long_datagram_is_seen_to_be_too_long")],
    },
    10: {
        "each failure status of the driver": [
            (WIFI, "test_whatever_reason_the_driver_gives_the_network_is_tried_again_and_comes"),
        ],
        "connect while connecting": [(WIFI, "test_a_driver_that_refuses_is_one_more_failed_try")],
        "1000 flaps of the access point": [
            (WIFI, "test_a_thousand_flaps_of_the_access_point_leave_it_up_each_time_and_never_raise"),
        ],
        "the channel changes": [
            ("tests/links/test_espnow.py", "test_a_channel_that_has_changed_is_found_and_remembered"),
        ],
    },
    11: {
        "the loop while each I/O call blocks 30 s": [
            (START, "test_class_11_thirty_seconds_in_any_one_call_end_in_a_reset_to_safe_outputs_within_eight"),
            (HEAT, "test_2_a_block_of_thirty_seconds_leaves_no_gap_and_a_dead_node_leaves_no_boiler_at_maximum"),
        ],
        "nothing that blocks is called": [
            ("tests/esp32/test_no_blocking_calls.py", "test_no_module_of_a_node_blocks"),
        ],
        "a day's heap": [
            ("tests/tools/bench/test_bench_node.py", "test_a_day_of_each_kind_keeps_its_heap_and_its_turns_small"),
        ],
        "a radio that goes silent": [
            ("tests/links/test_espnow.py", "test_a_frame_the_driver_never_reports_begins_the_radio_anew"),
        ],
    },
    12: {
        "a power cut at every block": [
            (START, "test_class_12_power_cut_at_every_flash_operation_of_two_updates_and_the_node_always_starts",
             "test_class_12_two_cuts_in_a_row_at_drawn_operations"),
        ],
        "a bad signature": [
            (UPDATING, "test_what_is_not_signed_for_this_kind_by_a_known_key_is_refused_once_and_touches_nothing"),
        ],
        "an old counter": [(UPDATING, "test_never_backwards_and_not_the_same_again")],
        "the wrong class": [
            (UPDATING, "test_what_is_not_signed_for_this_kind_by_a_known_key_is_refused_once_and_touches_nothing"),
        ],
        "a crash before and after confirming": [
            (START, "test_class_12_a_program_that_crashes_at_its_start_goes_back_after_three_trials",
             "test_class_12_a_confirmed_program_that_goes_bad_leads_to_the_rescue_which_brings_the_next_one"),
        ],
        "no link after the update": [
            (START, "test_class_12_a_program_that_is_never_confirmed_goes_back_over_power_cuts_as_well"),
            (TRIAL, "test_without_one_of_them_it_is_not_confirmed_however_long"),
        ],
    },
    13: {
        "out of range": [
            (WATER, "test_13_no_value_of_a_directive_takes_the_bucket_out_of_its_bounds",
             "test_13_sensors_that_say_nonsense_are_counted_and_the_next_rung_stands"),
        ],
        "missing": [
            (WEATHER, "test_13_late_or_unordered_figures_are_off_by_a_day_at_most_and_no_rain_counts_twice"),
            (WATER, "test_13_sensors_that_say_nonsense_are_counted_and_the_next_rung_stands"),
        ],
        "duplicated": [(WATER, "test_13_rain_of_a_directive_is_counted_once_however_long_it_stands")],
        "late and out of order": [
            (WEATHER, "test_13_late_or_unordered_figures_are_off_by_a_day_at_most_and_no_rain_counts_twice"),
        ],
        "another unit": [
            (WEATHER, "test_13_a_sensor_in_another_unit_leaves_et0_and_buckets_within_their_bounds",
             "test_13_figures_of_the_gateway_in_another_unit_leave_the_bucket_within_its_bounds"),
        ],
        "the bucket within 0 and TAW": [
            (WATER, "test_13_no_value_of_a_directive_takes_the_bucket_out_of_its_bounds"),
            (WEATHER, "test_13_figures_of_the_gateway_in_another_unit_leave_the_bucket_within_its_bounds"),
        ],
        "rain counted once": [
            (WATER, "test_13_rain_of_a_directive_is_counted_once_however_long_it_stands",
             "test_13_rain_of_the_gauge_is_counted_once_and_through_a_power_cut"),
        ],
    },
    14: {
        "reboots at random: lamp": [
            (LIGHT, "test_14_the_hours_of_a_lamp_never_fall_over_power_cuts"),
            ("tests/lighting/test_energy.py", "test_energy_never_falls_whatever_the_meters_and_the_mains_do"),
        ],
        "reboots at random: heating": [
            (HEAT_CUTS,
             "test_14_through_random_restarts_energy_and_openings_never_fall_and_an_hour_at_most_is_lost"),
        ],
        "reboots at random: water": [
            (METERS, "test_14_through_random_restarts_counters_never_fall_and_lose_an_hour_at_most"),
            ("tests/kinds/test_water_meter.py",
             "test_the_volume_never_goes_back_over_power_cuts_and_loses_no_more_than_since_the_last_note"),
        ],
        "an hour lost at most": [
            (METERS, "test_hours_never_go_back_and_lose_an_hour_at_most_with_each_cut"),
            (HEAT_CUTS,
             "test_14_through_random_restarts_energy_and_openings_never_fall_and_an_hour_at_most_is_lost"),
        ],
        "a budget of ten years of writes": [
            (METERS, "test_days_of_each_kind_write_the_hours_and_little_more_and_the_budget_refuses_none"),
            ("tests/esp32/test_littlefs_log.py",
             "test_the_whole_budget_for_ten_years_stays_below_the_cycles_of_a_block"),
        ],
        "200 Hz of pulses": [(METERS, "test_14_a_meter_of_200_hz_loses_nothing")],
        "a zone without meter reads 0": [
            (METERS, "test_14_a_zone_without_a_meter_reads_nothing_and_the_others_keep_their_own"),
        ],
    },
    15: {
        "a cut at every write to flash": [
            (FLASH, "test_a_cut_at_every_single_operation_leaves_a_state_and_a_new_boot_number"),
            (RECORDS, "test_a_cut_at_every_single_operation_loses_nothing_that_was_durable"),
            ("tests/esp32/test_littlefs_log.py",
             "test_a_cut_at_every_operation_of_the_flash_loses_nothing_durable"),
            (STORE, "test_a_cut_at_every_write_leaves_settings_to_start_with"),
        ],
        "boot finds the last good record": [
            (FLASH, "test_one_damaged_file_costs_its_contents_but_no_boot_number"),
            (RECORDS, "test_a_block_that_rots_costs_its_records_which_a_gap_tells"),
        ],
        "settings that are corrupted": [
            (STORE, "test_every_change_of_one_byte_of_a_slot_is_seen",
             "test_a_bad_file_gives_way_to_the_last_good_one_and_says_why"),
        ],
        "a corrupted folder of programs": [
            (SLOTS, "test_a_confirmed_folder_that_is_damaged_gives_way_to_the_other"),
            (START, "test_class_12_the_rescue_repairs_a_damaged_folder_with_the_same_number"),
        ],
    },
}  # fmt: skip

WITHOUT = {
    (1, "that says NaN"): "no float comes from a driver: what is no number has no key in a sample, like a silent one",
    (2, "the broker killed"): "a node knows no broker; its gateway's is the gateway's affair (bug classes of gateways)",
    (7, "retained"): "CoAP retains nothing; what a broker retains ends at the gateway",
    (9, "70 000 publications"): "3,000 exchanges over the wrap: 65,536 of them take minutes at a whole node, and an id "
    "that comes round again is shown apart",
    (9, "slow TLS"): "a node speaks no TLS: OSCORE has no handshake that a slow peer could hold open",
    (11, "fragmentation, largest block"): "the desktop VM's heap is not the chip's; the bench tells what a day leaves "
    "and takes, not the largest free block",
    (15, "a file system that cannot be mounted still reaches the rescue"): "the rescue lies in the same file system: "
    "only an interpreter with it frozen could, which needs hardware to be shown",
}


def named():
    """(class, part, file, test), each as it stands above."""
    return [
        (number, part, file, test)
        for number, parts in SHOWN.items()
        for part, shown in parts.items()
        for file, *tests in shown
        for test in tests
    ]


@pytest.mark.parametrize("number", range(1, 16))
def test_each_part_of_each_class_is_shown_or_named_with_its_reason(number):
    shown, without = set(SHOWN[number]), {part for one, part in WITHOUT if one == number}
    assert not shown & without
    assert shown | without == set(PARTS[number])


def test_fifteen_classes_are_all_there_are():
    assert sorted(PARTS) == sorted(SHOWN) == list(range(1, 16))
    assert {number for number, _ in WITHOUT} <= set(PARTS)
    assert all(len(reason) > 20 for reason in WITHOUT.values())
    assert all(tests for parts in SHOWN.values() for shown in parts.values() for _, *tests in shown)


def test_each_test_named_in_the_table_above_exists(repository):
    texts = {}
    for number, part, file, test in named():
        text = texts.setdefault(file, (repository / file).read_text(encoding="utf-8"))
        assert f"\ndef {test}(" in text, f"class {number}, {part}: {file} has no {test}"
    assert len(named()) > 90
