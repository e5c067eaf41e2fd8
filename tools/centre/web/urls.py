"""Lists every address and its page. A test asks each of them as each person: a new one cannot forget its rights."""

from django.urls import path

from tools.centre.web import (
    entering,
    faults,
    giving,
    health,
    home,
    light,
    lights,
    live,
    map,
    month,
    orders,
    privacy,
    round,
    tiles,
    town,
)  # fmt: skip

urlpatterns = [
    path("", home.home, name="home"),
    path("login", entering.login, name="login"),
    path("logout", entering.logout, name="logout"),
    path("password", entering.password, name="password"),
    path("appearance", entering.appearance, name="appearance"),
    path("privacy", privacy.privacy, name="privacy"),
    path("privacy/journal", privacy.read_journal, name="privacy-journal"),
    path("tiles/<int:z>/<int:x>/<int:y>", tiles.tile, name="tiles"),
    path("<str:insee>/map", map.map, name="map"),
    path("<str:insee>/map/lights.json", map.data, name="map-data"),
    path("<str:insee>/map/ground.json", map.ground, name="map-ground"),
    path("<str:insee>/map/in-view", map.in_view, name="map-in-view"),
    path("<str:insee>/live", live.live, name="live"),
    path("<str:insee>/town", town.town, name="town"),
    path("<str:insee>/month", month.month, name="month"),
    path("<str:insee>/lights", lights.lights, name="lights"),
    path("<str:insee>/lights/<str:id>", light.light, name="light"),
    path("<str:insee>/faults", faults.faults, name="faults"),
    path("<str:insee>/faults/note", faults.note, name="faults-note"),
    path("<str:insee>/round", round.round, name="round"),
    path("<str:insee>/round/note", round.note, name="round-note"),
    path("<str:insee>/orders", orders.orders, name="orders"),
    path("<str:insee>/orders/time", giving.time, name="orders-time"),
    path("<str:insee>/orders/sign", giving.sign, name="orders-sign"),
    path("<str:insee>/orders/give/<str:kind>", giving.give, name="orders-give"),
    path("<str:insee>/orders/<str:order>", orders.order, name="order"),
    path("<str:insee>/health", health.health, name="health"),
]
handler404 = "tools.centre.web.errors.not_found"
handler500 = "tools.centre.web.errors.failed"
