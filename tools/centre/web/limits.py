"""Holds every limit of the web, with its reason."""

from datetime import timedelta

# --- entering ------------------------------------------------------------------------------------------------

# What length does for a password no rule on signs does (NIST SP 800-63B, 3.1.1, and ANSSI's guide of 2021, R21).
PASSWORD_CHARACTERS_MIN = 12
# Of a field of the login: argon2 works on every byte of it.
PASSWORD_CHARACTERS_MAX = 256
PERSON_CHARACTERS_MAX = 150
# Of a one-time password, in groups of four that a person can type from a paper: 80 bits.
ONE_TIME_GROUPS = 4
# It is handed over at the next meeting, or made again.
ONE_TIME_S = 7 * 86_400
# Failures of one person from one address within the time; the others of a town hall behind it go on.
LOGIN_FAILURES_MAX = 5
LOGIN_COOLOFF = timedelta(minutes=15)
# What the clocks of a directory and of this server may differ by, and how long it may take for an answer.
DIRECTORY_LEEWAY_S = 60
DIRECTORY_TIMEOUT_S = 10
# A control room's shift; a phone that was lost is another's for less than a day.
SESSION_S = 12 * 3600
# A year, as browsers ask for (RFC 6797).
HSTS_S = 365 * 86_400

# --- pages -----------------------------------------------------------------------------------------------------

# Rows of one page of a list: two screens of a desk, six of a phone.
ROWS_PER_PAGE = 50
# Of what is typed into a search.
SEARCH_CHARACTERS_MAX = 120

# --- what is shared by viewers ----------------------------------------------------------------------------------

# Pages ask for a commune at most once in this time, however many people open it.
PICTURE_S = 0.9
# States change by silence too: with nothing new in the warehouse they are asked again after this.
PICTURE_STALE_S = 30
# Lights of all pictures that are held, some 0.6 kB each; beyond, the one that was asked for longest ago goes.
PICTURE_LIGHTS_MAX = 200_000
# Lists of communes that are held, one for each set of rights, for a minute.
COMMUNES_REMEMBERED = 256

# Connections to a server that are in use at once: a person's 200 viewers may all begin in one second, and each has a
# thread of its own; more than some would wait for the processor. A request waits so long for one.
CONNECTIONS_MAX = 12
CONNECTION_WAIT_S = 15
# Connections to a server that wait for the next page, each some 10 MB there; as shipped it lets in 100 in all.
CONNECTIONS_KEPT_MAX = 24
# A node that is bound to another place is shown there after this at the latest: as long as a stream lasts (LIVE_S).
CONNECTION_KEPT_S = 60

# --- what is pushed ----------------------------------------------------------------------------------------------

# A stream ends after this, and the browser asks again: then its rights are looked at anew.
LIVE_S = 60
# Between the beginnings of two looks at a commune that somebody watches. A change is seen after at most this and one
# look: of 20,000 lights that is a quarter of a second, on SQLite and on PostgreSQL.
LIVE_EVERY_S = 1.0
# How long a browser keeps script and style before it asks again; after an update of Bocage they are old for as long.
STATIC_S = 300

# --- health --------------------------------------------------------------------------------------------------------

# A correction of a cabinet's clock is told from here on: what is lit by it was visibly early or late.
CLOCK_STEP_S_MIN = 60

# --- the map ------------------------------------------------------------------------------------------------------

# Degrees of a step in what the map is sent: 1.1 m north, 0.75 m east in France, below the size of a disc at zoom 18.
MAP_STEP = 1e-5
# Streets and lights of the list beside the map; it says how many more there are.
IN_VIEW_STREETS_MAX = 100
IN_VIEW_LIGHTS_MAX = 60

# Of a map that is drawn anew each few months.
TILE_S = 86_400
# Beyond it a street fills the screen (`static/web/map.js`).
ZOOM_MAX = 19

# --- one light --------------------------------------------------------------------------------------------------------

# What its plot shows.
HISTORY_S = 86_400
# Records of a node that are looked into for it: a day of one a minute.
HISTORY_RECORDS_MAX = 1500
# What it told, in a list.
TOLD_MAX = 12

# --- on duty ----------------------------------------------------------------------------------------------------

# Causes on its screen: a bad week's; and weeks of the rota ahead, a quarter of a year.
DUTY_CAUSES_MAX = 30
DUTY_WEEKS = 13

# --- rooms and green spaces ---------------------------------------------------------------------------------------

# A room lacks warmth from this on, in 0.01 K: people feel less than the tolerance of the strictest category of
# ISO 7730 (annex A, A: 1.0 K in winter) as warm.
COLD_CK = 100
# A zone without a drop of what its plants can use: the full scale of its mark, in 0.1 mm. Root zones of lawns hold some
# 30 mm, of shrubs 60 (FAO-56, table 19, by `policy.watering`).
DEPLETION_DMM = 400
# The days of water that are drawn.
WATER_DAYS = 14
# Events of a node that are looked into for them: one with three zones tells of some 30 a day.
DECISIONS_MAX = 600
# So many runs before the last say what a zone usually takes, as for the node itself (`watering.limits.CLEAN_RUNS_MIN`).
RUNS_MIN = 3

# --- orders -----------------------------------------------------------------------------------------------------

# The daemon fetches several times a second; an order that still waits after this is told to wait.
NOT_FETCHED_S = 10
# Of a commune, the latest: a month of a town, and more than a page shows with ease.
ORDERS_SHOWN_MAX = 60
# After a contactor has switched every lamp is lit in two minutes and has reported in five, and the screens hear of it
# once it is stored: until then a lamp that does not do yet what the policy wants says nothing.
SWITCHED_S = 600
# Causes of what is broken, beside the number of lights: a commune's page is read at a glance.
CAUSES_SHOWN_MAX = 3
# How long an order that is over still stands as a card.
ORDERS_SHOWN_S = 600
# How often the page asks what became of orders: while something is awaited, and otherwise.
POLL_UNDER_WAY_S, POLL_S = 2, 20
# A feeder of a village carries some thirty lights: an order for more than this is for more than a street, whose
# neighbours will notice by night, and its second step shows who is touched.
WIDE_LIGHTS = 50
# Streets that are named there; the rest is counted.
TOUCHED_STREETS_MAX = 12
# The days of the warehouse by which the cost of ordered hours is reckoned: two weeks have each weekday twice.
COST_DAYS = 14
# Lights of an order that its page lists one by one: a street; of more, its feeders stand for them.
ORDER_LIGHTS_MAX = 100
# Events of a light that are looked into for an order: a fortnight has so many.
ORDER_EVENTS_MAX = 150
# After so long no watts are awaited of a lamp any more: one that missed the order's push has had it, and been measured.
UNMEASURED_S = 1200
# What an address may name as a place: a street's name of the register, an order's id.
PLACE_CHARACTERS_MAX = 120
# What is named of a month on its one page; the rest is counted.
MONTH_FAULTS_MAX = 12
MONTH_ORDERS_MAX = 200
