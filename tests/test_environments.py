"""The scripts that CI runs in environments with the lowest and newest versions."""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

CI = Path(__file__).resolve().parents[1] / ".ci"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path(sysconfig.get_path("scripts"), "scifate").exists(),
        reason="the command scifate is not installed beside this interpreter",
    ),
]


def run(*command):
    done = subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_smoke():
    assert "numpy" in run(sys.executable, CI / "smoke.py", "--quick")


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_a_user_who_can_write_nowhere():
    # pytest's own folders can be read by one user only.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shown = run(CI / "nowhere", folder, sys.executable, CI / "smoke.py", "--quick")
        assert "numpy" in shown
        forbidden = ["-c", "open('/etc/scifate', 'w')"]
        with pytest.raises(AssertionError, match=r"PermissionError|Read-only"):
            run(CI / "nowhere", folder, sys.executable, *forbidden)
