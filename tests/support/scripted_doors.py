"""A mail server and a gateway of SMS on the loopback interface, which answer as a test says and keep what came."""

import http.server
import socketserver
import threading
from contextlib import contextmanager


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much of SMTP (RFC 5321) as a client needs. answers: by verb, and "." of a mail, in the place of those
    that it usually gives."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        self.mails, self.verbs, self.answers = [], [], {}
        super().__init__(("127.0.0.1", 0), _Mail)

    @property
    def port(self):
        return self.server_address[1]


class _Mail(socketserver.StreamRequestHandler):
    def handle(self):
        self._say("220 ready")
        while line := self.rfile.readline():
            verb = line.split()[0].upper().decode() if line.split() else ""
            self.server.verbs.append(line.decode().strip())
            usual = {"EHLO": "250-here\r\n250 AUTH PLAIN", "DATA": "354 go on", "QUIT": "221 bye", "AUTH": "235 ok"}
            answer = self.server.answers.get(verb, usual.get(verb, "250 ok"))
            self._say(answer)
            if answer.startswith("354"):
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line)
                self.server.mails.append(b"".join(lines))
                self._say(self.server.answers.get(".", "250 kept"))
            if verb == "QUIT":
                return

    def _say(self, text):
        self.wfile.write(text.encode() + b"\r\n")


class SmsGateway(http.server.ThreadingHTTPServer):
    """Answers each POST with `status` and `text`; keeps path, headers and body."""

    daemon_threads = True

    def __init__(self):
        self.posts, self.status, self.text, self.headers = [], 200, "OK\n1\n", {}
        super().__init__(("127.0.0.1", 0), _Sms)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/send"


class _Sms(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posts.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.text.encode())

    def log_message(self, *_):
        pass


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
