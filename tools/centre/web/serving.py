"""Serves the web on a port of this machine. Others reach it through a proxy, which has the certificate."""

import warnings

from tools.centre.web.configuration import Options, configure

HOST = "127.0.0.1"


def serve(options: Options, port: int) -> None:
    """Serves until the process is told to end."""
    import uvicorn

    configure(options)
    from django.core.asgi import get_asgi_application

    # Files of style and script are read whole, which is what they are small enough for.
    warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
    uvicorn.run(get_asgi_application(), host=HOST, port=port, log_level="warning", server_header=False, lifespan="off")
