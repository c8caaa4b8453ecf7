"""The files in deploy/ are what their schemas say, and say what the page says.

kubernetes-validate checks every manifest against the schemas of Kubernetes' own API,
unknown fields refused; check-jsonschema checks the compose file against the Compose
specification. Both bring their schemas along. Neither runs anything.
"""

import json
import re
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema

from keras_fusion.cli.main import _parser

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.30"
BATCHING = {
    "max_batch_size",
    "batch_timeout_micros",
    "max_enqueued_batches",
    "num_batch_threads",
}


def manifests():
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield document["kind"], document


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def service():
    return compose()["services"]["tensorflow-serving"]


def pod():
    return dict(manifests())["Deployment"]["spec"]["template"]["spec"]


def test_manifests_fit_kubernetes():
    checked = 0
    for _, manifest in manifests():
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
        checked += 1
    assert checked == 7


def test_a_wrong_manifest_is_found():
    wrong = dict(manifests())["Deployment"]
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


def test_the_compose_file_fits_its_specification():
    schema = get_builtin_schema("vendor.compose-spec")
    jsonschema.validate(compose(), schema)
    wrong = compose()
    wrong["services"]["tensorflow-serving"]["readonly"] = True
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_everything_is_deployed():
    listed = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text())
    files = {str(path.relative_to(DEPLOY)) for path in DEPLOY.glob("kubernetes/*.yaml")}
    assert set(listed["resources"]) == files
    (generated,) = listed["configMapGenerator"]
    (mounted,) = [v["configMap"] for v in pod()["volumes"] if "configMap" in v]
    assert generated["name"] == mounted["name"]
    assert all((DEPLOY / path).is_file() for path in generated["files"])


@pytest.mark.parametrize("where", ["compose", "kubernetes"])
def test_flags_name_files_that_are_mounted(where):
    (container,) = pod()["containers"]
    flags = service()["command"] if where == "compose" else container["args"]
    files = re.findall(r"=/config/(\S+)", " ".join(flags))
    assert len(files) == 3
    assert all((DEPLOY / "config" / name).is_file() for name in files)


def test_both_run_the_same_server():
    (container,) = pod()["containers"]
    image, version = container["image"].split(":")
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert service()["image"] == f"{image}:${{SERVING:-{version}}}"  # or a digest
    page = (DEPLOY / "README.md").read_text()
    assert f"inspect {image}:{version} " in page
    assert f"set image {image}@sha256:" in page

    def flags(lines):
        return {line for line in lines if "poll_wait" not in line}

    assert flags(container["args"]) == flags(service()["command"])


def test_nothing_runs_as_root_or_writes():
    (container,) = pod()["containers"]
    assert pod()["securityContext"]["runAsNonRoot"] is True
    context = container["securityContext"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert all(m["readOnly"] for m in container["volumeMounts"] if m["name"] != "tmp")
    assert service()["read_only"] is True and service()["cap_drop"] == ["ALL"]
    assert not service()["user"].startswith("0")
    assert all(volume.endswith(":ro") for volume in service()["volumes"])
    assert all(port.startswith("127.0.0.1:") for port in service()["ports"])


def test_a_stop_leaves_a_request_its_time():
    (container,) = pod()["containers"]
    found = re.search(r"rest_api_timeout_in_ms=(\d+)000", " ".join(container["args"]))
    request = int(found[1])  # seconds
    before = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod()["terminationGracePeriodSeconds"] > before + request
    assert int(service()["stop_grace_period"].removesuffix("s")) > request


def test_threads_fit_into_their_limit():
    flags = dict(re.findall(r"--(\w+)=(\d+)", " ".join(service()["command"])))
    takers = int(flags["rest_api_num_threads"]) + int(flags["grpc_max_threads"])
    assert takers <= service()["deploy"]["resources"]["limits"]["pids"] / 4


def test_metrics_are_read_from_their_own_namespace():
    own, other = dict(manifests())["NetworkPolicy"]["spec"]["ingress"]
    assert own["from"] == [{"podSelector": {}}]
    (prometheus,) = other["from"]
    assert {"namespaceSelector", "podSelector"} == prometheus.keys()
    annotations = dict(manifests())["Deployment"]["spec"]["template"]["metadata"]
    (container,) = pod()["containers"]
    ports = {p["name"]: str(p["containerPort"]) for p in container["ports"]}
    (port,) = other["ports"]
    assert ports[port["port"]] == annotations["annotations"]["prometheus.io/port"]


def test_no_warm_up_of_the_page_is_over_a_batch():
    text = (DEPLOY / "config" / "batching.config").read_text()
    most = re.search(r"max_batch_size \{ value: (\d+)", text)[1]
    page = (DEPLOY / "README.md").read_text()
    assert f"`max_batch_size` of `deploy/config/batching.config` ({most})" in page


def test_limits_probes_and_scaling():
    (container,) = pod()["containers"]
    assert container["resources"].keys() == {"requests", "limits"}
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    assert service()["deploy"]["resources"]["limits"]["memory"] == "2G"
    scaler = dict(manifests())["HorizontalPodAutoscaler"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == "tensorflow-serving"
    assert scaler["minReplicas"] >= 2
    assert "replicas" not in dict(manifests())["Deployment"]["spec"]


@pytest.mark.parametrize("name", ["models.config", "models.canary.config"])
def test_model_configs_are_tensorflow_servings(name):
    text_format = pytest.importorskip("google.protobuf.text_format")
    config_pb2 = pytest.importorskip(
        "tensorflow_serving.config.model_server_config_pb2"
    )
    text = (DEPLOY / "config" / name).read_text()
    config = text_format.Parse(text, config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (ROOT / "zoo" / model.name).is_dir()
    served = set(model.model_version_policy.specific.versions)
    assert set(model.version_labels.values()) == served
    probe = pod()["containers"][0]["readinessProbe"]["httpGet"]["path"]
    assert probe == f"/v1/models/{model.name}/metadata"
    assert probe in " ".join(service()["healthcheck"]["test"])


def test_batching_config():
    text = (DEPLOY / "config" / "batching.config").read_text()
    lines = re.findall(r"^(\w+) \{ value: (\d+) \}$", text, re.M)
    assert {name for name, _ in lines} == BATCHING
    assert len(lines) == len(text.splitlines())


def test_the_page_names_files_that_exist():
    page = (DEPLOY / "README.md").read_text()
    for name in re.findall(r"deploy/[\w./-]+\w", page):
        assert (ROOT / name).exists(), name


def test_what_was_run_is_said():
    results = ROOT / "benchmarks" / "results" / "tensorflow_serving.json"
    sentence = "not yet run against a real tensorflow serving"
    for page in ("README.md", "deploy/README.md"):
        said = sentence in (ROOT / page).read_text().lower()
        assert said is not results.exists(), page


def ray_manifests():
    manifests = yaml.safe_load_all((DEPLOY / "ray.yaml").read_text())
    return {manifest["kind"]: manifest for manifest in manifests}


def test_a_search_on_ray_fits_the_schemas():
    """KubeRay's own kind by the fields that it has, its pods by those of Kubernetes."""
    manifests = ray_manifests()
    job = manifests.pop("RayJob")
    schema = json.loads(Path(__file__).with_name("rayjob.schema.json").read_text())
    jsonschema.validate(job, schema)
    cluster = job["spec"]["rayClusterSpec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}}
        manifests[str(group)] = pod | group["template"]
    for manifest in manifests.values():
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)
    job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"] = []
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(job, schema)


def test_only_a_search_reaches_its_own_ports():
    manifests = ray_manifests()
    cluster = manifests["RayJob"]["spec"]["rayClusterSpec"]
    policy = manifests["NetworkPolicy"]["spec"]
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        labels = group["template"]["metadata"]["labels"]
        assert policy["podSelector"]["matchLabels"] == labels
    own, submitter = policy["ingress"]
    assert own == {"from": [{"podSelector": policy["podSelector"]}]}
    assert submitter["ports"] == [{"port": 8265}]


def test_ray_on_the_cluster_is_the_one_that_was_tested():
    spec = ray_manifests()["RayJob"]["spec"]
    pinned = re.search(r"^ray==(.+)$", (ROOT / "constraints.txt").read_text(), re.M)[1]
    assert spec["rayClusterSpec"]["rayVersion"] == pinned
    assert f"rayproject/ray:{pinned}" in (DEPLOY / "README.md").read_text()
    parser = _parser("tune")
    options = parser.parse_args(spec["entrypoint"].split()[1:])
    assert options.command == "tune" and options.address == "auto"
