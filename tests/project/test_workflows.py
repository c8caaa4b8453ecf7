"""What runs elsewhere is pinned, bounded and may do no more than it must."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_hash(path):
    used = re.findall(r"uses: (.*)", path.read_text())
    for action in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_jobs_have_an_end_and_few_rights(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert all(0 < job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())


def test_known_holes_of_packages_are_looked_for_each_week():
    workflow = yaml.safe_load((ROOT / ".github/workflows/audit.yml").read_text())
    (schedule,) = workflow[True]["schedule"]  # YAML takes `on` for a truth value
    assert re.fullmatch(r"\d+ \d+ \* \* \d", schedule["cron"])
    steps = workflow["jobs"]["packages"]["steps"]
    said = [step.get("run", "") for step in steps]
    assert any("pip-audit" in x and "constraints.txt" in x for x in said)
