# %% [markdown]
# # A search by Ray
#
# A search has many trials. Ray runs several of them at the same time, on the processors
# of this machine or on a cluster. The search file is the same with and without Ray, and
# so is what comes out: a table, a page, a model.

# %%
import numpy as np

from keras_fusion.cli.main import main as keras_fusion

rng = np.random.default_rng(0)
labels = np.arange(240) % 3
shape = (rng.normal(size=(240, 8)) + np.eye(3, 8)[labels]).astype("float32")
texture = (rng.normal(size=(240, 5)) + np.eye(3, 5)[labels]).astype("float32")
np.savez("leaves.npz", shape=shape, texture=texture, y=labels)

# %% [markdown]
# ## On this machine
#
# `--workers` says how many trials run at the same time. Each runs in a process of its
# own, and a process that dies is started again. Ray is an extra: `pip install
# "keras-fusion[tuning,ray]"`.

# %%
with open("leaves.toml", "w") as file:
    file.write("""
dataset = "npz:leaves.npz"

[training]
epochs = 4

[space]
fusion = ["Concatenation", "ScalarWeighting"]
depth = [1, 1]

[search]
tuner = "random"
trials = 3
""")
keras_fusion(["tune", "leaves.toml", "--workers", "2"])

# %% [markdown]
# ## On a cluster
#
# `--address ray://HOST:10001` names the head of a cluster, such as one that `ray up` or
# KubeRay started ([deploy/README.md](../../deploy/README.md)). `--gpus-per-trial 0.5`
# lets two trials share a GPU. The program that decides which trials come next stays
# here; if it is stopped, the same command goes on. `--storage s3://BUCKET/PATH` keeps
# the checkpoints of trials at any address of fsspec, so that the machines need no
# common folder. A server of one's own that speaks S3 is named by
# `AWS_ENDPOINT_URL=http://HOST:PORT` in the environment of the command and of the
# machines of the cluster.
#
# The order in which trials end depends on the machines, so a search by several workers
# may choose other trials than one without Ray; each trial alone is decided by its seed.
#
# ## Predictions
#
# `keras-fusion predict MODEL big.parquet --output out.parquet --address local` gives
# the parts of a table to all processors of this machine, and `ray://HOST:10001` to
# those of a cluster. If it is stopped, the same command goes on after the parts that
# are done.
#
# The parts are tasks of Ray and not of Ray Data, which was tried with Ray 2.60: killed
# after 11 of 24 batches it had written no row, and the same command computed all 24
# again. With its checkpoints, which ask for a column that names each row and keep all
# names in memory, it was 13 of 24, and again all 24. It also leaves the order of the
# rows unless `preserve_order` is set, and writes no single file of a name you choose.
#
# ## In Optuna or Ray Tune
#
# Two examples search the same space [with
# Optuna](../../examples/search_with_optuna.py) and [with Ray
# Tune](../../examples/search_with_ray_tune.py).
