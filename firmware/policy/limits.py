"""Lists the bounds of the package, each with its reason. Values only: no logic, no import."""

# -- lighting: a calendar at all these limits takes 804 bytes of CBOR; the rest of the 1 KiB that a node's
# decoder accepts is the policy envelope's (tests/policy/test_lighting_form.py).
lighting_rules_max = 16  # a commune has an ordinary week, two seasons and a dozen feasts
lighting_programs_max = 6
lighting_steps_max = 12  # TALQ profiles in the field use 3 to 6
lighting_offset_max_min = 180  # further from sunset or sunrise than this is a typing error
level_max_percent = 100

# -- decoding
faults_max = 32  # a document of random bytes must not fill the heap with faults

# -- calendar: years in which the integer calendar and the sun's low-precision series are tested.
year_min = 2000
year_max = 2099

# -- the policy of a commune (bytes, depth and items of its CBOR: `wire.command`, `document`)
calendars_max = 12
feeders_max = 200  # all cabinets of one commune: a town of 40 cabinets has about 160
ceilings_max = 32  # limits, and the exemptions from them
operators_max = 32
authority_bytes_max = 120  # of an authority and of a text's reference, as a decision writes them
text_bytes_max = 120
name_bytes_max = 60  # of a person
# What the right LIGHT gives: four hours outlast an accident or a search, and a lost telephone lights no longer than
# that after its last signature. The clocks of a cabinet and of the centre may differ by minutes.
light_s_max = 4 * 3600
light_ahead_s_max = 300

# -- sites: metropolitan France and Corsica, in 10^-4 degree; legal time in Paris holds here, and a latitude given as a
# longitude is refused
latitude_min_e4 = 410000
latitude_max_e4 = 520000
longitude_min_e4 = -60000
longitude_max_e4 = 100000

# -- key sets
keys_max = 8
warehouses_max = 4  # each ingest has a key; two at a move from one server to another
threshold_min = 2  # one lost or stolen key must not be able to replace the others
version_max = 0xFFFFFFFF

# -- instants of validity, Unix seconds: 2000-01-01 and 2100-01-01
unix_min_s = 946_684_800
unix_max_s = 4_102_444_800

# -- watering: one irrigation node, and the law that binds it
watering_zones_max = 8  # the channels of one board; a bigger park has several nodes
watering_programs_max = 8
watering_bans_max = 12  # beside the national table: an order's levels for each use, and a park's opening hours
watering_exemptions_max = 6
watering_area_max_dm2 = 2_000_000  # 2 hectares: more than two football pitches on one valve is a typing error
watering_flow_max_ml_min = 600_000  # a 2-inch valve passes some 400 L/min
watering_run_max_min = 240  # a drip line may need hours; no zone needs longer in one start
watering_depth_max_dmm = 500  # 50 mm fill any root zone of a park
watering_interval_max_days = 30
watering_slope_max_percent = 60
watering_offset_max_min = 360  # from sunrise or sunset; a start "3 h before sunrise" is usual

# -- heating: a programme at all these limits stays below the 1 KiB that a node's decoder accepts for its texts apart
heating_rules_max = 16  # an ordinary week, four school holidays, the feasts
heating_days_max = 6
heating_spans_max = 6  # a canteen or a sports hall has four
heating_limits_max = 4  # one building has a text or two of its own
setpoint_min_ck = 500  # below it is frost protection, which the node has in any case
setpoint_max_ck = 3000  # a pool hall under exemption
