"""The screens as a process, for a real browser: a warehouse for each person of `scoped_world`, time from a file.

    python -m tests.support.web_process FOLDER PORT

FOLDER/now holds the Unix second that every page calls now, FOLDER/control.db what is ordered.
"""

import sys
from pathlib import Path

from tests.support.scoped_world import ROLES, build_for_persons
from tools.centre.web import serving
from tools.centre.web.configuration import Options, configure

PASSWORD = "un chêne au bord de l'eau"


def main(folder, port):
    warehouse = str(folder / "centre.db")
    is_new = not Path(warehouse).exists()
    if is_new:
        build_for_persons(warehouse)
    options = Options(
        warehouse, str(folder / "web.sqlite3"), f"http://127.0.0.1:{port}", lambda: int((folder / "now").read_text()),
        control=str(folder / "control.db"),
    )  # fmt: skip
    configure(options)
    import uvicorn
    from django.contrib.auth import get_user_model
    from django.core.asgi import get_asgi_application
    from django.utils import timezone

    for person in ROLES if is_new else ():
        account = get_user_model()(username=person, last_login=timezone.now())
        account.set_password(PASSWORD)
        account.save()
    uvicorn.run(get_asgi_application(), host=serving.HOST, port=port, log_level="warning", lifespan="off")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
