"""The manifest of a training on several hosts fits its schemas, and the command."""

import copy
import json
import re
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from torch.distributed.run import get_args_parser

from keras_fusion.cli.main import _parser

DEPLOY = Path(__file__).parents[2] / "deploy"
SCHEMA = json.loads(Path(__file__).with_name("trainjob.schema.json").read_text())
KUBERNETES = "1.30"


@pytest.fixture
def manifests():
    found = yaml.safe_load_all((DEPLOY / "train.yaml").read_text())
    return {manifest["kind"]: manifest for manifest in found}


def job_of(manifests):
    (job,) = manifests["TrainingRuntime"]["spec"]["template"]["spec"]["replicatedJobs"]
    return {"apiVersion": "batch/v1", "kind": "Job"} | job["template"]


def test_they_fit_the_schemas(manifests):
    jsonschema.validate(manifests["TrainJob"], SCHEMA)
    jsonschema.validate(manifests["TrainingRuntime"], SCHEMA)
    own = (manifests["PersistentVolumeClaim"], manifests["NetworkPolicy"])
    for manifest in (*own, job_of(manifests)):
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    resources = manifests["TrainJob"]["spec"]["trainer"]["resourcesPerNode"]
    container = {"name": "node", "image": "x", "resources": resources}
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container]}}
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)


@pytest.mark.parametrize("kind, key", [("TrainJob", "numNode"), ("TrainJob", "torch")])
def test_a_wrong_manifest_is_found(manifests, kind, key):
    wrong = copy.deepcopy(manifests[kind])
    wrong["spec"]["trainer"][key] = 2
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)


def test_the_job_runs_a_command_that_is_there(manifests):
    spec = manifests["TrainJob"]["spec"]
    runtime = manifests["TrainingRuntime"]
    assert spec["runtimeRef"] == {
        "kind": "TrainingRuntime",
        "name": runtime["metadata"]["name"],
    }
    words = spec["trainer"]["command"][1:] + spec["trainer"]["args"]
    options = _parser("train").parse_args(words)
    assert options.devices == spec["trainer"]["numNodes"]  # one processor each
    pod = job_of(manifests)["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert {"name": "KERAS_BACKEND", "value": "jax"} in container["env"]
    (mount,) = container["volumeMounts"]
    assert options.runs.startswith(mount["mountPath"])
    claim = manifests["PersistentVolumeClaim"]
    (volume,) = pod["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]  # by all hosts


def test_the_line_of_torchrun_runs_a_command_that_is_there():
    readme = (DEPLOY / "README.md").read_text()
    (line,) = re.findall(r"^    torchrun (.+)$", readme, flags=re.MULTILINE)
    given, words = line.split(" --no-python keras-fusion ")
    launch = get_args_parser().parse_args([*given.split(), "--no-python", "it"])
    options = _parser("train").parse_args(words.split())
    nodes, each = int(launch.nnodes), int(launch.nproc_per_node)
    assert options.devices == nodes * each


def test_only_hosts_of_a_training_reach_each_other(manifests):
    policy = manifests["NetworkPolicy"]["spec"]
    labels = job_of(manifests)["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert policy["ingress"] == [{"from": [{"podSelector": policy["podSelector"]}]}]
