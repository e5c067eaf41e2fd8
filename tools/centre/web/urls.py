"""Lists every address and its page. A test asks each of them as each person: a new one cannot forget its rights."""

from django.urls import path

from tools.centre.web import entering, home, lights

urlpatterns = [
    path("", home.home, name="home"),
    path("login", entering.login, name="login"),
    path("logout", entering.logout, name="logout"),
    path("password", entering.password, name="password"),
    path("appearance", entering.appearance, name="appearance"),
    path("<str:insee>/lights", lights.lights, name="lights"),
]
handler404 = "tools.centre.web.errors.not_found"
handler500 = "tools.centre.web.errors.failed"
