"""Makes a territory's certificate authority with the openssl program for a bench or a test: EC P-256.

Must not serve a real territory: its keys lie unprotected in a temporary folder.
"""

import shutil
import subprocess
from pathlib import Path

from simulator.rig.rig import RigError


class Authority:
    """Holds PEM files in a folder. `issue` returns (certificate, key) paths; serial numbers are random."""

    def __init__(self, folder: Path, name: str) -> None:
        if shutil.which("openssl") is None:
            raise RigError("no openssl program here: apt-get install openssl")
        self._folder = folder
        self._name = name
        self.certificate = folder / f"{name}.pem"
        self._key = folder / f"{name}.key"
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-keyout", self._key, "-out", self.certificate, "-subj", f"/CN={name}",
            # Python 3.13 checks a default context by RFC 5280: an authority must state what its key is for.
            "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    def issue(
        self,
        common_name: str,
        *,
        address: str | None = None,
        days: str = "30",
        between: tuple[str, str] | None = None,
        purpose: str | None = None,
    ) -> tuple[Path, Path]:
        """Makes a certificate for a client, or for a server at an IP address; returns (certificate, key).

        Negative days: it has expired. `between`: its first and last moment, as 20350101000000Z.
        """
        if between is None and days.startswith("-"):
            between = ("20200101000000Z", "20200201000000Z")
        period = ("-not_before", between[0], "-not_after", between[1]) if between else ("-days", days)
        stem = self._folder / "-".join((self._name, common_name, *(between or (days,)), purpose or ""))
        request, key, certificate = (stem.with_name(f"{stem.name}.{suffix}") for suffix in ("csr", "key", "pem"))
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", request, "-subj", f"/CN={common_name}",
        )  # fmt: skip
        extensions = stem.with_name(f"{stem.name}.ext")
        names = f"subjectAltName=IP:{address}\n" if address else f"extendedKeyUsage={purpose or 'clientAuth'}\n"
        extensions.write_text(f"{names}subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        self._openssl(
            "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-out", certificate,
            "-extfile", extensions, *period,
        )  # fmt: skip
        return certificate, key

    def revocation_list(self, *certificates: Path, expired: bool = False) -> Path:
        """Returns a CRL in PEM with these certificates."""
        stem = self._folder / f"{self._name}-{len(certificates)}{'-expired' * expired}"
        index, config, crl = (stem.with_name(f"{stem.name}.{suffix}") for suffix in ("index", "cnf", "crl"))
        lines = []
        for certificate in certificates:
            serial = self._openssl("x509", "-in", certificate, "-noout", "-serial").strip().partition("=")[2]
            lines.append(f"R\t400101000000Z\t250101000000Z\t{serial}\tunknown\t/CN=revoked\n")
        index.write_text("".join(lines))
        config.write_text(f"[ca]\ndefault_ca=a\n[a]\ndatabase={index}\ndefault_md=sha256\ndefault_crl_days=30\n")
        dates = ("-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", "20200201000000Z") if expired else ()
        self._openssl(
            "ca", "-gencrl", "-config", config, "-cert", self.certificate, "-keyfile", self._key, "-out", crl, *dates
        )
        return crl

    def lock(self, key: Path, password: str) -> Path:
        """Returns the same key, protected by a password."""
        locked = key.with_suffix(".locked")
        self._openssl("pkey", "-in", key, "-aes256", "-passout", f"pass:{password}", "-out", locked)
        return locked

    def _openssl(self, *words: object) -> str:
        done = subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RigError(f"openssl refused: {done.stderr.strip()}")
        return done.stdout
