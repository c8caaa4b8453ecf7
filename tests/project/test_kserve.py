"""The manifest of KServe fits its schema, and the model that it names."""

import copy
import json
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
SCHEMA = json.loads(Path(__file__).with_name("kserve.schema.json").read_text())
KUBERNETES = "1.30"


@pytest.fixture
def manifests():
    return list(yaml.safe_load_all((DEPLOY / "kserve.yaml").read_text()))


def test_it_fits_the_schema(manifests):
    service, policy = manifests
    jsonschema.validate(service, SCHEMA)
    kubernetes_validate.validate(policy, KUBERNETES, strict=True)
    wrong = copy.deepcopy(service)
    wrong["spec"]["predictor"]["minReplica"] = 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)


def test_what_kubernetes_defines_fits_kubernetes(manifests):
    model = manifests[0]["spec"]["predictor"]["model"]
    names = "args", "readinessProbe", "resources"
    container = {"name": "x", "image": "x"} | {name: model[name] for name in names}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "spec": {"containers": [container]},
    }
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)


def test_it_serves_the_same_model_as_the_other_manifests(manifests):
    service, policy = manifests
    name = service["metadata"]["name"]
    predictor = service["spec"]["predictor"]
    config = (DEPLOY / "config" / "models.config").read_text()
    scheme, _, path = predictor["model"]["storageUri"].partition("://")
    claim, _, folder = path.partition("/")
    volume = yaml.safe_load((DEPLOY / "kubernetes" / "volume.yaml").read_text())
    assert scheme == "pvc" and claim == volume["metadata"]["name"]
    assert f'"{folder}"' in config and folder.replace("_", "-") == name
    probe = predictor["model"]["readinessProbe"]["httpGet"]
    assert probe == {"path": f"/v1/models/{name}/metadata", "port": 8080}
    selected = policy["spec"]["podSelector"]["matchLabels"]
    assert selected == {"serving.kserve.io/inferenceservice": name}


def test_nothing_runs_while_nobody_asks(manifests):
    assert manifests[0]["spec"]["predictor"]["minReplicas"] == 0
