"""What a gateway tells all nodes of a kind, each with the seconds it holds for: weather, drought level, load shedding.

A directive is a lease on a fact or a restriction, not an order: it runs out by itself, counted by the node from when
it asked, and what holds afterwards is the trade's affair (a drought level expires to something strict, a load shed to
nothing). A node asks with GET of `d`; the answer is a map {code: [value, for_s]}. Values are integers in the scale
given here. Codes are never reused; unknown ones are ignored.
"""

PATH = b"d"

OUTDOOR_TEMPERATURE = 1  # 0.01 °C, now
TEMPERATURE_MIN_6H = 2  # 0.01 °C, the least that is forecast for the next six hours
EVAPOTRANSPIRATION = 3  # reference ET0 of the last whole civil day, 0.01 mm
RAIN_DAY = 4  # of the last whole civil day, 0.1 mm
RAIN_FORECAST = 5  # of the next 24 h, 0.1 mm
WIND_SPEED = 6  # mean now, 0.1 m/s
DROUGHT_LEVEL = 7  # 0 none, 1 vigilance, 2 alerte, 3 alerte renforcée, 4 crise
LOAD_SHED = 8  # lower the set-point by so many 0.01 K; 0: nothing is shed
EXCEPTION = 9  # of a day's programme: 0 as usual, 1 closed, 2 occupied all day

# code: (name, lowest, highest)
TABLE = {
    OUTDOOR_TEMPERATURE: ("outdoor-temperature", -5000, 6000),
    TEMPERATURE_MIN_6H: ("temperature-min-6h", -5000, 6000),
    EVAPOTRANSPIRATION: ("et0", 0, 1500),
    RAIN_DAY: ("rain-day", 0, 5000),
    RAIN_FORECAST: ("rain-forecast", 0, 5000),
    WIND_SPEED: ("wind", 0, 1000),
    DROUGHT_LEVEL: ("drought", 0, 4),
    LOAD_SHED: ("load-shed", 0, 500),
    EXCEPTION: ("exception", 0, 2),
}
# A directive that nobody renews ends within a week.
FOR_S_MAX = 7 * 86400
