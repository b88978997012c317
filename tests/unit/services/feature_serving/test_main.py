from __future__ import annotations

import subprocess
import sys


def test_what_serves_never_imports_feast() -> None:
    code = "import services.feature_serving.main, sys; print(*{'feast', 'torch', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
