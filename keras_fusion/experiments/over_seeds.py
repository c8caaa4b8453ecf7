"""From what was found for each seed to lists over the seeds."""


def listed(dicts: list[dict]) -> dict:
    """One list over the seeds for each key, in dicts within dicts too.

    The keys are those that all of them have.
    """
    keys = [key for key in dicts[0] if all(key in d for d in dicts)]
    return {key: _joined([d[key] for d in dicts]) for key in keys}


def _joined(values):
    return listed(values) if isinstance(values[0], dict) else values
