from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["rich", "click", "pygments", "mcp", "pydantic", "httpx._main"])
def test_the_client_does_not_load_what_it_does_not_use(module: str) -> None:
    code = (
        "import sys; import ollamamaster.ollama.client;"
        f"print(sys.modules.get({module!r}) is not None)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_httpx_can_still_be_imported_afterwards() -> None:
    code = "import ollamamaster.ollama.client, httpx; httpx.Client().close(); print(httpx.main)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "main" in ran.stdout
