"""Every bound of the package, with its reason. Values only: no logic, no import."""

# -- lighting: a calendar at all these limits takes 804 bytes of CBOR; the rest of the 1 KiB that a node's
# decoder accepts is the policy envelope's (tests/policy/test_lighting_form.py).
lighting_rules_max = 16  # a commune has an ordinary week, two seasons and a dozen feasts
lighting_programs_max = 6
lighting_steps_max = 12  # TALQ profiles in the field use 3 to 6
lighting_offset_max_min = 180  # further from sunset or sunrise than this is a typing error
level_max_percent = 100

# -- decoding
faults_max = 32  # a document of noise must not fill the heap with complaints

# -- calendar: years in which the integer calendar and the sun's low-precision series are tested.
year_min = 2000
year_max = 2099
