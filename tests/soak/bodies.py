"""What the body of a REST prediction may look like, from right to anything."""

from hypothesis import strategies as st


def nest(value, times):
    for _ in range(times):
        value = [value]
    return value


whole = st.integers(-(2**70), 2**70) | st.integers(1, 500).map(lambda n: 10**n)
numbers = st.one_of(st.floats(width=32), whole, st.floats())
leaves = st.one_of(numbers, st.booleans(), st.none(), st.text(max_size=5))
deep = st.builds(nest, leaves, st.integers(1, 900))
values = deep | st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4), max_leaves=12
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)
right = st.integers(1, 5).flatmap(
    lambda rows: st.fixed_dictionaries(
        {
            name: st.lists(
                st.lists(st.floats(width=32), min_size=width, max_size=width),
                min_size=rows,
                max_size=rows,
            )
            for name, width in (("rgb", 3), ("pose", 2))
        }
    )
)
names = st.sampled_from(["rgb", "pose", "rgb_present", "audio", "b64", ""])
columns = right | st.dictionaries(names, values, max_size=3) | values
rows = st.lists(st.dictionaries(names, values, max_size=3) | values, max_size=3)
signatures = st.sampled_from(["serving_default", "serving_masked", "double", "types"])
requests = st.fixed_dictionaries(
    {},
    optional={
        "inputs": columns,
        "instances": rows,
        "signature_name": signatures | anything,
        "other": anything,
    },
)
any_body = (
    st.fixed_dictionaries({"inputs": right})
    | requests
    | anything
    | st.binary(max_size=40)
)
