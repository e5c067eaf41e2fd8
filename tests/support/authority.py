"""A certificate authority of a territory, made with the openssl program for one test: EC P-256, client and server."""

import shutil
import subprocess

import pytest


class Authority:
    """PEM files in a folder. `issue` returns (certificate, key) paths; serial numbers are random."""

    def __init__(self, folder, name):
        if shutil.which("openssl") is None:
            pytest.skip("no openssl program: apt-get install openssl")
        self._folder = folder
        self._name = name
        self.certificate = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-keyout", self._key, "-out", self.certificate, "-subj", f"/CN={name}",
            # Python 3.13 holds a default context to RFC 5280: an authority says what its key is for.
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    def issue(self, common_name, *, address=None, days="30"):
        """A certificate for a client, or for a server at an IP address. Negative days: it has expired."""
        stem = self._folder / f"{self._name}-{common_name}-{days}"
        request, key, certificate = (stem.with_suffix(suffix) for suffix in (".csr", ".key", ".pem"))
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", request, "-subj", f"/CN={common_name}",
        )  # fmt: skip
        extensions = stem.with_suffix(".ext")
        purpose = f"subjectAltName=IP:{address}\n" if address else "extendedKeyUsage=clientAuth\n"
        extensions.write_text(f"{purpose}subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        period = ("-days", days)
        if days.startswith("-"):
            period = ("-not_before", "20200101000000Z", "-not_after", "20200201000000Z")
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-out", certificate,
            "-extfile", extensions, *period,
        )  # fmt: skip
        return certificate, key

    def _openssl(self, *words):
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
