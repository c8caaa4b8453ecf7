"""How the house is built: imports, packaging, and what may lie where."""

import ast
import functools
import graphlib
import pathlib
import re
import sys
import tomllib

import pytest

import keras_fusion

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "keras_fusion"
SOURCES = sorted(PACKAGE.rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# Which parts each part may import; there are no others.
GROUND = {"common", "losses", "metrics", "safety", "survival"}
MODELS = GROUND | {"graphs", "layers", "ops", "zoo"}
JUDGED = MODELS | {"attribution", "calibration"}
MAY_IMPORT = {
    **{part: set() for part in GROUND | {"__init__"}},
    "losses": {"ops"},
    "metrics": {"ops"},
    "safety": {"common"},
    "survival": {"common", "ops"},
    "ops": {"common"},
    "layers": GROUND | {"ops"},
    "zoo": GROUND | {"layers", "ops"},
    "attribution": GROUND | {"layers", "ops", "zoo"},
    "calibration": GROUND | {"layers", "ops", "zoo"},
    "graphs": GROUND,
    "datasets": GROUND,
    "balancing": GROUND | {"layers", "ops"},
    "export": GROUND,
    "serving": GROUND,
    "testing": GROUND | {"layers", "ops"},
    "experiments": JUDGED | {"balancing", "datasets", "export"},
    "tuning": MODELS | {"balancing", "datasets", "experiments", "export"},
    "playground": GROUND | {"attribution", "datasets", "experiments", "serving"},
    "cli": MODELS
    | {"datasets", "experiments", "export", "playground", "serving", "tuning"},
}
# The child process of an export has to know our layers to load a model that has them.
EXCEPTED_IN_A_FUNCTION = {("export", "layers")}

TFDS = {
    PACKAGE / "datasets" / name
    for name in ("tfds.py", "graph_tfds.py", "table_tfds.py")
}

# A kind of column has a twin in TensorFlow for exports; who trains needs none.
# Where TensorFlow trains, its own strategy shares a batch among devices. Keras has no
# gradients of its own.
IN_A_FUNCTION = {
    *(PACKAGE / "datasets" / "columns").glob("*.py"),
    PACKAGE / "experiments" / "devices.py",
    PACKAGE / "common" / "gradients.py",
}

UNSAFE_MODULES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
UNSAFE_CALL = re.compile(r"(eval|exec|(.*\.)?enable_unsafe_deserialization)\(")
# What is loaded by Keras itself is read before: `safety.archives` says what is refused.
LOADING = re.compile(r"(keras\.(saving|models)|model)\.load_(model|weights)\(")
LOADERS = {
    *("safety/archives.py", "testing/laws.py"),
    *("zoo/backbone.py", "zoo/weights.py"),
}
UNSAFE_ARGUMENT = re.compile(r"\b(allow_pickle=True|safe_mode=False)\b")


def part(path):
    """`keras_fusion/layers/fusion/base.py` -> `layers`."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path):
    """(absolute dotted name, whether it stands in a function) of every import."""
    tree = ast.parse(path.read_text())
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    inside = {id(node) for f in functions for node in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            found = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in found:
            yield name, id(node) in inside


@functools.cache
def import_graph():
    """{part: the parts it imports}"""
    graph = {part(path): set() for path in SOURCES}
    for path in SOURCES:
        mine = part(path)
        for name, lazy in imports(path):
            package, theirs = (name.split(".") + [""])[:2]
            excepted = lazy and (mine, theirs) in EXCEPTED_IN_A_FUNCTION
            if package == "keras_fusion" and theirs in graph and not excepted:
                graph[mine] |= {theirs} - {mine}
    return graph


@pytest.mark.parametrize("name", sorted(import_graph()))
def test_imports_point_one_way(name):
    assert import_graph()[name] <= MAY_IMPORT[name]


def test_imports_have_no_cycle():
    graphlib.TopologicalSorter(import_graph()).prepare()  # raises on one


def test_operators_and_builders_know_keras_only():
    # h5py is the format of Keras' weights files; scipy fits the linear model of a blend
    known = {"h5py", "keras", "keras_fusion", "numpy", "scipy"}
    known |= sys.stdlib_module_names
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOURCES
        for name, _ in imports(path)
        if part(path) in {"ops", "layers", "zoo"} and name.split(".")[0] not in known
    ]
    assert wrong == []


def test_tensorflow_is_imported_where_it_must_be():
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in SOURCES
        for name, lazy in imports(path)
        if name.startswith("tensorflow")
        and part(path) not in {"export", "serving"}
        and path not in TFDS
        and not (lazy and path in IN_A_FUNCTION)
    ]
    assert wrong == []


def test_nothing_unpickles_or_evaluates():
    wrong = []
    for path in SOURCES:
        modules = {name.split(".")[0] for name, _ in imports(path)}
        nodes = ast.walk(ast.parse(path.read_text()))
        calls = [ast.unparse(node) for node in nodes if isinstance(node, ast.Call)]
        found = sorted(modules & UNSAFE_MODULES)
        found += [c for c in calls if UNSAFE_CALL.match(c) or UNSAFE_ARGUMENT.search(c)]
        wrong += [f"{path.relative_to(ROOT)}: {what}" for what in found]
    assert wrong == []


def test_no_file_is_loaded_that_was_not_looked_at():
    found = {p for p in SOURCES if LOADING.search(p.read_text())}
    assert {f"{path.relative_to(PACKAGE)}" for path in found} == LOADERS


@pytest.mark.parametrize("folder", ["zoo", "tuning", "saved_models"])
def test_root_folders_hold_no_python(folder):
    assert list((ROOT / folder).rglob("*.py")) == []


def test_every_package_is_listed():
    # setuptools refuses to look for them beside the root folders zoo/ and tuning/
    folders = {path.parent for path in SOURCES}
    packages = {".".join(path.relative_to(ROOT).parts) for path in folders}
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    assert listed == packages | {"keras_fusion._recipes"}
    assert [f for f in folders if not (f / "__init__.py").is_file()] == []


def test_version_stands_in_one_place():
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert newest[1] == keras_fusion.__version__
    assert PROJECT["project"]["dynamic"] == ["version"]


def test_make_installs_extras_that_exist_and_are_pinned():
    extras = PROJECT["project"]["optional-dependencies"]
    lines = re.findall(r"EXTRAS := (\S+)", (ROOT / "Makefile").read_text())
    made = {extra for line in lines for extra in line.split(",")}
    assert made and made <= extras.keys()

    pins = (ROOT / "constraints.txt").read_text()
    pinned = {normal(name) for name in re.findall(r"^([\w.-]+)==", pins, re.M)}
    # which CUDA libraries fit is the user's machine's to say
    lists = [extras[extra] for extra in extras.keys() - {"gpu"}]
    needed = sum(lists, PROJECT["project"]["dependencies"])
    names = {normal(re.match(r"[\w.-]+", requirement)[0]) for requirement in needed}
    assert names - pinned == set()
    assert "://" not in pins and "+" not in pins


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()
