"""Lists the addresses of the demonstration before those of the web."""

from django.urls import path

from tools.centre.web import urls
from tools.demo import broken, screens

urlpatterns = [
    path("demo/bar", screens.bar, name="demo-bar"),
    path("demo/time", screens.time, name="demo-time"),
    path("demo/role", screens.role, name="demo-role"),
    path("demo/enrol", screens.enrol, name="demo-enrol"),
    path("demo/drawer", broken.drawer, name="demo-drawer"),
    path("demo/closed", broken.closed, name="demo-closed"),
    path("demo/struck", broken.struck, name="demo-struck"),
    path("demo/act", broken.act, name="demo-act"),
    path("demo/replay", screens.replay, name="demo-replay"),
    path("demo/report", broken.report, name="demo-report"),
    *urls.urlpatterns,
]
handler404, handler500 = urls.handler404, urls.handler500
