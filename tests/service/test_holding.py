import subprocess
import sys

from penchant.service import _holding
from penchant.service._holding import held

HOLDER = """
import runpy
import sys
from pathlib import Path

held = runpy.run_path(sys.argv[1])["held"](Path(sys.argv[2]))
assert held.__enter__() is not None
print("held", flush=True)
input()
"""


def test_one_holds_at_a_time(tmp_path):
    path = tmp_path / "one.held"
    with held(path) as first:
        assert first is not None
        with held(path) as second:
            assert second is None
    with held(path) as again:
        assert again is not None


def test_a_process_that_is_killed_lets_go(tmp_path):
    path = tmp_path / "one.held"
    command = [sys.executable, "-c", HOLDER, _holding.__file__, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "held\n"
        with held(path) as mine:
            assert mine is None
        child.kill()
    with held(path) as mine:
        assert mine is not None
