import inspect

import keras
import pytest

from keras_fusion.common.errors import InputError
from keras_fusion.experiments import recipes, trust
from keras_fusion.safety import allowed

pytestmark = pytest.mark.only_on("torch", reason="no backend changes it")

LAYERS = sorted(
    name
    for name, found in vars(keras.layers).items()
    if inspect.isclass(found) and issubclass(found, keras.layers.Layer)
)


def test_every_layer_of_keras_is_on_one_of_the_lists():
    """A layer that a later Keras brings is looked at before a recipe may name it."""
    unseen = set(LAYERS) - allowed.PURE_LAYERS - allowed.REFUSED_LAYERS
    assert unseen - {"Layer", "Wrapper"} == set()


@pytest.mark.parametrize("name", sorted(allowed.REFUSED_LAYERS))
def test_a_recipe_names_no_layer_that_runs_something_else(tmp_path, name):
    path = tmp_path / "recipe.toml"
    path.write_text(
        'dataset = "mfeat"\n[[arguments.encoders.fou]]\n'
        f'class_name = "Bidirectional"\n[arguments.encoders.fou.config.layer]\n'
        f'class_name = "{name}"\nconfig = {{ filepath = "/elsewhere" }}\n'
    )
    words = rf"recipe\.toml: a recipe may not name the layer '{name}'"
    with pytest.raises(InputError, match=words):
        recipes.read(str(path))


def test_a_recipe_reads_no_vocabulary_from_a_file():
    layer = {"class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}}
    with pytest.raises(InputError, match="must be a list in a recipe"):
        trust.check_layers({"encoders": {"a": [layer]}}, "r")


def test_what_the_program_registers_may_be_named():
    @keras.saving.register_keras_serializable("mine")
    class Own(keras.layers.Layer):
        pass

    trust.check_layers({"encoders": [{"class_name": "mine>Own"}]}, "r")
    with pytest.raises(InputError, match="'mine>Other'"):
        trust.check_layers({"encoders": [{"class_name": "mine>Other"}]}, "r")


@pytest.fixture
def homes(tmp_path, monkeypatch):
    """The folder of a recipe, the one at work, and one that is neither."""
    found = [tmp_path / name for name in ("home", "here", "elsewhere")]
    for folder in found:
        folder.mkdir()
        (folder / "x.csv").touch()
    monkeypatch.chdir(found[1])
    return found


def test_paths_stay_near_the_recipe(homes, monkeypatch):
    home, _, elsewhere = homes
    for inside in ("mfeat", f"csv:{home}/x.csv", "csv:x.csv", f"table:{home}/*.csv"):
        trust.check_path(inside, home, "r", "say so")
    monkeypatch.setenv("HOME", f"{elsewhere}")
    for outside in (
        *("csv:/etc/x.csv", "folder:../elsewhere", f"npz:{home}/../y.npz"),
        *("csv:~/x.csv", "table:~/*.csv", f"table:{home}/../else*/x.csv"),
    ):
        with pytest.raises(InputError, match="say so if it is meant"):
            trust.check_path(outside, home, "r", "say so")


@pytest.mark.parametrize("named", ["csv:{}/a.csv", "table:{}/?.csv", "folder:{}"])
def test_links_are_followed(homes, named):
    home, here, elsewhere = homes
    (home / "in").mkdir()
    link = home / "in" / "a.csv"
    link.symlink_to(here / "x.csv")
    (home / "in" / "again").symlink_to(home / "in")  # round and round
    trust.check_path(named.format(home / "in"), home, "r", "say so")
    link.unlink()
    link.symlink_to(elsewhere / "x.csv")
    with pytest.raises(InputError, match="in/a.csv, which lies neither under"):
        trust.check_path(named.format(home / "in"), home, "r", "say so")
