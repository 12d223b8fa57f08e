"""README says what the baseline says, in its picture too, and every command in it is one that runs."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reports import palette, picture

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.replace("\\\n", " ").strip().splitlines()]
INSTALLS = [line for line in COMMANDS if "pip install" in line]
RUNS = [line for line in COMMANDS if line not in INSTALLS]
BLANK = base64.b64decode(palette.png(np.zeros((1, 1), np.uint8), [(0, 0, 0)]).removeprefix("data:image/png;base64,"))


def baseline() -> dict[str, dict[str, str]]:
    """Claim -> model -> verdict, as recorded."""
    recorded = json.loads((ROOT / "reports/baseline.json").read_text(encoding="utf-8"))["claims"]
    return {claim: {m: entry["verdict"] for m, entry in held["models"].items()} for claim, held in recorded.items()}


def differences(shown: dict, recorded: dict) -> list[str]:
    """Verdicts of a picture that are not the baseline's, and claims that only one of them has."""
    found = [f"{claim}: only in one of them" for claim in shown.keys() ^ recorded.keys()]
    return found + [
        f"{claim}, {model}: {verdict}, recorded {recorded[claim].get(model)}"
        for claim in shown.keys() & recorded.keys()
        for model, verdict in shown[claim].items()
        if verdict != recorded[claim].get(model, "not-run")
    ]


def shown_in(path: Path) -> dict[str, dict[str, str]]:
    """Claim -> model -> verdict of a picture, read by a library of its own; {} where it says nothing of a run."""
    with Image.open(path) as found:
        return json.loads(found.text.get(picture.KEYWORD, "{}"))


def test_the_picture_shows_the_verdicts_of_the_baseline():
    found = differences(shown_in(picture.FILE), baseline())
    assert not found, f"{found}; make it anew: python -m reports picture reports/latest/results.json"


def test_a_picture_of_other_verdicts_or_of_none_is_noticed(tmp_path):
    """The control: one verdict turned over, and a picture that says nothing."""
    shown = shown_in(picture.FILE)
    (claim, models) = next((c, m) for c, m in shown.items() if "supported" in m.values())
    model = next(m for m, verdict in models.items() if verdict == "supported")
    turned = shown | {claim: models | {model: "contradicted"}}
    (tmp_path / "x.png").write_bytes(picture.with_verdicts(BLANK, turned))
    assert shown_in(tmp_path / "x.png") == turned
    assert differences(turned, baseline()) == [f"{claim}, {model}: contradicted, recorded supported"]
    (tmp_path / "y.png").write_bytes(BLANK)
    assert len(differences(shown_in(tmp_path / "y.png"), baseline())) == len(baseline())


def test_what_a_picture_says_is_a_sound_chunk():
    png = picture.with_verdicts(BLANK, {"C01": {"a": "supported"}})
    (length,) = struct.unpack(">I", png[33:37])
    assert struct.unpack(">I", png[41 + length : 45 + length])[0] == zlib.crc32(png[37 : 41 + length])


def test_readme_shows_one_picture():
    assert README.count("![") == 1 and "(reports/measured/report.png)" in README


MY_ROPE = """
import torch

def apply_rotary(x, positions):
    d = x.shape[-1]
    theta = 10000.0 ** (-torch.arange(0, d, 2) / d)
    angle = positions[..., None] * theta
    cos, sin = angle.cos(), angle.sin()
    a, b = x[..., : d // 2], x[..., d // 2 :]
    return torch.cat([a * cos - b * sin, a * sin + b * cos], -1)
"""


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """What README's reader has: a model, a GGUF and a RoPE of their own."""
    import transformers

    from fixtures.selftests.tiny_folders import english

    folder = tmp_path_factory.mktemp("things")
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4}
    config = transformers.LlamaConfig(vocab_size=900, num_key_value_heads=2, **shape)
    transformers.LlamaForCausalLM(config).save_pretrained(folder / "model")
    english().save_pretrained(folder / "model")
    (folder / "my_model").mkdir()
    (folder / "my_model/rope.py").write_text(MY_ROPE, encoding="utf-8")
    return folder


def run(command: str, things: Path, *more: str) -> subprocess.CompletedProcess:
    """A command of README from where it is said to be run, on what the reader has, with a store and report of its own."""
    from fixtures.models import packaged

    words = shlex.split(command)
    own_rope = "--rope" in words
    gguf = next(iter(packaged.PACKAGED.values())).path() if "path/to/model.gguf" in words else ""
    names = {
        "path/to/model": str(things / "model"),
        "path/to/model.gguf": str(gguf),
        "../rope-claims/claims": f"{ROOT}/claims",
        "../rope-claims/pytest.ini": f"{ROOT}/pytest.ini",
    }
    words = [names.get(word, word) for word in words]
    assert words[0] in (".venv/bin/pytest", "../rope-claims/.venv/bin/pytest"), command
    folders = [f"--store={things}/store", f"--report-dir={things}/report"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words[1:], *folders, "-p", "no:cacheprovider", *more],
        cwd=things if own_rope else ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        env=os.environ | {"PYTHONPATH": ""},
    )


@pytest.mark.parametrize("command", [line for line in RUNS if "--model" in line])
def test_commands_on_a_model_are_understood_and_planned(command, things):
    """As they stand, with --plan: what a model takes is planned from the very command, nothing is measured."""
    if "gguf" in command:
        from fixtures.models import packaged

        try:
            next(iter(packaged.PACKAGED.values())).path()
        except packaged.Missing as why:
            pytest.skip(str(why))
    done = run(command, things, "--plan", "-q")
    assert done.returncode == 0 and "plan: " in done.stdout, done.stdout + done.stderr
    assert " to make" in done.stdout


def test_the_command_on_a_rope_runs_to_its_verdict(things):
    (command,) = [line for line in RUNS if "--rope " in line]
    done = run(command, things)
    assert "R05" in done.stdout and (things / "report/rope.json").exists(), done.stdout + done.stderr
    assert done.returncode == 0, done.stdout


def test_the_command_of_thirty_seconds_runs_to_its_report(things):
    (command,) = [line for line in RUNS if "--claim C11" in line]
    done = run(command, things)
    assert done.returncode == 0 and (things / "report/report.html").exists(), done.stdout + done.stderr


def test_the_first_command_installs_and_selects_what_there_is(things):
    """The installation is CI's; that the packages and files it names exist, and what its pytest selects, is seen here."""
    (install,) = INSTALLS
    assert "-c constraints.txt '.[test]'" in install and (ROOT / "constraints.txt").exists()
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    from fixtures.models import packaged

    assert next(iter(packaged.PACKAGED.values())).pieces[0].package in install, (install, pinned[:100])
    command = install.rpartition("&& ")[2]
    done = run(command.replace("-n 2", ""), things, "--collect-only", "-q")
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_command_on_a_configuration_predicts(things):
    """Without torch; the words behind -m are those of README."""
    (command,) = [line for line in RUNS if "fixtures.predict" in line]
    words = shlex.split(command)
    assert words[:2] == [".venv/bin/python", "-m"], command
    words = [str(things / "model/config.json") if word == "path/to/config.json" else word for word in words[1:]]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "idle pairs" in done.stdout and "32\u202f768" in done.stdout, (
        done.stdout + done.stderr
    )


def test_every_command_is_of_a_kind_that_is_run_here():
    known = ("--model", "--rope ", "--claim C11", "fixtures.predict")
    assert [line for line in RUNS if not any(word in line for word in known)] == []


@pytest.mark.parametrize("guide", ["README.md", "claims/README.md"])
def test_the_python_in_guides_is_python_and_names_what_exists(guide):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / guide).read_text(encoding="utf-8"), re.DOTALL)
    (text,) = [text for text in blocks if "fixtures.pruning" in text]
    compile(text, guide, "exec")
    (line,) = re.findall(r"^from .+ import .+$", text, re.M)
    found: dict = {}
    exec(line, found)
    named = re.findall(r"\b(\w+)\.(\w+)\(", text)
    assert {name for name, _ in named} >= {"caches"}
    assert all(hasattr(found[name], attribute) for name, attribute in named if name in found)
