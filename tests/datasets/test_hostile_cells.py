"""Cells of a table from elsewhere that name what is no file of that table."""

import io
import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import soundfile

from keras_fusion import datasets
from keras_fusion.datasets import pictures
from keras_fusion.datasets.builtin import archives
from keras_fusion.datasets.columns import Preprocessor, sound
from keras_fusion.datasets.columns.kinds import KINDS
from tests.datasets.columns import examples
from tests.datasets.columns.examples import column, picture

pytestmark = pytest.mark.only_on("tensorflow", reason="no backend changes it")

ROWS = 20
WHOLE = {
    "image": picture("RGB"),
    "array": [1.0, 2.0, 3.0],
    "audio": examples.sound(8_000, 0.1),
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The folder of a table, whose own files are beside it; one works elsewhere."""
    for name in ("home", "here", "elsewhere"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", np.ones(3))
        (tmp_path / name / "a.png").write_bytes(picture("RGB"))
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv(archives.VARIABLE, f"{tmp_path / 'data'}")
    return tmp_path / "home"


def load(home, cell, ending="png"):
    """The data set of a table, in one row of which stands this cell."""
    cells = [cell, *[f"a.{ending}"] * (ROWS - 1)]
    lines = ["f,y", *(f"{cell},{'ab'[row % 2]}" for row, cell in enumerate(cells))]
    (home / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    kind = {"png": "image", "npy": "array", "wav": "audio"}[ending]
    return datasets.table(home / "t.csv", label="y", modalities={"f": {kind: "f"}})


def present(data):
    parts = (data.train, data.validation, data.test)
    return sum(int(part.modality_mask.sum()) for part in parts)


def test_files_that_are_near_are_read(home, tmp_path, monkeypatch):
    for cell in (f"{home}/a.png", f"{tmp_path}/here/a.png", "../here/a.png"):
        assert present(load(home, cell)) == ROWS
    monkeypatch.setenv(archives.VARIABLE, f"{tmp_path / 'elsewhere'}")
    assert present(load(home, "../elsewhere/a.png")) == ROWS
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(archives.VARIABLE)
    assert present(load(home, "../elsewhere/a.png")) == ROWS


@pytest.mark.parametrize("ending", ["png", "npy"])
@pytest.mark.parametrize(
    "cell", ["../elsewhere/a.{}", "{}/../elsewhere/a.{}", "link.{}", "links/a.{}"]
)
def test_files_that_are_far_are_refused(home, cell, ending):
    elsewhere = home.parent / "elsewhere"
    (home / f"link.{ending}").symlink_to(elsewhere / f"a.{ending}")
    (home / "links").symlink_to(elsewhere)
    names = (home, ending) if cell.count("{}") == 2 else (ending,)
    words = "column 'f' names '.*', which lies neither under the folder of the table"
    with pytest.raises(datasets.DataError, match=words):
        load(home, cell.format(*names), ending)


def test_rows_to_predict_are_refused_as_well(home):
    learned = load(home, "a.png").preprocessor
    with pytest.raises(datasets.DataError, match="start in a folder above it"):
        learned.encode({"f": ["../elsewhere/a.png"]}, home)


def test_a_program_may_name_any_file_itself(home):
    files = [f"{home.parent}/elsewhere/a.png"] * ROWS
    learned = Preprocessor.fit({"f": files}, {"f": {"image": "f"}})
    assert learned.encode({"f": files})[1].all()


@pytest.mark.parametrize("kind", WHOLE)
def test_what_is_no_file_is_absent(home, kind):
    learned = Preprocessor.fit({"f": [WHOLE[kind]] * ROWS}, {"f": {kind: "f"}})
    os.mkfifo(home / "pipe")
    cells = ["pipe", ".", "a\0.png", "a" * 5000, "none.png", "", None]
    _, mask = learned.encode({"f": cells}, home)
    _, devices = learned.encode({"f": ["/dev/zero", "/dev/stdin"]})
    assert not mask.any() and not devices.any()


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_a_table_that_is_a_pipe_is_none(home, ending):
    os.mkfifo(home / f"pipe.{ending}")
    for path in (home / f"pipe.{ending}", home, home / f"*.{ending}"):
        with pytest.raises(datasets.DataError, match="no such file, or no .csv"):
            datasets.table(path, label="y")


def png(width, height, rows=None):
    """A black picture, of which some rows may be left out."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(width + 1) * (height if rows is None else rows))
    chunks = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(x)) + name + x + struct.pack(">I", zlib.crc32(name + x))
        for name, x in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def npy(array):
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def npz():
    stream = io.BytesIO()
    np.savez(stream, a=np.ones(3))
    return stream.getvalue()


def aiff():
    """A sound whose numbers would begin before it does."""
    stream = io.BytesIO()
    soundfile.write(stream, np.full(80, 0.5), 8000, format="AIFF")
    content = bytearray(stream.getvalue())
    content[38] = 255
    return bytes(content)


def flac(samples):
    """A sound of a tenth of a second, whose header says this."""
    stream = io.BytesIO()
    soundfile.write(stream, np.full(800, 0.5), 8000, format="FLAC")
    content = bytearray(stream.getvalue())
    content[22:26] = struct.pack(">I", samples % 2**32)
    content[21] = content[21] & 0xF0 | samples >> 32
    return bytes(content)


def wav(rate):
    content = bytearray(WHOLE["audio"])
    content[24:28] = struct.pack("<I", rate)
    return bytes(content)


HUGE = npy(np.ones(3)).replace(b"(3,), }" + 11 * b" ", b"(1000000000000,), }")
OPEN = npy(np.ones(3)).replace(b"(3,)", b"((((")
LIES = {
    "pixels": ("image", png(8000, 8000)),
    "more than Pillow opens": ("image", png(20_000, 20_000, rows=9)),
    "a side": ("image", png(1, 70_000)),
    "numbers": ("array", HUGE),
    "a header without an end": ("array", OPEN),
    "objects": ("array", npy(np.array([{}], object))),
    "complex numbers": ("array", npy(np.ones(3, "complex64"))),
    "texts": ("array", npy(np.array(["a", "b", "c"]))),
    "an archive": ("array", npz()),
    "half an archive": ("array", b"PK\x03\x04" + bytes(50)),
    "no rate": ("audio", wav(0)),
    "a high rate": ("audio", wav(800_000)),
    "the highest rate": ("audio", wav(2**31 - 1)),
    "samples": ("audio", flac(2**36 - 1)),
    "where it begins": ("audio", aiff()),
}


@pytest.mark.parametrize("case", LIES)
def test_files_that_lie_are_absent_and_take_no_memory(case, capfd):
    kind, content = LIES[case]
    learned = Preprocessor.fit({"f": [WHOLE[kind]] * ROWS}, {"f": {kind: "f"}})
    tracemalloc.start()
    # Nothing is learned of them either.
    again = Preprocessor.fit(
        {"f": [content, *[WHOLE[kind]] * ROWS]}, {"f": {kind: "f"}}
    )
    _, mask = learned.encode({"f": [WHOLE[kind], content]})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert again.columns[0].state == learned.columns[0].state
    assert mask[:, 0].tolist() == [True, False]
    assert peak < 2**23
    assert "Traceback" not in capfd.readouterr().err


def test_no_picture_is_drawn_by_another_program():
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nquit\n"
    with pytest.raises(pictures.Unreadable, match="cannot identify"):
        with pictures.opened(io.BytesIO(eps)):
            pytest.fail("Pillow would have Ghostscript draw it")


def test_of_a_long_sound_the_beginning_is_read():
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros(8000 * 600, np.int16), 8000, format="FLAC")
    options = {"f": {"audio": "f", "rate": 8000, "seconds": 0.5}}
    tracemalloc.start()
    Preprocessor.fit({"f": [stream.getvalue()] * ROWS}, options)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8000 * 600  # bytes, a half of one
    for old in (8_000, 11_025, 44_100, 5_000, 7):
        x = np.random.default_rng(0).normal(size=3 * old + 99)
        these = x[: sound.needed(old, 8_000, 800)]
        expected = sound.resampled(x, old, 8_000, 800)
        np.testing.assert_array_equal(sound.resampled(these, old, 8_000, 800), expected)
        assert old < 100 or len(these) < old


@pytest.mark.parametrize("case", ["pixels", "a side", "no rate", "a high rate"])
def test_a_graph_finds_them_absent_before_it_reads_them(case):
    import tensorflow as tf

    kind, content = LIES[case]
    state = KINDS[kind].fit(column([WHOLE[kind]] * 2))
    graph = tf.function(KINDS[kind].graph(state))
    _, present = graph(tf.constant([WHOLE[kind], content, b"/etc/passwd"]))
    assert present.numpy().tolist() == [True, False, False]
