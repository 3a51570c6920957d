"""Generate the Python message classes from `agents/opamp/proto`: `python -m agents.opamp.generate`.

Needs grpcio-tools (requirements-dev.txt). The descriptors keep upstream's path `opamp/v1/...`, so
that they can live beside other generated OpAMP code; only the Python import line is ours.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
NAMES = ("anyvalue", "opamp")


def generate(target: Path) -> None:
    """Write `*_pb2.py` and `*_pb2.pyi` into `target`. Raises RuntimeError when protoc refuses."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        words = [
            "protoc",
            f"-I{HERE / 'proto'}",
            f"-I{Path(grpc_tools.__file__).parent / '_proto'}",
            f"--python_out={out}",
            f"--pyi_out={out}",
            *(f"opamp/v1/{name}.proto" for name in NAMES),
        ]
        if protoc.main(words) != 0:
            raise RuntimeError("protoc refused the files under agents/opamp/proto")
        for name in NAMES:
            for suffix in (".py", ".pyi"):
                made = out / "opamp" / "v1" / f"{name}_pb2{suffix}"
                text = made.read_text().replace("from opamp.v1 import", "from agents.opamp import")
                made.write_text(text)
                shutil.copy(made, target / made.name)


if __name__ == "__main__":
    generate(HERE)
    sys.stdout.write(f"Wrote {', '.join(f'{name}_pb2.py' for name in NAMES)} to {HERE}\n")
