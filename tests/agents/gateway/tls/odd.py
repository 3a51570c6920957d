"""Certificates that openssl makes and operators have: the commands as people type them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from console.lib.certificate_making import Pair


def openssl(folder: Path, *words: str) -> str:
    """Run openssl in a folder; what it says on standard output."""
    ran = subprocess.run(
        ["openssl", *words], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, f"openssl {' '.join(words)}: {ran.stderr}"
    return ran.stdout


@dataclass
class Openssl:
    """A CA of plain openssl in a folder, and what it signs."""

    folder: Path
    key_words: tuple[str, ...] = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")

    def authority(self, name: str = "ca") -> Pair:
        """`openssl req -x509`, as it comes: CA:TRUE and no keyUsage."""
        openssl(
            self.folder, "req", "-x509", *self.key_words, "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.crt", "-days", "30", "-subj", f"/CN=Plain {name}",
        )  # fmt: skip
        return self.pair(name)

    def leaf(
        self, name: str, extensions: str = "", ca: str = "ca", digest: str = "-sha256",
        key_words: tuple[str, ...] | None = None, subject: str = "",
    ) -> Pair:  # fmt: skip
        """`openssl x509 -req`: of version 1 when it is given no extensions."""
        openssl(
            self.folder, "req", *(key_words or self.key_words), "-nodes", "-keyout",
            f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={subject or name}",
        )  # fmt: skip
        more: tuple[str, ...] = ()
        if extensions:
            (self.folder / f"{name}.ext").write_text(extensions)
            more = ("-extfile", f"{name}.ext")
        openssl(
            self.folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.crt", "-CAkey",
            f"{ca}.key", "-CAcreateserial", "-days", "10", digest, *more, "-out", f"{name}.crt",
        )  # fmt: skip
        return self.pair(name)

    def pair(self, name: str) -> Pair:
        certificate = x509.load_pem_x509_certificate((self.folder / f"{name}.crt").read_bytes())
        key = load_pem_private_key((self.folder / f"{name}.key").read_bytes(), None)
        return Pair(certificate, key)  # type: ignore[arg-type]  # of any kind here
