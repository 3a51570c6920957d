"""Generate `otlp_pb2.py` from `proto`: `python -m agents.gateway.own_metrics.generate`.

Needs grpcio-tools (requirements-dev.txt).
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).resolve().parent
PROTO = "tidegate/otlp/metrics.proto"


def generate(target: Path) -> None:
    """Write `otlp_pb2.py` and `.pyi` into `target`. Raises RuntimeError when protoc refuses."""
    with tempfile.TemporaryDirectory() as scratch:
        words = [
            "protoc",
            f"-I{HERE / 'proto'}",
            f"--python_out={scratch}",
            f"--pyi_out={scratch}",
            PROTO,
        ]
        if protoc.main(words) != 0:
            raise RuntimeError(f"protoc refused {PROTO}")
        for suffix in (".py", ".pyi"):
            made = Path(scratch) / PROTO.replace(".proto", f"_pb2{suffix}")
            shutil.copy(made, target / f"otlp_pb2{suffix}")


if __name__ == "__main__":
    generate(HERE)
    sys.stdout.write(f"Wrote otlp_pb2.py to {HERE}\n")
